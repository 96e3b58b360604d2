import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Report, readReport } from '../../src/agent/report/report.ts';
import { type Host, MID, OLD, arrives, host, session, until } from '../support/holding.ts';
import { program } from '../support/simulated.ts';

const LIMIT = { timeout: 60_000 };
/** A Wednesday, shortly before a window. */
const BEFORE_ONE = Date.parse('2026-07-22T12:59:50Z');
const WINDOW =
  'updates.strategy = "periodic"\nupdates.periodic.window = [{ schedule = "0 13 * * *", length_minutes = 30 }]\n';
/** Milliseconds that a busy machine may take from the moment foreseen until the host goes down. */
const LATE_MS = 8_000;

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** A command of the bundled program, as a user of the host runs it. */
function run({ machine }: Host, ...argv: string[]): Promise<Ran> {
  const [file, ...args] = program(...argv);
  const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: machine.busAddress, TZ: 'Europe/Berlin' };
  return new Promise((resolve) => {
    const child = execFile(file, args, { env }, (_, out, err) => resolve({ status: child.exitCode ?? -1, out, err }));
  });
}

async function explained(one: Host): Promise<Report> {
  const { status, out, err } = await run(one, 'explain', '--json');
  expect([status, err]).toEqual([0, '']);
  return readReport(out);
}

/** Reports until one foresees a reboot that is at least `ms` away. */
async function foreseen(one: Host, ms: number): Promise<Report & { readonly reboot: { readonly at: number } }> {
  for (;;) {
    const report = await explained(one);
    const { reboot } = report;
    if (reboot !== null && reboot.at !== null && reboot.at - report.now >= ms) {
      return { ...report, reboot: { ...reboot, at: reboot.at } };
    }
    await delay(50);
  }
}

/** The host goes down at the moment that was foreseen: no earlier, and soon after. */
async function expectDown(one: Host, at: number): Promise<void> {
  await arrives(one);
  const [down = 0] = one.downs;
  expect(down).toBeGreaterThanOrEqual(at);
  expect(down).toBeLessThanOrEqual(at + LATE_MS);
}

describe('the agent acts at the moment that explain has foreseen:', () => {
  test.concurrent('when a window opens', LIMIT, async (context) => {
    const one = await host(context, { config: WINDOW, wall: BEFORE_ONE });
    one.agent.start();
    await one.line(/is staged; waiting: outside of the reboot windows/);
    await one.line(/^on the bus as/);
    const { reboot, gates, answer, target } = await foreseen(one, 1);
    expect(new Date(reboot.at).toISOString()).toBe('2026-07-22T13:00:00.000Z');
    expect(answer).toBe(
      'This host does not reboot because it is outside of the reboot windows; it will at about 2026-07-22T13:00:00Z.',
    );
    expect(target).toMatchObject({ version: MID, staged: true, locked: true });
    const window = gates.find(({ gate }) => gate === 'window');
    expect(window).toMatchObject({ verdict: 'closed', opensAt: reboot.at });
    expect(window?.from.find(({ key }) => key === 'updates.periodic.window')?.set).toEqual([
      expect.stringMatching(/\/[^/]+\.toml:\d+$/) as string,
    ]);
    await expectDown(one, reboot.at);
  });

  test.concurrent('when people have had their time and their last notice', LIMIT, async (context) => {
    const config = 'updates.sessions.grace_secs = 6\nupdates.sessions.final_notice_secs = 2\n';
    const one = await host(context, { config });
    one.machine.setSessions([session()]);
    one.agent.start();
    await one.line(/they are given time to finish/);
    await one.line(/^on the bus as/);
    const { reboot, next } = await foreseen(one, 2_500);
    expect(next).toMatchObject({ kind: 'gate', at: reboot.at - 2_000 });
    await expectDown(one, reboot.at);
  });

  test.concurrent('when the lock manager that has refused is asked again', LIMIT, async (context) => {
    const one = await host(context, { lock: true });
    one.locks.hold('default', 'another');
    one.agent.start();
    await one.line(/is staged; waiting: the lock manager refused/);
    await one.line(/^on the bus as/);
    // From now on a refusal counts for longer.
    one.reconfigure('', 10);
    const { reboot, gates } = await foreseen(one, 4_000);
    expect(gates.at(-1)).toMatchObject({ gate: 'slot', verdict: 'closed', lookAgain: reboot.at });
    expect(reboot.provided).toEqual(['the lock manager grants a slot of group default']);
    one.locks.hold('default', null);
    await expectDown(one, reboot.at);
  });
});

/** `status --watch` goes on over the death of the agent, until it is told to end. */
async function watched(one: Host): Promise<void> {
  const [file, ...args] = program('status', '--watch');
  const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: one.machine.busAddress };
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  const ended = once(child, 'exit');
  const answers = (): number => out.split('This host does not reboot because it is up for less').length - 1;
  await until(() => answers() === 1);
  await one.agent.kill();
  await until(() => out.includes('The agent is not running'));
  one.agent.start();
  await until(() => answers() > 1);
  child.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
  await one.agent.kill();
}

test('explain and status speak of another moment, follow a reload, and need an agent', LIMIT, async (context) => {
  const one = await host(context, { config: WINDOW, wall: BEFORE_ONE - 3_600_000 });
  one.agent.start();
  await one.line(/is staged; waiting: outside of the reboot windows/);
  await one.line(/^on the bus as/);
  const open = await run(one, 'explain', '--at', '2026-07-22T15:10');
  expect(open.status).toBe(0);
  expect(open.out).toMatch(
    /^At 15:10 \+02:00 \(in .*\) no gate would be closed: this host would\sreboot into 41\.2\.3\.0\.$/m,
  );
  const status = await run(one, 'status');
  expect([status.status, status.out]).toEqual([0, expect.stringMatching(/^Closed {5}window {2}outside of/m) as string]);
  one.reconfigure('updates.min_uptime_secs = 3600\n');
  await one.line(/is staged; waiting: this host is up for less than/);
  const { gates } = await explained(one);
  expect(gates.find(({ gate }) => gate === 'uptime')?.from[0]).toMatchObject({ value: '3600' });
  expect(gates.find(({ gate }) => gate === 'uptime')?.from[0]?.set).toHaveLength(1);
  expect(one.booted()).toBe(OLD);
  await watched(one);
  for (const command of ['status', 'explain']) {
    const { status: exit, out, err } = await run(one, command);
    expect([exit, out]).toEqual([4, '']);
    expect(err).toMatch(/the agent is not running/);
  }
});
