import { beforeEach, describe, expect, test } from 'vitest';
import { type Bus, BusError, Variant } from '../../../src/bus/api.ts';
import { runService, type ServiceEnd } from '../../../src/host/systemd/service.ts';
import { unitPath } from '../../../src/host/systemd/unit.ts';
import { busPair, takeName } from '../../support/bus.ts';
import type { PrivateBus } from '../../support/dbus.ts';

const UNIT = 'x@1.service';
const MANAGER = 'org.freedesktop.systemd1.Manager';
const ROOT = '/org/freedesktop/systemd1';

let dbus: PrivateBus;
let server: Bus;
let bus: Bus;

beforeEach(async () => {
  ({ dbus, host: server, agent: bus } = await busPair({ random: () => 0.01 }));
});

/** How a unit stands after its start, as a systemd of our own has it. */
interface Script {
  readonly active: string;
  /** By property of the service; the type of each is that of its value here. */
  readonly service: Readonly<Record<string, Variant>>;
  /** Result of the start job. */
  readonly job?: string;
  readonly start?: () => readonly unknown[];
  /** A start is queued for it from before. */
  readonly queued?: boolean;
}

const ENDED = {
  Result: new Variant('s', 'success'),
  ExecMainCode: new Variant('i', 1),
  ExecMainStatus: new Variant('i', 0),
  StatusText: new Variant('s', ''),
};

/** The modes of the jobs that a systemd was asked for, by the method. */
const modes = new Map<string, unknown>();

/** A systemd with one unit; returns the calls that it gets. */
async function systemd({ active, service, job = 'done', start, queued = false }: Script): Promise<string[]> {
  const calls: string[] = [];
  let state = 'inactive';
  let waits = queued;
  modes.clear();
  const text = { name: 'x', type: 's' };
  const end = (id: number, result: string): void =>
    object.emit(MANAGER, 'JobRemoved', [id, `/job/${id}`, UNIT, result]);
  const method = (name: string, out: string, handle: () => readonly unknown[], count = 2): object => ({
    [name]: {
      in: Array.from({ length: count }, () => text),
      out: out === '' ? [] : [{ name: 'y', type: out }],
      handle: ({ args }: { readonly args: readonly unknown[] }) => {
        calls.push(name);
        modes.set(name, args[1]);
        return handle();
      },
    },
  });
  const row = (): readonly unknown[] => {
    const jobRow = waits ? [9, 'start', '/job/9'] : [0, '', '/'];
    return [UNIT, '', 'loaded', state, 'x', '', unitPath(UNIT), ...jobRow];
  };
  const object = server.exportObject(ROOT, [
    {
      name: MANAGER,
      methods: {
        ListUnitsByNames: {
          in: [{ name: 'names', type: 'as' }],
          out: [{ name: 'units', type: 'a(ssssssouso)' }],
          handle: () => [[row()]],
        },
        Subscribe: { handle: () => [] },
        ...method('StartUnit', 'o', () => {
          state = active;
          if (start !== undefined) return start();
          setImmediate(() => end(1, job));
          return ['/job/1'];
        }),
        ...method('StopUnit', 'o', () => {
          [state, waits] = ['inactive', false];
          // Before the answer: the signal may overtake it.
          end(2, 'done');
          return ['/job/2'];
        }),
        ...method('ResetFailedUnit', '', () => ((state = 'inactive'), []), 1),
      },
      signals: { JobRemoved: { args: ['u', 'o', 's', 's'].map((type) => ({ name: 'z', type })) } },
    },
  ]);
  const properties = Object.fromEntries(
    Object.entries(service).map(([name, { signature, value }]) => [name, { type: signature, get: () => value }]),
  );
  server.exportObject(unitPath(UNIT), [{ name: 'org.freedesktop.systemd1.Service', properties }]);
  await takeName(server, 'org.freedesktop.systemd1');
  return calls;
}

