import { setTimeout } from 'node:timers/promises';
import type { AuditRecord } from '../../src/manager/document.ts';
import { LockNode } from './lock-node.ts';

/** How nodes put load on managers. */
export interface LockLoadOptions {
  readonly group: string;
  readonly slots: number;
  readonly nodes: number;
  /** Ports of managers; a node goes on to the next one when one does not answer. */
  readonly ports: readonly number[];
  /** Every other node lets its request wait for a slot. */
  readonly waits: boolean;
}

/** The longest that a node holds its slot, and pauses before it asks again, in ms. */
const [MOST_HOLD_MS, MOST_PAUSE_MS] = [20, 10];

/**
 * Nodes that take a slot, hold it for a moment, and give it back, over and over, whatever becomes of the managers; and
 * what they have seen. A node is sure of its slot from the answer 200 until it sends steady-state.
 */
export class LockLoad {
  /** What must not be, in words. */
  readonly violations: string[] = [];
  /** Requests without a whole answer. */
  lost = 0;
  readonly #options: LockLoadOptions;
  /** Who is sure of a slot; the object stands for one time of holding. */
  readonly #sure = new Map<string, object>();
  /** How often each node was sure of a slot. */
  readonly #times = new Map<string, number>();
  readonly #running: Promise<void>[];
  #stopping = false;

  constructor(options: LockLoadOptions) {
    this.#options = options;
    this.#running = Array.from({ length: options.nodes }, (_, index) => this.#live(index));
  }

  /** How often a slot was granted and the grant heard of. */
  get grants(): number {
    return [...this.#times.values()].reduce((sum, times) => sum + times, 0);
  }

  /** Whoever was sure of a slot before `holders` was asked for, and still is, must be among them. */
  async checkHolders(holders: () => Promise<readonly string[]>): Promise<void> {
    const before = new Map(this.#sure);
    const found = new Set(await holders());
    for (const [id, time] of before) {
      if (this.#sure.get(id) === time && !found.has(id)) this.violations.push(`the grant of ${id} is lost`);
    }
    const { slots } = this.#options;
    if (found.size > slots) this.violations.push(`${found.size} holders of ${slots} slots`);
  }

  /** Lets every node finish what it is about. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  /** Compares what was recorded with what the nodes have seen, once all have given their slots back. */
  checkHistory(records: readonly AuditRecord[]): void {
    if (records.some(({ number }, index) => number !== index + 1)) this.violations.push('a gap in the audit');
    for (const [id, times] of this.#times) this.#checkRecords(id, times, records);
    checkSlots(records, this.#options.slots, this.violations);
  }

  #checkRecords(id: string, times: number, records: readonly AuditRecord[]): void {
    const actions = records.filter((record) => record.id === id).map(({ action }) => action);
    // A confirmation changes no holder. A grant that was taken back was never heard of.
    const changes = actions.filter((action) => action !== 'confirmed').join(' ');
    const whole = /^(?:granted (?:released|taken-back) ?)*$/.test(changes);
    const released = actions.filter((action) => action === 'released').length;
    if (!whole || released !== times) this.violations.push(`${id} had ${times} slots; on record: ${changes}`);
  }

  async #live(index: number): Promise<void> {
    const { group, ports, waits } = this.#options;
    const node = new LockNode(`node-${index}`, group);
    const headers: Record<string, string> = waits && index % 2 === 1 ? { prefer: 'wait=1' } : {};
    let turn = index;
    const insist = async (operation: 'pre-reboot' | 'steady-state'): Promise<boolean> => {
      for (;;) {
        const port = ports[turn % ports.length] ?? 0;
        const reply = await node.ask(port, operation, { headers }).catch(() => null);
        if (reply?.status === 200) return true;
        if (reply === null) this.lost += 1;
        if (reply === null || reply.status === 503) turn += 1;
        // One that was not told of a grant may have one, and must give it back.
        if (this.#stopping && operation === 'pre-reboot') return false;
        await setTimeout(Math.random() * MOST_PAUSE_MS);
      }
    };
    while (!this.#stopping) {
      if (await insist('pre-reboot')) await this.#hold(node.id);
      await insist('steady-state');
    }
    node.close();
  }

  async #hold(id: string): Promise<void> {
    this.#sure.set(id, {});
    this.#times.set(id, (this.#times.get(id) ?? 0) + 1);
    const { slots } = this.#options;
    if (this.#sure.size > slots) this.violations.push(`${this.#sure.size} nodes are sure of ${slots} slots`);
    await setTimeout(Math.random() * MOST_HOLD_MS);
    this.#sure.delete(id);
  }
}

/** At no moment of the audit more holders than slots. */
function checkSlots(records: readonly AuditRecord[], slots: number, violations: string[]): void {
  const holders = new Set<string>();
  for (const { action, id, number } of records) {
    if (id === null) continue;
    if (action === 'granted') holders.add(id);
    else if (action !== 'confirmed') holders.delete(id);
    if (holders.size > slots) violations.push(`record ${number} makes ${holders.size} holders of ${slots} slots`);
  }
}
