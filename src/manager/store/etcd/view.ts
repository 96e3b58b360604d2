import { EMPTY_FLEET, type FleetDocument } from '../../document.ts';
import { parseFleet, parseHead } from '../codec.ts';
import { FIRST_HEAD, type Head } from '../layout.ts';
import type { FleetState } from '../store.ts';
import { readGroup, readValue } from './group.ts';
import { AIRLOCK_PREFIX, airlockKey, groupOfAirlockKey, groupOfOwnKey, type Keys } from './keys.ts';
import {
  all,
  type Compare,
  type Header,
  type KeyValue,
  one,
  type RangeAnswer,
  type RangeRequest,
  since,
  type TxnAnswer,
  writtenIn,
} from './messages.ts';
import type { WritePlan } from './plan.ts';
import { type FirstSeen, NOTHING_SEEN } from './reconcile.ts';

/** A document with the revision in which it was written; 0: there is no key for it. */
interface Versioned<T> {
  readonly document: T;
  readonly revision: number;
}

/**
 * All keys that matter to a decision, as they were last read or written, and the state that follows from them. It has no
 * clock and asks nobody: answers are put into it.
 */
export class View {
  readonly #keys: Keys;
  readonly #warn: (text: string) => void;
  /** Whatever there is below the two prefixes, by key, also what we make nothing of: only so can deletions be counted. */
  #found = { airlock: new Map<string, KeyValue>(), own: new Map<string, KeyValue>() };
  #firstSeen = new Map<string, FirstSeen>();
  #head: Versioned<Head> = { document: FIRST_HEAD, revision: 0 };
  #fleet: Versioned<FleetDocument> = { document: EMPTY_FLEET, revision: 0 };
  #header: Header = { cluster: '', revision: 0 };
  #state: FleetState = { groups: new Map(), fleet: EMPTY_FLEET };
  readonly #warned = new Set<string>();

  /** `warn` is told of keys that belong to nobody, once each. */
  constructor(keys: Keys, warn: (text: string) => void) {
    this.#keys = keys;
    this.#warn = warn;
  }

  get state(): FleetState {
    return this.#state;
  }

  get head(): Head {
    return this.#head.document;
  }

  /** Everything up to this revision of the store was read. */
  get revision(): number {
    return this.#header.revision;
  }

  /** airlock's value for a group as it was last seen, or null. */
  airlockValue(group: string): string | null {
    return this.#found.airlock.get(airlockKey(group))?.value ?? null;
  }

  /** True when an answer is of other data than the view: they were restored from a snapshot. */
  isForeign({ cluster, revision }: Header): boolean {
    return cluster !== this.#header.cluster || revision < this.#header.revision;
  }

