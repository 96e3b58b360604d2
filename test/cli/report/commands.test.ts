import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { AGENT_NAME, AGENT_PATH } from '../../../src/agent/dbus/names.ts';
import { readReport } from '../../../src/agent/report/report.ts';
import { reportJson } from '../../../src/agent/report/report-of.ts';
import { BusError, type ExportedMethod } from '../../../src/bus/api.ts';
import { openBus } from '../../../src/bus/bus.ts';
import { EXIT } from '../../../src/cli/command.ts';
import { dispatch } from '../../../src/cli/dispatch.ts';
import { explainCommand } from '../../../src/cli/explain.ts';
import { statusCommand } from '../../../src/cli/status.ts';
import { instant } from '../../support/agent-builders.ts';
import { type PrivateBus, startDbus } from '../../support/dbus.ts';
import { SITUATIONS, originsFor } from '../../support/report-situations.ts';
import { type TestIo, testIo } from '../io.ts';

let daemon: PrivateBus;
beforeAll(async () => {
  daemon = await startDbus();
});
afterAll(() => daemon.stop());

const driver = SITUATIONS['outside-the-window']?.();
if (driver === undefined) throw new Error('no such situation');
const { state, mono } = driver;
const NOW = instant(mono);

function json(wall: number | null): string {
  return reportJson(state, NOW, originsFor(state.settings), wall);
}

/** Stands for the agent; resolves with the moments that it was asked about. */
async function agent(handle: ExportedMethod['handle'] = ({ args }) => [json(Number(args[0]) * 1000 || null)]): Promise<{
  readonly asked: number[];
  readonly changed: () => void;
  readonly close: () => void;
}> {
  const asked: number[] = [];
  const bus = openBus({ address: daemon.address, random: Math.random });
  const method: ExportedMethod = {
    in: [{ name: 'at', type: 'x' }],
    out: [{ name: 'report', type: 's' }],
    handle: (call) => {
      asked.push(Number(call.args[0]));
      return handle(call);
    },
  };
  const State = { type: 's', get: () => 'holding' };
  const exported = bus.exportObject(AGENT_PATH, [
    { name: AGENT_NAME, methods: { Explain: method }, properties: { State } },
  ]);
  await new Promise<void>((resolve) => bus.requestName(AGENT_NAME, { queue: true }, ({ owned }) => owned && resolve()));
  onTestFinished(async () => {
    bus.close();
    const gone = openBus({ address: daemon.address, random: Math.random });
    await new Promise<void>((resolve) => gone.watchOwner(AGENT_NAME, (owner) => owner === null && resolve()));
    gone.close();
  });
  return { asked, changed: () => exported.changed(AGENT_NAME, ['State']), close: () => bus.close() };
}

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

async function run(argv: readonly string[], io = testIo(env())): Promise<Ran> {
  const status = await dispatch([statusCommand, explainCommand], argv, io);
  return { status, out: io.out(), err: io.err() };
}

function env(): Record<string, string> {
  return { DBUS_SYSTEM_BUS_ADDRESS: daemon.address };
}

function terminal(more: Record<string, string> = {}, columns = 60): TestIo {
  return { ...testIo({ ...env(), ...more }), isTTY: true, columns: () => columns, rows: () => 12 };
}

