import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { startLockServer } from '../support/lock-server.ts';
import { type Simulated, simulate, smallGraph } from '../support/simulated.ts';

const [OLD, MID, NEW] = ['40.1.3.0', '41.2.3.0', '42.3.3.0'] as const;
const LIMIT = { timeout: 90_000 };
/** More effects than one way through has: the last runs are those without a crash. */
const BOUNDARIES = upTo(42);
/** Without a lock there are fewer. */
const WITHOUT_LOCK = upTo(30);
/** Where boots are missed, more, in rounds that are alike: every third does, from the first finalize on. */
const WITH_MISSED_BOOTS = upTo(99).filter((index) => index > 12 && index % 3 === 2);

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

interface Context {
  readonly onTestFinished: (end: () => Promise<void>) => void;
}

interface Outcome {
  readonly one: Simulated;
  readonly crashed: boolean;
  /** Who held the slot each time that the host went down. */
  readonly heldAtReboot: readonly (string | undefined)[];
}

interface Way {
  readonly graph: string;
  readonly to: string;
  /** Whether a lock manager is asked. Default true. */
  readonly lock?: boolean;
  /** Sets faults. */
  readonly prepare?: (one: Simulated) => void;
}

/** Lets a host go from OLD to `to` while its agent is killed just before one of its effects, and started again. */
async function crashAt(
  boundary: number,
  { onTestFinished }: Context,
  { graph, to, lock = true, prepare }: Way,
): Promise<Outcome> {
  const locks = await startLockServer();
  onTestFinished(() => locks.close());
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-kill-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const budget = join(folder, 'effects-left');
  writeFileSync(budget, String(boundary));
  let restart: () => void = () => undefined;
  const one: Simulated = await simulate({
    graph,
    from: OLD,
    config: lock ? `updates.strategy = "fleet_lock"\nupdates.fleet_lock.base_url = "${locks.url}"\n` : '',
    command: [process.execPath, join(inject('bundle'), 'crashing-agent.js')],
    env: { EFFECTS_LEFT: budget },
    onDeath: () => restart(),
  });
  onTestFinished(() => one.stop());
  // What systemd does with Restart=on-failure.
  restart = () => one.agent.start();
  const heldAtReboot: (string | undefined)[] = [];
  one.machine.onShutdown(() => void heldAtReboot.push(locks.holders.get('default')));
  prepare?.(one);
  one.agent.start();
  await one.machine.until(({ deployments }) => deployments.some((each) => each.booted && each.version === to));
  await one.line((line) => line.state === 'watching' && line.text.startsWith(`running ${to}`));
  while (locks.holders.size > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  return { one, crashed: readFileSync(budget, 'utf8') === '-1', heldAtReboot };
}

describe('killed before any effect, the agent goes on where it was', () => {
  test.concurrent.for(BOUNDARIES)('%i', LIMIT, async (boundary, context) => {
    const graph = smallGraph([OLD, MID], [[0, 1]]);
    const { one, crashed, heldAtReboot } = await crashAt(boundary, context, { graph, to: MID });
    if (boundary === BOUNDARIES.at(-1)) expect(crashed, 'a way through has more effects than are tried').toBe(false);
    // One reboot, with the slot held: nothing was finalized without consent, nor a slot given back under way.
    expect(heldAtReboot).toHaveLength(1);
    expect(heldAtReboot).not.toContain(undefined);
    expect(one.machine.state().bootCount).toBe(2);
  });
});

test.concurrent(
  'killed while a finalize is under way, the agent neither gives up nor lets go',
  LIMIT,
  async (context) => {
    const locks = await startLockServer();
    context.onTestFinished(() => locks.close());
    const config = `updates.strategy = "fleet_lock"\nupdates.fleet_lock.base_url = "${locks.url}"\n`;
    const one = await simulate({ graph: smallGraph([OLD, MID], [[0, 1]]), from: OLD, config });
    context.onTestFinished(() => one.stop());
    one.machine.setFault('hang', { method: 'FinalizeDeployment', at: 'start', times: 1 });
    one.agent.start();
    await one.line((line) => line.state === 'rebooting');
    await one.agent.kill();
    const before = locks.log.length;
    one.agent.start();
    await one.nextLine((line) => line.state === 'rebooting');
    expect(locks.holders.size).toBe(1);
    while (!(await one.machine.cancelTransaction())) await new Promise((resolve) => setTimeout(resolve, 50));
    await one.machine.until(({ deployments }) => deployments.some((each) => each.booted && each.version === MID));
    await one.line((line) => line.state === 'watching' && line.text.startsWith(`running ${MID}`));
    while (locks.holders.size > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(locks.log.slice(before)).not.toContain('pre-reboot 409');
    expect(one.machine.state().bootCount).toBe(2);
  },
);

describe('killed before any effect, an agent without a lock manager goes on where it was', () => {
  test.concurrent.for(WITHOUT_LOCK)('%i', LIMIT, async (boundary, context) => {
    const graph = smallGraph([OLD, MID], [[0, 1]]);
    const { one, crashed } = await crashAt(boundary, context, { graph, to: MID, lock: false });
    if (boundary === WITHOUT_LOCK.at(-1)) expect(crashed, 'a way through has more effects than are tried').toBe(false);
    expect(one.machine.state().bootCount).toBe(2);
  });
});

/** From OLD to either of two. */
const FORK = smallGraph(
  [OLD, MID, NEW],
  [
    [0, 1],
    [0, 2],
  ],
);

describe('killed before any effect, the agent forgets no quarantine', () => {
  test.concurrent.for(BOUNDARIES)('%i', LIMIT, async (boundary, context) => {
    const { one } = await crashAt(boundary, context, {
      graph: FORK,
      to: MID,
      prepare: ({ machine }) => machine.setFault('wrongStaged', { stream: 'testing', times: 3 }),
    });
    expect(one.memory()['quarantine']).toMatchObject([{ version: NEW }]);
  });
});

describe('killed before any effect, the agent forgets no boot that was missed', () => {
  // One may go uncounted: nobody knows of a finalize whether it was acknowledged when the agent was killed in it.
  const prepare = ({ machine }: Simulated): void => machine.setFault('finalizeLost', { as: 'discarded', times: 3 });

  test.concurrent.for(WITH_MISSED_BOOTS)('%i', LIMIT, async (boundary, context) => {
    const { one, crashed, heldAtReboot } = await crashAt(boundary, context, { graph: FORK, to: MID, prepare });
    expect(one.memory()['quarantine']).toMatchObject([{ version: NEW }]);
    expect(heldAtReboot).not.toContain(undefined);
    // Three boots that were missed, then the one that was not.
    expect(one.machine.state().bootCount).toBe(5);
    if (boundary === WITH_MISSED_BOOTS.at(-1)) expect(crashed, 'more effects than are tried').toBe(false);
  });
});
