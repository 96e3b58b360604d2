import { describe, expect, test } from 'vitest';
import { type LockServer, startLockServer } from '../support/lock-server.ts';
import { type Simulated, simulate, smallGraph } from '../support/simulated.ts';

const [OLD, MID, NEW] = ['40.1.3.0', '41.2.3.0', '42.3.3.0'] as const;
/** What the host can get; the update server says less at first. */
const ALL = smallGraph(
  [OLD, MID, NEW],
  [
    [0, 1],
    [0, 2],
    [1, 2],
  ],
);
const FIRST = smallGraph([OLD, MID], [[0, 1]]);
const LIMIT = { timeout: 60_000 };

interface Context {
  readonly onTestFinished: (end: () => Promise<void>) => void;
}

interface Fleet {
  readonly locks: LockServer;
  readonly one: Simulated;
  /** Resolves when the lock server has seen these, in this order, since the last of them that was waited for. */
  readonly seen: (...entries: string[]) => Promise<void>;
}

/** A host whose agent waits for the slot, which somebody else holds, with MID staged. */
async function waitingHost({ onTestFinished }: Context): Promise<Fleet> {
  const locks = await startLockServer({ waits: true });
  onTestFinished(() => locks.close());
  locks.hold('default', 'somebody-else');
  const config = `updates.strategy = "fleet_lock"\nupdates.fleet_lock.base_url = "${locks.url}"\n`;
  const one = await simulate({ graph: ALL, from: OLD, config });
  onTestFinished(() => one.stop());
  one.server.setGraph(FIRST);
  let from = 0;
  const seen = async (...entries: string[]): Promise<void> => {
    for (const entry of entries) {
      while (!locks.log.slice(from).includes(entry)) await new Promise((resolve) => setTimeout(resolve, 20));
      from = locks.log.indexOf(entry, from) + 1;
    }
  };
  one.agent.start();
  await one.line((line) => line.state === 'releasing' && line.text.includes('waiting for a slot of group default'));
  await seen('steady-state 200', 'pre-reboot waits');
  return { locks, one, seen };
}

async function polls(one: Simulated, more: number): Promise<void> {
  const until = one.server.requests.length + more;
  while (one.server.requests.length < until) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function arrives(one: Simulated, version: string): Promise<void> {
  await one.machine.until(({ deployments }) => deployments.some((each) => each.booted && each.version === version));
  await one.line((each) => each.state === 'watching' && each.text.startsWith(`running ${version}`));
}

describe('an agent that waits for the slot of its fleet', () => {
  test.concurrent('goes on asking the graph, and reboots the moment the slot is free', LIMIT, async (context) => {
    const { locks, one, seen } = await waitingHost(context);
    await polls(one, 3);
    expect(locks.log).toEqual(['steady-state 200', 'pre-reboot waits']);
    locks.hold('default', null);
    await seen('pre-reboot 200');
    await arrives(one, MID);
    await seen('steady-state 200');
    expect(locks.log.filter((entry) => entry.startsWith('pre-reboot'))).toEqual(['pre-reboot waits', 'pre-reboot 200']);
  });

  test.concurrent('takes a newer release: it hangs up, gives back, stages, and asks anew', LIMIT, async (context) => {
    const { locks, one, seen } = await waitingHost(context);
    one.server.setGraph(ALL);
    await seen('pre-reboot gone', 'steady-state 200', 'pre-reboot waits');
    const staged = one.machine.state().deployments.find((each) => each.staged);
    expect(staged?.version).toBe(NEW);
    locks.hold('default', null);
    await arrives(one, NEW);
    await seen('pre-reboot 200', 'steady-state 200');
    expect(one.machine.state().bootCount).toBe(2);
  });

  test.concurrent('hangs up when it is told to stop, and gives back what it may hold', LIMIT, async (context) => {
    const { one, seen } = await waitingHost(context);
    await one.agent.stop();
    await seen('pre-reboot gone', 'steady-state 200');
    expect(one.memory()).toMatchObject({ slot: null, owed: [] });
  });
});