const run = (timeoutMs = 10_000): Promise<ServiceEnd> =>
  runService(bus, UNIT, { timeoutMs, signal: new AbortController().signal });

describe('a service', () => {
  test.each<[string, Script, ServiceEnd, readonly string[]]>([
    [
      'that ended well',
      { active: 'active', service: { ...ENDED, StatusText: new Variant('s', 'a\nb') } },
      { kind: 'success', status: 0, text: 'a b' },
      ['StartUnit', 'StopUnit'],
    ],
    [
      'that ended with another status that is good',
      { active: 'active', service: { ...ENDED, ExecMainStatus: new Variant('i', 75) } },
      { kind: 'success', status: 75, text: '' },
      ['StartUnit', 'StopUnit'],
    ],
    [
      'that failed',
      {
        ...{ active: 'failed', job: 'failed' },
        service: { ...ENDED, Result: new Variant('s', 'oom-kill'), ExecMainCode: new Variant('i', 2) },
      },
      { kind: 'failure', what: 'oom-kill', text: '' },
      ['StartUnit', 'ResetFailedUnit'],
    ],
    [
      'whose condition does not hold',
      { active: 'inactive', service: { ...ENDED, ExecMainCode: new Variant('i', 0) } },
      { kind: 'not-run', what: 'done' },
      ['StartUnit'],
    ],
    [
      'that is gone, with the properties of one that was never started',
      { active: 'inactive', service: ENDED },
      { kind: 'not-run', what: 'done' },
      ['StartUnit'],
    ],
    [
      'that waits in vain for another',
      { active: 'inactive', job: 'dependency', service: { ...ENDED, ExecMainCode: new Variant('i', 0) } },
      { kind: 'not-run', what: 'dependency' },
      ['StartUnit'],
    ],
    [
      'of which systemd talks nonsense',
      {
        active: 'active',
        service: { ...ENDED, ExecMainStatus: new Variant('s', '0'), StatusText: new Variant('u', 1) },
      },
      { kind: 'not-run', what: 'done' },
      ['StartUnit', 'StopUnit'],
    ],
  ])('%s', async (_, script, end, calls) => {
    const seen = await systemd(script);
    expect(await run()).toEqual(end);
    expect(seen).toEqual(calls);
  });

  test.each([
    ['org.freedesktop.DBus.Error.AccessDenied', 'denied by polkit'],
    ['org.freedesktop.DBus.Error.InteractiveAuthorizationRequired', 'denied by polkit'],
    ['org.freedesktop.systemd1.ShuttingDown', 'systemd: StartUnit: no'],
  ])('that is not started: %s', async (name, text) => {
    const start = (): never => {
      throw new BusError(name, 'no');
    };
    await systemd({ active: 'active', service: ENDED, start });
    await expect(run()).rejects.toThrow(text);
  });

  test('that never ends is stopped', async () => {
    const seen = await systemd({ active: 'activating', service: ENDED, job: 'none', start: () => ['/job/9'] });
    expect(await run(200)).toEqual({ kind: 'timeout' });
    expect(seen).toEqual(['StartUnit', 'StopUnit']);
  });

  test('whose start is queued from before is stopped first: that start would begin it', async () => {
    const seen = await systemd({ active: 'active', service: ENDED, queued: true });
    expect(await run()).toMatchObject({ kind: 'success' });
    expect(seen).toEqual(['StopUnit', 'StartUnit', 'StopUnit']);
  });

  test('is not started in place of what else is queued, such as its stop at shutdown', async () => {
    await systemd({ active: 'active', service: ENDED });
    await run();
    expect([...modes]).toEqual([
      ['StartUnit', 'fail'],
      ['StopUnit', 'replace'],
    ]);
  });

  test('cannot be run without systemd, or without a bus', async () => {
    await expect(run()).rejects.toThrow('systemd is not on the bus');
    await dbus.kill();
    await expect(run()).rejects.toThrow(/./);
  });
});
