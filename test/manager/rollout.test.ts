import { describe, expect, test } from 'vitest';
import { policies, policyOf, startBench } from '../support/manager.ts';
import { randomFrom } from '../support/agent-world.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const DOWN_MS = 300_000;
const [WAIT_MS, AFTER_WAIT_MS] = [50_000, 1_000];

interface Fleet {
  readonly nodes: number;
  readonly slots: number;
}

/** What nodes ask: real or a mere counter. */
interface LockServer {
  readonly ask: (id: string) => Promise<boolean>;
  readonly giveBack: (id: string) => Promise<void>;
}

async function realServer({ slots }: Fleet, time: VirtualTime) {
  const rules = policies([policyOf('g', { slots: { kind: 'count', count: slots }, showHolders: false })]);
  return startBench(rules, { time });
}

/** Every node asks with patience, as this project's agent does; resolves with the makespan in ms. */
async function withWaiting(fleet: Fleet): Promise<number> {
  const time = new VirtualTime();
  const { service } = await realServer(fleet, time);
  const begun = time.now();
  let [done, down, mostDown] = [0, 0, 0];
  const signal = new AbortController().signal;
  const run = async (id: string): Promise<void> => {
    while (!(await service.lock({ id, group: 'g' }, { waitMs: WAIT_MS, signal })).ok) await pause(time, AFTER_WAIT_MS);
    down += 1;
    mostDown = Math.max(mostDown, down);
    await pause(time, DOWN_MS);
    down -= 1;
    await service.unlock({ id, group: 'g' });
    done += 1;
  };
  for (let node = 0; node < fleet.nodes; node += 1) void run(`node-${node}`);
  await time.until(() => done === fleet.nodes, 10 * (fleet.nodes / fleet.slots) * DOWN_MS);
  expect(mostDown).toBe(fleet.slots);
  await service.close();
  return time.now() - begun;
}

/** Every node asks each 300 to 330 s, as stock clients do. */
async function withPolling(fleet: Fleet, server: LockServer, time: VirtualTime, seed: number): Promise<number> {
  const random = randomFrom(seed);
  const begun = time.now();
  let done = 0;
  const run = async (id: string, first: number, intervals: () => number): Promise<void> => {
    await pause(time, first);
    while (!(await server.ask(id))) await pause(time, intervals());
    await pause(time, DOWN_MS);
    await server.giveBack(id);
    done += 1;
  };
  for (let node = 0; node < fleet.nodes; node += 1) {
    const own = randomFrom(seed * 10_007 + node);
    void run(`node-${node}`, Math.floor(random() * 300_000), () => 300_000 + Math.floor(own() * 30_000));
  }
  await time.until(() => done === fleet.nodes, 20 * (fleet.nodes / fleet.slots + 2) * DOWN_MS);
  return time.now() - begun;
}

function firstComeFirstServed({ slots }: Fleet): LockServer {
  let taken = 0;
  return {
    ask: () => Promise.resolve(taken < slots && (taken += 1) > 0),
    giveBack: () => {
      taken -= 1;
      return Promise.resolve();
    },
  };
}

function pause(time: VirtualTime, ms: number): Promise<void> {
  return new Promise((resolve) => void time.after(ms, resolve));
}

const FLEETS: readonly Fleet[] = [
  { nodes: 3, slots: 1 },
  { nodes: 10, slots: 1 },
  { nodes: 30, slots: 3 },
  { nodes: 100, slots: 10 },
  { nodes: 1000, slots: 50 },
];

describe('the efficiency of a rollout, N·R/S ÷ makespan', () => {
  test.each(FLEETS)(
    'with $nodes waiting clients and $slots slots is at least .98',
    { timeout: 60_000 },
    async (fleet) => {
      const makespan = await withWaiting(fleet);
      const efficiency = (fleet.nodes * DOWN_MS) / fleet.slots / makespan;
      expect(efficiency).toBeGreaterThanOrEqual(0.98);
      expect(efficiency).toBeLessThanOrEqual(1);
    },
  );

  test.each(FLEETS)(
    'with $nodes stock pollers and $slots slots is that of first come, first served',
    { timeout: 60_000 },
    async (fleet) => {
      const time = new VirtualTime();
      const { service } = await realServer(fleet, time);
      const signal = new AbortController().signal;
      const server: LockServer = {
        ask: async (id) => (await service.lock({ id, group: 'g' }, { waitMs: 0, signal })).ok,
        giveBack: async (id) => {
          await service.unlock({ id, group: 'g' });
        },
      };
      const ours = await withPolling(fleet, server, time, 7);
      await service.close();
      const baseline = await withPolling(fleet, firstComeFirstServed(fleet), new VirtualTime(), 7);
      expect(baseline / ours).toBeGreaterThanOrEqual(0.99);
    },
  );
});
