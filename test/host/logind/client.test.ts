import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { errorText } from '../../../src/base/text.ts';
import { type Bus, BusError, type ExportedProperty, type IncomingCall } from '../../../src/bus/api.ts';
import { readInhibitors, readSessions } from '../../../src/host/logind/client.ts';
import { busPair, takeName } from '../../support/bus.ts';
import type { PrivateBus } from '../../support/dbus.ts';

const PATH = '/org/freedesktop/login1';
type Answer = (call: IncomingCall) => readonly unknown[] | Promise<readonly unknown[]>;
type Entry = readonly [id: string, uid: number, user: string, seat: string, path: string];

let dbus: PrivateBus;
let host: Bus;
let agent: Bus;

beforeEach(async () => {
  ({ dbus, host, agent } = await busPair());
});

afterEach(() => void vi.useRealTimers());

/** A logind whose manager answers as told. */
async function serve(answers: { ListSessions?: Answer; ListInhibitors?: Answer }, type?: string): Promise<void> {
  const method = (handle: Answer | undefined, usual: string) => ({
    out: [{ name: 'list', type: type ?? usual }],
    handle: handle ?? (() => [[]]),
  });
  const methods = {
    ListSessions: method(answers.ListSessions, 'a(susso)'),
    ListInhibitors: method(answers.ListInhibitors, 'a(ssssuu)'),
  };
  host.exportObject(PATH, [{ name: 'org.freedesktop.login1.Manager', methods }]);
  await takeName(host, 'org.freedesktop.login1');
}

/** An object for a session; answers its entry in the list. */
function session(id: string, changes: Readonly<Record<string, ExportedProperty>> = {}): Entry {
  const text = (value: string): ExportedProperty => ({ type: 's', get: () => value });
  const properties = { Class: text('user'), State: text('active'), Type: text('tty'), TTY: text('pts/1'), ...changes };
  const path = `${PATH}/session/_${id}`;
  host.exportObject(path, [{ name: 'org.freedesktop.login1.Session', properties }]);
  return [id, 1000, `user${id}`, '', path];
}

const gone = (id: string): Entry => [id, 1000, 'gone', '', `${PATH}/session/_${id}`];
describe('readSessions', () => {
  it('reads a great many sessions, in the order of the list', async () => {
    const entries = Array.from({ length: 100 }, (_, index) => session(String(index)));
    await serve({ ListSessions: () => [entries] });
    const sessions = await readSessions(agent);
    expect(sessions.map(({ user }) => user)).toEqual(entries.map(([, , user]) => user));
    expect(sessions[7]).toMatchObject({ id: '7', uid: 1000, tty: 'pts/1', kind: 'terminal', idleSince: null });
  });

  it('knows that nobody is there', async () => {
    await serve({});
    expect(await readSessions(agent)).toEqual([]);
  });

  it('leaves out a session that ends between the list and the look at it', async () => {
    let asked = 0;
    const [one, two] = [session('1'), gone('2')];
    await serve({ ListSessions: () => [(asked += 1) === 1 ? [one, two] : [one]] });
    expect((await readSessions(agent)).map(({ id }) => id)).toEqual(['1']);
    expect(asked).toBe(2);
  });

  it.each(['org.freedesktop.DBus.Error.UnknownObject', 'org.freedesktop.login1.NoSuchSession'])(
    'leaves out a session that has ended, as %s says',
    async (name) => {
      let asked = 0;
      const ended = (): never => {
        throw new BusError(name, 'no such session');
      };
      const entries = [session('1'), session('2', { Class: { type: 's', get: ended } })];
      await serve({ ListSessions: () => [(asked += 1) === 1 ? entries : entries.slice(0, 1)] });
      expect((await readSessions(agent)).map(({ id }) => id)).toEqual(['1']);
    },
  );

  it('trusts no list with a session of which logind knows nothing', async () => {
    const entries = [session('1'), gone('2')];
    await serve({ ListSessions: () => [entries] });
    await expect(readSessions(agent)).rejects.toThrow('logind lists session 2 and does not know it');
  });

  it('says when there is no logind, no bus, or no permission', async () => {
    await expect(readSessions(agent)).rejects.toThrow(/^logind does not tell who is logged in: .*login1/);
    await serve({
      ListSessions: () => {
        throw new BusError('org.freedesktop.DBus.Error.AccessDenied', 'go away');
      },
    });
    await expect(readSessions(agent)).rejects.toThrow('logind does not tell who is logged in: go away');
    await dbus.kill();
    await expect(readSessions(agent)).rejects.toThrow(/^logind does not tell who is logged in/);
  });

  it('says when the list is something else', async () => {
    await serve({ ListSessions: () => [['1']] }, 'as');
    await expect(readSessions(agent)).rejects.toThrow('the list of sessions has an entry that is not a session');
  });

  it.each<[string, Readonly<Record<string, ExportedProperty>>]>([
    ['is of another kind', { Class: { type: 'u', get: () => 1 } }],
    ['cannot be had', { Class: { type: 's', get: () => unreadable() } }],
  ])('rejects when a property of one session %s', async (_name, changes) => {
    const entries = [session('1'), session('2', changes), session('3')];
    await serve({ ListSessions: () => [entries] });
    await expect(readSessions(agent)).rejects.toThrow(/^logind does not tell about session 2: ./);
  });

  it('rejects an entry whose path is none', async () => {
    await serve({ ListSessions: () => [[['1', 0, 'a', '', 'no path']]] }, 'a(susss)');
    await expect(readSessions(agent)).rejects.toThrow(/^logind does not tell about session 1: ./);
  });
});

function unreadable(): never {
  throw new BusError('org.freedesktop.DBus.Error.Failed', 'cannot be read');
}

/** Asks a logind that does not answer, and lets `ms` pass. */
async function inVain(read: (bus: Bus) => Promise<unknown>, ms: number): Promise<string> {
  const asked = new AbortController();
  const silent: Answer = () => {
    asked.abort();
    return new Promise(() => undefined);
  };
  await serve({ ListSessions: silent, ListInhibitors: silent });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const outcome = read(agent).then(
    () => '',
    (error: unknown) => errorText(error),
  );
  await once(asked.signal, 'abort');
  vi.advanceTimersByTime(ms);
  return outcome;
}

describe('a logind that does not answer', () => {
  it('is given up after 5 s', async () => {
    expect(await inVain(readSessions, 5_000)).toMatch(/^logind does not tell who is logged in: .*5000 ms/);
  });

  it('is given up after 5 s when asked for inhibitors', async () => {
    expect(await inVain(readInhibitors, 5_000)).toMatch(/^logind does not tell who inhibits: .*5000 ms/);
  });
});

describe('readInhibitors', () => {
  it('reads who holds what back', async () => {
    await serve({ ListInhibitors: () => [[['shutdown:sleep', 'dnf', 'Installing', 'block', 0, 7]]] });
    expect(await readInhibitors(agent)).toEqual([
      { what: ['shutdown', 'sleep'], who: 'dnf', why: 'Installing', mode: 'block', uid: 0 },
    ]);
  });

  it('says when logind refuses, or answers something else', async () => {
    await expect(readInhibitors(agent)).rejects.toThrow(/^logind does not tell who inhibits: .*login1/);
    await serve({ ListInhibitors: () => [[7]] }, 'au');
    await expect(readInhibitors(agent)).rejects.toThrow('an entry that is not an inhibitor');
  });
});