  /** That head, fleet and these groups are as the view has them. */
  compares(groups: readonly string[]): readonly Compare[] {
    const { airlock, own } = this.#found;
    const { head, fleet } = this.#keys;
    const ofGroups = groups.flatMap((group) => {
      const [theirs, ours] = [airlockKey(group), this.#keys.group(group)];
      return [writtenIn(theirs, airlock.get(theirs)?.revision ?? 0), writtenIn(ours, own.get(ours)?.revision ?? 0)];
    });
    return [writtenIn(head, this.#head.revision), writtenIn(fleet, this.#fleet.revision), ...ofGroups];
  }

  /** What is to be read for `load`, in the order in which it takes the answers. */
  everything(): readonly RangeRequest[] {
    return [one(this.#keys.head), one(this.#keys.fleet), all(AIRLOCK_PREFIX), all(this.#keys.groups)];
  }

  /** What is to be read for `update`. */
  changes(): readonly RangeRequest[] {
    return this.everything().map((range) => since(this.revision + 1, range));
  }

  /**
   * Takes the answers to `everything`. `headless` is the head where there is no key for it. `now` in ms since 1970. Throws
   * a `StoreError` when head or fleet cannot be read.
   */
  load(answer: TxnAnswer, headless: Head, now: number): void {
    const [head, fleet, airlock, own] = fourOf(answer);
    const documents = this.#parse(head, fleet);
    this.#head = documents.head ?? { document: headless, revision: 0 };
    this.#fleet = documents.fleet ?? { document: EMPTY_FLEET, revision: 0 };
    this.#found = { airlock: byKey(airlock.keys), own: byKey(own.keys) };
    const names = this.#groupsOf([...airlock.keys, ...own.keys]);
    this.#firstSeen = new Map([...this.#firstSeen].filter(([name]) => names.has(name)));
    this.#header = answer;
    this.#state = this.#read(new Map(), names, now);
  }

  /**
   * Takes the answers to `changes`. False: they do not explain what has happened (something was deleted, or they are of
   * other data), and nothing was taken; then load everything. `now` in ms since 1970. Throws a `StoreError` when head or
   * fleet cannot be read.
   */
  update(answer: TxnAnswer, now: number): boolean {
    const [head, fleet, airlock, own] = fourOf(answer);
    const isGone = head.count < Math.sign(this.#head.revision) || fleet.count < Math.sign(this.#fleet.revision);
    const changed = [...airlock.keys, ...own.keys];
    const isNothing = changed.length + head.keys.length + fleet.keys.length === 0;
    if (this.isForeign(answer) || isGone || isNothing) return false;
    // Every key that is new has come with the answer. A count that does not fit means that others are gone.
    if (!isWhole(this.#found.airlock, airlock) || !isWhole(this.#found.own, own)) return false;
    const documents = this.#parse(head, fleet);
    this.#head = documents.head ?? this.#head;
    this.#fleet = documents.fleet ?? this.#fleet;
    const known = (key: string): KeyValue | undefined => this.#found.airlock.get(key) ?? this.#found.own.get(key);
    const news = changed.filter(({ key, revision }) => known(key)?.revision !== revision);
    for (const each of airlock.keys) this.#found.airlock.set(each.key, each);
    for (const each of own.keys) this.#found.own.set(each.key, each);
    this.#header = answer;
    this.#state = this.#read(this.#state.groups, this.#groupsOf(news), now);
    return true;
  }

  /** Takes what a transaction of ours has written, in this revision of the store. */
  written({ head, fleet, groups }: WritePlan, revision: number): void {
    this.#head = { document: head, revision };
    if (fleet !== null) this.#fleet = { document: fleet, revision };
    const entries = new Map(this.#state.groups);
    for (const [name, { document, own, airlock }] of groups) {
      this.#found.own.set(own.key, { ...own, revision });
      if (airlock !== null) this.#found.airlock.set(airlock.key, { ...airlock, revision });
      this.#firstSeen.delete(name);
      entries.set(name, { kind: 'good', document, found: [] });
    }
    this.#state = { groups: entries, fleet: this.#fleet.document };
  }

  #parse(
    head: RangeAnswer,
    fleet: RangeAnswer,
  ): { readonly head: Versioned<Head> | null; readonly fleet: Versioned<FleetDocument> | null } {
    return { head: versioned(head.keys[0], parseHead), fleet: versioned(fleet.keys[0], parseFleet) };
  }

  #read(before: FleetState['groups'], names: ReadonlySet<string>, now: number): FleetState {
    const groups = new Map(before);
    for (const name of names) {
      const airlock = this.#found.airlock.get(airlockKey(name));
      const own = this.#found.own.get(this.#keys.group(name));
      const { entry, firstSeen } = readGroup(name, airlock, own, this.#firstSeen.get(name) ?? NOTHING_SEEN, now);
      groups.set(name, entry);
      this.#firstSeen.set(name, firstSeen);
    }
    return { groups, fleet: this.#fleet.document };
  }

  #groupsOf(keys: readonly KeyValue[]): ReadonlySet<string> {
    const names = keys.map(({ key }) => {
      const name = key.startsWith(AIRLOCK_PREFIX) ? groupOfAirlockKey(key) : groupOfOwnKey(key, this.#keys);
      if (name === null) this.#warnOnce(key);
      return name;
    });
    return new Set(names.filter((name) => name !== null));
  }

  #warnOnce(key: string): void {
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#warn(`etcd has a key that belongs to no group and is ignored: ${JSON.stringify(key)}`);
  }
}

function versioned<T>(value: KeyValue | undefined, parse: (text: string) => T): Versioned<T> | null {
  return value === undefined ? null : { document: readValue(value, parse), revision: value.revision };
}

function byKey(values: readonly KeyValue[]): Map<string, KeyValue> {
  return new Map(values.map((each) => [each.key, each]));
}

function isWhole(known: ReadonlyMap<string, KeyValue>, { count, keys }: RangeAnswer): boolean {
  return known.size + keys.filter(({ key }) => !known.has(key)).length === count;
}

function fourOf({ ranges }: TxnAnswer): readonly [RangeAnswer, RangeAnswer, RangeAnswer, RangeAnswer] {
  const [head, fleet, airlock, own] = ranges;
  if (head === undefined || fleet === undefined || airlock === undefined || own === undefined) {
    throw new Error('the answer lacks what was to be read');
  }
  return [head, fleet, airlock, own];
}