describe.each(['status', 'explain'])('%s', (command) => {
  test('begins with the answer', async () => {
    await agent();
    const { status, out, err } = await run([command]);
    expect([status, err]).toEqual([EXIT.ok, '']);
    expect(out).toMatch(/^This host does not reboot because it is outside of the reboot windows; it will at about /);
    expect(out).not.toContain('\u001b');
  });

  test('prints the report of the agent as JSON', async () => {
    await agent();
    const { status, out } = await run([command, '--json']);
    expect([status, readReport(out)]).toEqual([EXIT.ok, readReport(json(null))]);
  });

  test('fits the terminal, and is in colours there', async () => {
    await agent();
    const { out } = await run([command], terminal());
    expect(out).toContain('\u001b[1m');
    // eslint's rule against control characters is for patterns that people write by accident.
    const plain = out.split('\u001b[').map((part, index) => (index === 0 ? part : part.replace(/^[\d;]*m/, '')));
    const long = plain
      .join('')
      .split('\n')
      .filter((line) => line.length > 60 && !line.includes('/etc/holdpoint'));
    expect(long).toEqual([]);
    expect((await run([command], terminal({ NO_COLOR: '1' }))).out).not.toContain('\u001b');
  });

  test('says that there is no agent, with a status of its own', async () => {
    for (const more of [[], ['--json']]) {
      const { status, out, err } = await run([command, ...more]);
      expect([status, out]).toEqual([EXIT.notRunning, '']);
      expect(err).toMatch(new RegExp(`^holdpoint ${command}: the agent is not running`));
    }
  });

  test('says that the answer is none', async () => {
    await agent(() => ['{"version":1}']);
    const { status, err } = await run([command]);
    expect([status, err]).toEqual([
      EXIT.failure,
      `holdpoint ${command}: the agent gave an answer that cannot be understood\n`,
    ]);
  });

  test('says that the agent is a newer one', async () => {
    await agent(() => ['{"version":2,"agentVersion":"9.1.0\\n"}']);
    const { status, err } = await run([command]);
    expect([status, err]).toEqual([
      EXIT.failure,
      `holdpoint ${command}: the agent is newer than this command (9.1.0): use the command of its version\n`,
    ]);
  });
});

describe('explain --at', () => {
  test('asks for another moment', async () => {
    const { asked } = await agent();
    const { status, out } = await run(['explain', '--at', '2026-07-24T02:30:00Z']);
    expect([status, asked]).toEqual([EXIT.ok, [Date.parse('2026-07-24T02:30:00Z') / 1000]]);
    expect(out).toMatch(/^At .* no gate would be closed: this host would reboot into\s42\.2\.\n/);
  });

  test('has nothing to say of a moment before this boot', async () => {
    const booted = NOW.wall - 3_600_000;
    const lastBoot = { version: '42.1', updated: true, at: new Date(booted).toISOString() };
    const report = { ...(JSON.parse(json(null)) as object), lastBoot };
    await agent(() => [JSON.stringify(report)]);
    const ask = (at: number): Promise<Ran> => run(['explain', '--at', new Date(at).toISOString()]);
    expect(await ask(booted - 1000)).toMatchObject({
      status: EXIT.usage,
      out: '',
      err: expect.stringMatching(
        /^holdpoint explain: --at: this host was booted at 20.*Z, and nothing is known/,
      ) as string,
    });
    expect(await ask(booted)).toMatchObject({ status: EXIT.ok, err: '' });
  });

  test('takes a duration from now', async () => {
    const { asked } = await agent();
    const before = Math.floor(Date.now() / 1000);
    await run(['explain', '--at=2h']);
    expect((asked[0] ?? 0) - 7_200).toBeGreaterThanOrEqual(before);
    expect((asked[0] ?? 0) - 7_200).toBeLessThanOrEqual(Date.now() / 1000);
  });

  test.each(['', 'soon', '25:00', '2026-13-01', '-2h'])('does not take "%s"', async (written) => {
    const { status, err } = await run(['explain', `--at=${written}`]);
    expect([status, err]).toEqual([EXIT.usage, expect.stringMatching(/--at: expected a moment/) as string]);
  });
});

