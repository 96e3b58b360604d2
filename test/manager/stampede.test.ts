// A fleet that asks at the same instant. airlock loses almost all of it: 64 steady-states after a power cut are 63 errors.
import { expect, onTestFinished, test } from 'vitest';
import type { Operation } from '../../src/fleetlock/protocol.ts';
import { startEtcd } from '../support/etcd.ts';
import { LockNode, type Reply } from '../support/lock-node.ts';
import { type ManagerProcess, startManager } from '../support/manager-process.ts';

const NODES = 512;
const LIMIT = { timeout: 60_000 };

async function manager(slots: number, etcd?: readonly string[]): Promise<ManagerProcess> {
  const config = `[[lock.groups]]\nname = "g"\nslots = ${slots}\n`;
  const process = await startManager({ config, ...(etcd === undefined ? {} : { etcd }) });
  onTestFinished(() => process.remove());
  return process;
}

async function replicas(count: number, slots: number): Promise<readonly ManagerProcess[]> {
  const etcd = await startEtcd();
  onTestFinished(() => etcd.stop());
  return Promise.all(Array.from({ length: count }, () => manager(slots, etcd.endpoints)));
}

/** A fleet whose nodes ask one of the managers each, always the same. */
class Fleet {
  readonly #managers: readonly ManagerProcess[];
  readonly #nodes: readonly LockNode[];

  constructor(managers: readonly ManagerProcess[]) {
    this.#managers = managers;
    // Ids as real ones are: their order is not that in which they ask.
    const id = (index: number): string => ((index * 7919) % 65_537).toString(16).padStart(32, '0');
    this.#nodes = Array.from({ length: NODES }, (_, index) => new LockNode(id(index), 'g'));
    onTestFinished(() => {
      for (const node of this.#nodes) node.close();
    });
  }

  /** Each node asks for these things, one after another; all begin at once. Answers by operation. */
  async ask(...operations: readonly Operation[]): Promise<readonly (readonly Reply[])[]> {
    const answers = await Promise.all(
      this.#nodes.map(async (node, index) => {
        const port = this.#managers[index % this.#managers.length]?.port ?? 0;
        const replies: Reply[] = [];
        for (const operation of operations) replies.push(await node.ask(port, operation));
        return replies;
      }),
    );
    return operations.map((_, turn) => answers.map((replies) => replies[turn]!));
  }

  /** The ids of the nodes that were answered 200, sorted. */
  granted(replies: readonly Reply[]): readonly string[] {
    return this.#nodes.filter((_, index) => replies[index]?.status === 200).map(({ id }) => id);
  }
}

/** How many were answered what: `{ '200 ': 8, '409 slots_full': 504 }`. */
function counted(replies: readonly Reply[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status, kind } of replies) counts[`${status} ${kind}`] = (counts[`${status} ${kind}`] ?? 0) + 1;
  return counts;
}

/** Lets 512 nodes report steady and ask for one of 8 slots; whoever gets one gives it back. */
async function stampede(managers: readonly ManagerProcess[]): Promise<void> {
  const slots = 8;
  const fleet = new Fleet(managers);
  const [steady = [], asked = []] = await fleet.ask('steady-state', 'pre-reboot');
  expect(counted(steady)).toEqual({ '200 ': NODES });
  expect(counted(asked)).toEqual({ '200 ': slots, '409 slots_full': NODES - slots });
  const holders = fleet.granted(asked).toSorted();
  for (const each of managers) expect(await each.holders('g')).toEqual(holders);
  // All again: who holds is confirmed although nothing is free.
  const [again = []] = await fleet.ask('pre-reboot');
  expect(fleet.granted(again).toSorted()).toEqual(holders);
  const [back = []] = await fleet.ask('steady-state');
  expect(counted(back)).toEqual({ '200 ': NODES });
  for (const each of managers) expect(await each.holders('g')).toEqual([]);
  // What was not held, refused or confirmed left no trace.
  const records = (await managers[0]!.history()).filter(({ id }) => id !== null);
  expect(records.map(({ action }) => action).toSorted()).toEqual([
    ...Array.from({ length: slots }, () => 'granted'),
    ...Array.from({ length: slots }, () => 'released'),
  ]);
}

/** Lets 512 nodes take a slot and give it back, all at once, when there are slots for all of them. */
async function everybodyGets(managers: readonly ManagerProcess[]): Promise<void> {
  const fleet = new Fleet(managers);
  const [asked = []] = await fleet.ask('pre-reboot');
  expect(counted(asked)).toEqual({ '200 ': NODES });
  for (const each of managers) expect(await each.holders('g')).toEqual(fleet.granted(asked).toSorted());
  const [back = []] = await fleet.ask('steady-state');
  expect(counted(back)).toEqual({ '200 ': NODES });
  for (const each of managers) expect(await each.holders('g')).toEqual([]);
}

test('512 nodes at once are answered right, with the embedded store', LIMIT, async () => {
  await stampede([await manager(8)]);
});

test('512 nodes at once are answered right, with etcd', LIMIT, async () => {
  await stampede(await replicas(1, 8));
});

test('512 nodes at once are answered right by three replicas on one etcd', LIMIT, async () => {
  await stampede(await replicas(3, 8));
});

test('512 nodes at once all get a slot when there are as many, with the embedded store', LIMIT, async () => {
  await everybodyGets([await manager(NODES)]);
});

test('512 nodes at once all get a slot when there are as many, by three replicas on one etcd', LIMIT, async () => {
  await everybodyGets(await replicas(3, NODES));
});
