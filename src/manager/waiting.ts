import type { Answer, Refusal } from './answer.ts';
import type { LockRequest } from './batch.ts';
import type { Pending, Wait } from './pending.ts';
import type { Time } from './time.ts';

interface Group {
  readonly byId: Map<string, Pending>;
  /** When its window opens or closes, in ms since 1970; Infinity: never. */
  changesAt: number;
}

/** What those who wait need to know. */
export interface WaitingOptions {
  readonly time: Time;
  /** When the window of a group opens or closes; null: nobody knows, or never. */
  readonly changesAt: (group: string, now: number) => number | null;
  /** The time of a request is over, or nobody is there any more. It is to be ended. */
  readonly onOver: (pending: Pending) => void;
}

/** Requests that were refused and are held, to be decided on anew whenever something changes. One for each id. */
export class Waiting {
  readonly #groups = new Map<string, Group>();
  readonly #options: WaitingOptions;

  constructor(options: WaitingOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  /** Groups in which somebody waits. */
  groups(): readonly string[] {
    return [...this.#groups.keys()];
  }

  hasGroup(group: string): boolean {
    return this.#groups.has(group);
  }

  has(group: string, id: string): boolean {
    return this.#groups.get(group)?.byId.has(id) ?? false;
  }

  /** Who waits in a group. */
  of(group: string): readonly Pending[] {
    return [...(this.#groups.get(group)?.byId.values() ?? [])];
  }

  /** Keeps a request that was refused. */
  keep(pending: Pending, { group, id }: LockRequest, wait: Wait, refusal: Refusal): void {
    wait.refusal = refusal;
    const older = this.#groups.get(group)?.byId.get(id);
    // The same id asked again: who asked first has probably gone.
    if (older !== undefined) this.end(older, refusal);
    this.#groupOf(group).byId.set(id, pending);
    const over = (): void => this.#options.onOver(pending);
    const stopTimer = this.#options.time.after(wait.until - this.#options.time.now(), over);
    wait.signal.addEventListener('abort', over);
    wait.stop = () => {
      stopTimer();
      wait.signal.removeEventListener('abort', over);
    };
  }

  /** The last word to a request, whether it waits or not. */
  end(pending: Pending, answer: Answer): void {
    const { request, wait } = pending;
    pending.over = true;
    wait?.stop();
    if (request.kind === 'lock') this.#remove(pending, request);
    pending.settle(answer);
  }

  /** The next moment at which a window opens or closes for somebody who waits, in ms since 1970; Infinity: none. */
  next(): number {
    let next = Infinity;
    for (const { changesAt } of this.#groups.values()) next = Math.min(next, changesAt);
    return next;
  }

  /** Looks again when windows open and close: those whose moment has come, or (`all`) since nothing is as it was. */
  lookAgain(all: boolean): void {
    const now = this.#options.time.now();
    for (const [name, group] of this.#groups) {
      if (all || group.changesAt <= now) group.changesAt = this.#changesAt(name, now);
    }
  }

  #groupOf(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { byId: new Map(), changesAt: this.#changesAt(name, this.#options.time.now()) };
      this.#groups.set(name, group);
    }
    return group;
  }

  #changesAt(group: string, now: number): number {
    return this.#options.changesAt(group, now) ?? Infinity;
  }

  #remove(pending: Pending, { group, id }: LockRequest): void {
    const byId = this.#groups.get(group)?.byId;
    if (byId?.get(id) === pending) byId.delete(id);
    if (byId?.size === 0) this.#groups.delete(group);
  }
}