describe('status --watch', () => {
  /** Runs until `done`, and then is told to end. */
  async function watch(io: TestIo, argv: readonly string[], done: () => void | Promise<void>): Promise<number> {
    const before = process.listenerCount('SIGINT');
    const running = dispatch([statusCommand], ['status', '--watch', ...argv], io);
    await vi.waitFor(() => expect(process.listenerCount('SIGINT')).toBeGreaterThan(before), { timeout: 10_000 });
    await done();
    process.emit('SIGINT');
    return running;
  }

  test('prints what changes, and ends with 0', async () => {
    let reason = 'first';
    const { changed } = await agent(() => [json(null).replaceAll('outside of the reboot windows', reason)]);
    const io = testIo(env());
    const status = await watch(io, [], async () => {
      await vi.waitFor(() => expect(io.out()).toContain('first'), { timeout: 10_000 });
      changed();
      await new Promise((resolve) => setTimeout(resolve, 200));
      reason = 'second';
      changed();
      await vi.waitFor(() => expect(io.out()).toContain('second'), { timeout: 10_000 });
    });
    expect([status, io.out().match(/first/g)?.length]).toEqual([EXIT.ok, 2]);
  });

  test('into a file prints nothing anew while only time passes', async () => {
    let calls = 0;
    // Alive: it is later each time, and the two clocks never agree to the millisecond.
    const { asked, changed } = await agent(() => {
      calls += 1;
      const at = { wall: NOW.wall + calls * 2_000 + (calls % 2 === 0 ? 5 : -5), mono: NOW.mono + calls * 2_000 };
      return [reportJson(state, at, originsFor(state.settings), null)];
    });
    for (const argv of [[], ['--json']]) {
      const io = testIo(env());
      const before = asked.length;
      await watch(io, argv, async () => {
        for (let count = 1; count <= 4; count += 1) {
          await vi.waitFor(() => expect(asked.length).toBeGreaterThanOrEqual(before + count), { timeout: 10_000 });
          changed();
        }
      });
      expect(io.out().match(/This host does not reboot/g), io.out()).toHaveLength(1);
    }
  });

  test('tells an agent that hangs, an older one and one that failed apart, as without --watch', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    let hangs = true;
    const { asked } = await agent(() => {
      if (hangs) return new Promise(() => undefined);
      throw new BusError('org.freedesktop.DBus.Error.UnknownMethod', 'no such method');
    });
    const [io, json] = [testIo(env()), testIo(env())];
    const until = async (shown: TestIo, pattern: RegExp, text: (io: TestIo) => string): Promise<void> => {
      while (!pattern.test(text(shown))) {
        await vi.advanceTimersByTimeAsync(asked.length === 0 ? 20 : 3_000);
        await new Promise(setImmediate);
      }
    };
    await watch(io, [], async () => {
      await until(io, /has not answered within 3 s: it hangs.*\. Asking again\.\n/, ({ out }) => out());
      hangs = false;
      await until(io, /The agent that is running does not know this: it is an older one/, ({ out }) => out());
    });
    expect(io.out().split('\n')).toHaveLength(3);
    await watch(json, ['--json'], () => until(json, /an older one/, ({ err }) => err()));
    expect(json.out()).toBe('');
  });

  test('waits for an agent that is not there', async () => {
    const io = testIo(env());
    const status = await watch(io, [], async () => {
      await vi.waitFor(() => expect(io.out()).toMatch(/^The agent is not running/), { timeout: 10_000 });
      await agent();
      await vi.waitFor(() => expect(io.out()).toContain('This host does not reboot'), { timeout: 10_000 });
    });
    expect(status).toBe(EXIT.ok);
  });

  test('draws over what was there on a terminal, and leaves it as it was', async () => {
    const { changed } = await agent();
    const io = terminal({ NO_COLOR: '1' }, 100);
    await watch(io, [], async () => {
      await vi.waitFor(() => expect(io.out()).toContain('does not reboot'), { timeout: 10_000 });
      changed();
      await vi.waitFor(() => expect(io.out().split('\u001b[H').length).toBeGreaterThan(2), { timeout: 10_000 });
    });
    expect(io.out()).toMatch(/^.\[\?1049h.\[\?25l.\[H/);
    expect(io.out().split('\u001b[?1049l')[1]).toMatch(/^This host does not reboot/);
    // A line that is as wide as the terminal would lose its last character to what clears the rest of it.
    expect(io.out()).not.toMatch(/[^H\n].\[K/);
    // No more lines at once than the terminal has.
    expect(io.out().split('\u001b[H')[1]?.split('\r\n').length).toBeLessThanOrEqual(12);
  });

  test('is an object on a line in JSON', async () => {
    await agent();
    const io = testIo(env());
    await watch(io, ['--json'], () => vi.waitFor(() => expect(io.out()).not.toBe(''), { timeout: 10_000 }));
    expect(io.out().trim().split('\n').map(readReport)).toHaveLength(1);
  });
});
