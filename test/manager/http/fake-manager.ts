import type { ClientParams } from '../../../src/fleetlock/protocol.ts';
import { type Answer, type Done, refuse } from '../../../src/manager/answer.ts';
import type { FleetStatus, LockOptions, Manager } from '../../../src/manager/api.ts';

/** A request that the fake manager has not answered yet. */
export interface Pending {
  readonly params: ClientParams;
  readonly options: LockOptions;
  answer(answer: Answer): void;
}

/** What of the manager listeners use, with answers from a test. */
export interface FakeManager extends Pick<Manager, 'lock' | 'unlock' | 'takeBack' | 'status' | 'readiness' | 'drain'> {
  /** `lock workers/node-1`, … in order, with what came of waits: `aborted …`, `taken back …`. */
  readonly calls: string[];
  /** Requests that wait, oldest first. */
  readonly pending: Pending[];
  /** The answer to every `lock` and `unlock`; null: they wait, unaborted, until the test answers. Or throws. */
  next: () => Answer | null;
  readonly state: { notReady: string | null; status: () => Promise<FleetStatus> };
  /** Settles when so many requests wait. */
  waiting(count: number): Promise<void>;
  /** Settles when something was called that begins so. */
  called(text: string): Promise<void>;
}

/** An answer without a refusal. */
export function done(outcome: Done['outcome']): Done {
  return { ok: true, outcome, text: '' };
}

/** A fleet without groups. */
export const EMPTY_STATUS: FleetStatus = {
  at: 1_800_000_000_000,
  store: { kind: 'embedded', warnings: [], oursOnly: [] },
  freeze: null,
  groups: [],
};

/** A manager that grants everything until it is told otherwise. */
export function fakeManager(): FakeManager {
  const looks = new Set<() => void>();
  const changed = (): void => {
    for (const look of looks) look();
  };
  const until = (isSo: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!isSo()) return;
        looks.delete(look);
        resolve();
      };
      looks.add(look);
      look();
    });
  const call = (text: string): void => {
    manager.calls.push(text);
    changed();
  };
  const wait = (params: ClientParams, options: LockOptions): Promise<Answer> =>
    new Promise((resolve) => {
      const entry: Pending = {
        params,
        options,
        answer: (answer) => {
          manager.pending.splice(manager.pending.indexOf(entry), 1);
          resolve(answer);
        },
      };
      if (options.waitMs > 0) options.signal.addEventListener('abort', () => call(`aborted ${params.id}`));
      manager.pending.push(entry);
      changed();
    });
  const manager: FakeManager = {
    calls: [],
    pending: [],
    next: () => done('granted'),
    state: { notReady: null, status: () => Promise.resolve(EMPTY_STATUS) },
    waiting: (count) => until(() => manager.pending.length >= count),
    called: (text) => until(() => manager.calls.some((one) => one.startsWith(text))),
    async lock(params, options) {
      call(`lock ${params.group}/${params.id}${options.waitMs === 0 ? '' : ` ${options.waitMs}`}`);
      return manager.next() ?? wait(params, options);
    },
    async unlock(params) {
      call(`unlock ${params.group}/${params.id}`);
      return manager.next() ?? wait(params, { waitMs: 0, signal: new AbortController().signal });
    },
    takeBack: ({ group, id }) => call(`taken back ${group}/${id}`),
    status: () => manager.state.status(),
    readiness: () => Promise.resolve(manager.state.notReady),
    drain: async () => {
      call('drain');
      for (const one of [...manager.pending]) one.answer(refuse('draining', 'this replica ends', 1500));
      await Promise.resolve();
    },
  };
  return manager;
}
