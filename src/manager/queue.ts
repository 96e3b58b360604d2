import type { Pending } from './pending.ts';

/** Requests that are decided on together. */
const MOST_TOGETHER = 512;

/** What goes into one transaction. */
export interface Taken {
  readonly requests: readonly Pending[];
  /** Groups that were touched. */
  readonly touched: readonly string[];
  /** These, and those of the requests. */
  readonly groups: ReadonlySet<string>;
}

/** What is to be decided on: requests in order of arrival, and groups to look at although nobody asks. */
export class Queue {
  #requests: Pending[] = [];
  readonly #touched = new Set<string>();

  get isEmpty(): boolean {
    return this.#requests.length === 0 && this.#touched.size === 0;
  }

  add(pending: Pending): void {
    this.#requests.push(pending);
  }

  touch(groups: Iterable<string>): void {
    for (const group of groups) this.#touched.add(group);
  }

  /** Requests that nobody has taken yet. */
  requests(): readonly Pending[] {
    return this.#requests;
  }

  /** Forgets requests that have had their last word. */
  dropOver(): void {
    this.#requests = this.#requests.filter(({ over }) => !over);
  }

  /** As much as goes into one transaction, of at most so many groups. */
  take(mostGroups: number): Taken {
    const touched = [...this.#touched].slice(0, mostGroups);
    for (const group of touched) this.#touched.delete(group);
    const groups = new Set(touched);
    const [requests, left]: [Pending[], Pending[]] = [[], []];
    for (const pending of this.#requests) {
      const { group } = pending.request;
      const fits = requests.length < MOST_TOGETHER && (group === null || groups.has(group) || groups.size < mostGroups);
      (fits ? requests : left).push(pending);
      if (fits && group !== null) groups.add(group);
    }
    this.#requests = left;
    return { requests, touched, groups };
  }
}
