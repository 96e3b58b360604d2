import { beforeEach, describe, expect, it } from 'vitest';
import { type Bus, BusError, type IncomingCall, Variant } from '../../../src/bus/api.ts';
import { type Authorization, checkAuthorization } from '../../../src/host/polkit/authority.ts';
import { busPair, takeName } from '../../support/bus.ts';

const NAME = 'org.freedesktop.PolicyKit1';
const ACTION = 'io.github.holdpoint.Agent1.pause';
/** Milliseconds; those who wait for them wait for nothing else. */
const SHORT = { answerMs: 50, passwordMs: 100 };

let host: Bus;
let agent: Bus;
let cancelled: unknown[];

beforeEach(async () => {
  ({ host, agent } = await busPair());
  cancelled = [];
});

type Answer = (call: IncomingCall) => readonly unknown[] | Promise<readonly unknown[]>;

/** A polkit that answers as told. */
async function serve(handle: Answer, type = '(bba{ss})'): Promise<void> {
  const arg = (name: string, one: string): { name: string; type: string } => ({ name, type: one });
  const methods = {
    CheckAuthorization: {
      in: [arg('subject', '(sa{sv})'), arg('action', 's'), arg('details', 'a{ss}'), arg('flags', 'u'), arg('id', 's')],
      out: [arg('result', type)],
      handle,
    },
    CancelCheckAuthorization: {
      in: [arg('id', 's')],
      handle: ({ args }: IncomingCall) => {
        cancelled.push(args[0]);
        return [];
      },
    },
  };
  host.exportObject('/org/freedesktop/PolicyKit1/Authority', [{ name: `${NAME}.Authority`, methods }]);
  await takeName(host, NAME);
}

function ask(interactive = false): Promise<Authorization> {
  return checkAuthorization(agent, { sender: ':1.7', action: ACTION, interactive }, SHORT);
}

describe('what polkit is asked', () => {
  it('is about the caller on the bus, and nobody is asked for a password', async () => {
    const asked: (readonly unknown[])[] = [];
    await serve(({ args }) => {
      asked.push(args);
      return [[true, false, {}]];
    });
    expect(await ask()).toEqual({ kind: 'yes' });
    expect(asked).toEqual([[['system-bus-name', { name: new Variant('s', ':1.7') }], ACTION, {}, 0, '']]);
  });

  it('may have somebody asked for a password where the caller is ready for that', async () => {
    const asked: (readonly unknown[])[] = [];
    await serve(({ args }) => {
      asked.push(args);
      return [[true, false, {}]];
    });
    expect(await ask(true)).toEqual({ kind: 'yes' });
    expect(asked[0]?.slice(3)).toEqual([1, expect.stringMatching(/./) as string]);
  });
});

describe('what polkit answers', () => {
  const answers: readonly (readonly [string, readonly unknown[], boolean, Authorization])[] = [
    ['a password is needed', [false, true, {}], false, { kind: 'challenge' }],
    ['no', [false, false, {}], false, { kind: 'no', text: 'the policy of this host does not allow it (polkit)' }],
    [
      'a password was not given',
      [false, true, { 'polkit.dismissed': 'true' }],
      true,
      { kind: 'no', text: 'no password was given' },
    ],
    [
      'nobody could be asked',
      [false, true, {}],
      true,
      { kind: 'no', text: 'the password was wrong, or there is nobody to ask for it (polkit)' },
    ],
  ];

  it.each(answers)('may be that %s', async (_, answer, interactive, expected) => {
    await serve(() => [answer]);
    expect(await ask(interactive)).toEqual(expected);
  });

  it('may be nonsense', async () => {
    await serve(() => ['yes'], 's');
    expect(await ask()).toEqual({ kind: 'unknown', text: 'polkit gave an answer that cannot be understood' });
  });

  it('may be no boolean, which is no "no" either', async () => {
    await serve(() => [['yes', false, {}]], '(sba{ss})');
    expect(await ask()).toEqual({ kind: 'unknown', text: 'polkit gave an answer that cannot be understood' });
  });

  it.each([false, true])('may be an error, after which there is nothing to cancel (interactive: %s)', async (how) => {
    await serve(() => Promise.reject(new BusError(`${NAME}.Error.NotAuthorized`, 'Only\n trusted callers')));
    expect(await ask(how)).toEqual({ kind: 'unknown', text: 'polkit cannot be asked: Only  trusted callers' });
    // What was sent before this question would have come before it.
    await ask();
    expect(cancelled).toEqual([]);
  });

  it('may be nothing', async () => {
    await serve(() => new Promise(() => undefined));
    expect(await ask()).toEqual({ kind: 'unknown', text: 'polkit does not answer' });
    expect(cancelled).toEqual([]);
  });

  it('is not waited for any more by whoever is asked for a password', async () => {
    const asked: unknown[] = [];
    await serve(({ args }) => {
      asked.push(args[4]);
      return new Promise(() => undefined);
    });
    expect(await ask(true)).toEqual({ kind: 'unknown', text: 'polkit does not answer' });
    while (cancelled.length === 0) await new Promise(setImmediate);
    expect(cancelled).toEqual(asked);
  });

  it('is not waited for any more when the caller has left', async () => {
    const caller = new AbortController();
    await serve(() => {
      caller.abort();
      return new Promise(() => undefined);
    });
    const question = { sender: ':1.7', action: ACTION, interactive: true, gone: caller.signal };
    const patient = { answerMs: 60_000, passwordMs: 60_000 };
    expect(await checkAuthorization(agent, question, patient)).toMatchObject({ kind: 'unknown' });
    while (cancelled.length === 0) await new Promise(setImmediate);
  });
});

it('polkit may not be there', async () => {
  expect(await ask()).toEqual({ kind: 'unknown', text: 'polkit is not there' });
});
