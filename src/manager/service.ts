import type { ClientParams } from '../fleetlock/protocol.ts';
import { type Answer, refuse, type Refusal } from './answer.ts';
import type { FleetStatus, LockOptions, Manager, Order } from './api.ts';
import { type Batch, decideTogether, type LockRequest, type Request, type World } from './batch.ts';
import { type AuditDraft, type AuditRecord, type Freeze, holderOf, inForce } from './document.ts';
import type { GroupPolicy } from './policy.ts';
import { Presence } from './presence.ts';
import { nextSoakEnd } from './semaphore.ts';
import { statusOf } from './status.ts';
import { type Change, type HistoryQuery, type Store, StoreError } from './store/store.ts';

/** Time as the service lives in it; simulations pass their own. */
export interface Time {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Calls back once after some milliseconds; returns the way to stop. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

/** What the configuration says, and may say anew at any time. */
export interface Policies {
  /** Null: there is no such group. `exists`: the store has a document of it. Asking makes none. */
  readonly of: (group: string, exists: boolean) => GroupPolicy | null;
  /** What a group would be that there is not; null: it may not be made beside so many others. */
  readonly onDemand: (group: string, others: number) => GroupPolicy | null;
  /** Groups with a table of their own, and the default group. */
  readonly configured: () => readonly string[];
  /** What window and gate of a group say at a moment; null: both are open. */
  readonly closed: (group: string, now: number) => Refusal | null;
  /** When that may be different, in ms since 1970; null: nobody knows, or never. */
  readonly changesAt: (group: string, now: number) => number | null;
  /** Makes sure that `closed` rests on what is current; null: it does. Never rejects. */
  readonly prepare: (group: string) => Promise<void> | null;
}

/** What is told of what happens, for logs and metrics. */
export interface Witness {
  /** A change was written. */
  readonly changed: (audit: readonly AuditDraft[]) => void;
  readonly decided: (group: string, operation: 'pre-reboot' | 'steady-state', answer: Answer) => void;
  readonly stored: (operation: 'refresh' | 'commit', ms: number) => void;
  readonly storeFailed: (error: StoreError, since: number) => void;
  readonly storeRecovered: (since: number) => void;
}

/** What the service is made of. */
export interface ServiceParts {
  readonly store: Store;
  readonly storeKind: FleetStatus['store']['kind'];
  readonly time: Time;
  readonly policies: Policies;
  readonly witness: Witness;
  /** Milliseconds within which a request gets its decision. */
  readonly decisionMs: number;
}

interface Pending {
  request: Request;
  /** Milliseconds since 1970 after which the store's silence is answered for. */
  readonly deadline: number;
  readonly settle: (answer: Answer) => void;
  /** It has had its last word: what is decided for it now reaches nobody. */
  over: boolean;
  /** For a request that may wait: until when, and whether anybody is there. */
  readonly wait: Wait | null;
}

interface Wait {
  readonly until: number;
  readonly signal: AbortSignal;
  stop: () => void;
}

/** Requests that are decided on together. */
const MOST_TOGETHER = 512;
const [FIRST_RETRY_MS, LONGEST_RETRY_MS] = [20, 500];
/** What a request is told that has waited in vain: ask again at once. */
const WAITED_RETRY_MS = 1_000;
/** Milliseconds after which waiting requests are looked at again although nothing was heard: other replicas, gates. */
const LOOK_AGAIN_MS = 5_000;
const NOTES_MS = 60_000;

/**
 * The one who reads, decides and writes. Everything that has arrived meanwhile is decided on together and written in
 * one transaction; a lost comparison means deciding anew from what is there now.
 */
export class Service implements Manager {
  readonly #parts: ServiceParts;
  #queue: Pending[] = [];
  readonly #waiting = new Map<string, Map<string, Pending>>();
  readonly #touched = new Set<string>();
  readonly #presences = new Map<string, Presence>();
  readonly #heldOpen = new Map<string, number>();
  readonly #stops = new Set<() => void>();
  #working: Promise<void> | null = null;
  #notes: Promise<void> = Promise.resolve();
  #looking = false;
  #draining = false;
  #closed = false;
  #failingSince: number | null = null;
  #stopWake: () => void = () => undefined;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  /** Takes over the configuration, reads what was noted of sights, and begins to look after time. */
  async start(): Promise<void> {
    const { store } = this.#parts;
    await store.refresh([]);
    await Promise.all(this.#groupNames().map((group) => this.#recall(group)));
    await this.reconfigured();
    this.#stops.add(store.watch(() => void this.#lookElsewhere()));
    this.#every(NOTES_MS, () => {
      this.#notes = this.#keepNotes();
      void this.#configure(isPercentage);
    });
    this.#every(LOOK_AGAIN_MS, () => void this.#lookAgain());
    this.#wakeLater();
  }

  /** The configuration may say something new: slot counts that changed are written. */
  async reconfigured(): Promise<readonly Answer[]> {
    const answers = await this.#configure(() => true);
    this.#touchWaited();
    return answers;
  }

  /** Writes the slot counts of some groups, where they differ from what the configuration says. */
  #configure(which: (policy: GroupPolicy) => boolean): Promise<readonly Answer[]> {
    const { store, policies } = this.#parts;
    const groups = [...store.state.groups.keys()].filter((group) => {
      const policy = policies.of(group, true);
      return policy !== null && which(policy);
    });
    return Promise.all(groups.map((group) => this.#ask({ kind: 'configure', group })));
  }

  async lock(params: ClientParams, { waitMs, signal }: LockOptions): Promise<Answer> {
    await this.#prepare(params);
    const now = this.#now();
    const presence = this.#presence(params.group);
    const since = presence?.waitingSince(params.id, now) ?? now;
    const request: LockRequest = { kind: 'lock', ...params, actor: NODE, since, waited: false };
    const answer = await this.#ask(request, waitMs > 0 ? { until: now + waitMs, signal, stop: noop } : null);
    this.#hear(params, answer);
    this.#parts.witness.decided(params.group, 'pre-reboot', answer);
    return answer;
  }

  async unlock(params: ClientParams): Promise<Answer> {
    const answer = await this.#ask({ kind: 'unlock', ...params, actor: NODE });
    this.#hear(params, answer);
    this.#parts.witness.decided(params.group, 'steady-state', answer);
    return answer;
  }

  takeBack({ id, group }: ClientParams): void {
    void this.#ask({ kind: 'takeBack', id, group });
  }

  async lockByHand({ id, group }: ClientParams, order: Order): Promise<Answer> {
    await this.#prepare({ id, group });
    return this.#ask({ kind: 'lock', id, group, actor: admin(order), since: this.#now(), waited: false });
  }

  unlockByHand({ id, group }: ClientParams, order: Order & { readonly force: boolean }): Promise<Answer> {
    return this.#ask({ kind: order.force ? 'force' : 'unlock', id, group, actor: admin(order) });
  }

  resize(group: string, slots: number, order: Order): Promise<Answer> {
    return this.#ask({ kind: 'resize', group, slots, actor: admin(order) });
  }

  freeze(group: string | null, until: number | null, order: Order): Promise<Answer> {
    const freeze = { since: this.#now(), until, ...admin(order) };
    return this.#ask(group === null ? { kind: 'freezeFleet', group, freeze } : { kind: 'freeze', group, freeze });
  }

  thaw(group: string | null, order: Order): Promise<Answer> {
    const actor = admin(order);
    return this.#ask(group === null ? { kind: 'thawFleet', group, actor } : { kind: 'thaw', group, actor });
  }

  async status(): Promise<FleetStatus> {
    await this.#idle(() => this.#refreshAll(this.#groupNames()));
    const { warnings } = await this.#parts.store.health();
    return this.peek(warnings);
  }

  /** The status as far as it is known here, without asking the store. */
  peek(warnings: readonly string[] = []): FleetStatus {
    const { store, storeKind, policies } = this.#parts;
    return statusOf(store.state, {
      now: this.#now(),
      store: { kind: storeKind, warnings },
      policies,
      presence: (group) => this.#presences.get(group) ?? null,
      connected: (group, id) => this.#waiting.get(group)?.has(id) ?? false,
    });
  }

  /** Whether there is a group, in the configuration or in the store. */
  isGroup(name: string): boolean {
    const { store, policies } = this.#parts;
    return policies.of(name, store.state.groups.has(name)) !== null;
  }

  history(query: HistoryQuery): Promise<readonly AuditRecord[]> {
    return this.#parts.store.history(query);
  }

  async readiness(): Promise<string | null> {
    if (this.#draining) return 'the lock manager is about to stop';
    return (await this.#parts.store.health()).problem;
  }

  async drain(): Promise<void> {
    this.#draining = true;
    for (const group of this.#waiting.values()) {
      for (const pending of group.values()) this.#giveUp(pending, refuse('draining', STOPPING, 5_000));
    }
    while (this.#working !== null) await this.#working;
    await this.#notes;
    await this.#keepNotes();
  }

  /** Ends all timers; resolves when nothing is under way. The store is the caller's to close. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWake();
    for (const stop of this.#stops) stop();
    while (this.#working !== null) await this.#working;
    await this.#notes;
  }

  #now(): number {
    return this.#parts.time.now();
  }

  #ask(request: Request, wait: Wait | null = null): Promise<Answer> {
    return new Promise((settle) => {
      this.#queue.push({ request, deadline: this.#now() + this.#parts.decisionMs, settle, over: false, wait });
      this.#work();
    });
  }

  /** Works through what has arrived, unless that is being done already. */
  #work(): void {
    if (this.#working !== null || this.#closed) return;
    // What arrives in the same turn of the event loop belongs to the same transaction.
    this.#working = nextTurn()
      .then(() => this.#workThrough())
      .finally(() => {
        this.#working = null;
        if (this.#queue.length > 0 || this.#touched.size > 0) this.#work();
        else this.#wakeLater();
      });
  }

  async #workThrough(): Promise<void> {
    while (this.#queue.length > 0 || this.#touched.size > 0) await this.#decide(this.#nextBatch());
  }

  /** As many requests as go into one transaction, in order of arrival, with those that wait in the same groups. */
  #nextBatch(): readonly Pending[] {
    const { mostGroups } = this.#parts.store;
    if (this.#queue.some(({ request }) => request.group === null)) this.#touchWaited();
    const groups = new Set([...this.#touched].slice(0, mostGroups));
    for (const group of groups) this.#touched.delete(group);
    const woken = [...groups];
    const [batch, left]: [Pending[], Pending[]] = [[], []];
    for (const pending of this.#queue) {
      const { group } = pending.request;
      const fits = batch.length < MOST_TOGETHER && (group === null || groups.has(group) || groups.size < mostGroups);
      (fits ? batch : left).push(pending);
      if (fits && group !== null) groups.add(group);
    }
    this.#queue = left;
    for (const group of woken) batch.push(this.#silent({ kind: 'settle', group }));
    for (const group of groups) batch.push(...(this.#waiting.get(group)?.values() ?? []));
    return batch;
  }

  #silent(request: Request): Pending {
    return { request, deadline: this.#now() + this.#parts.decisionMs, settle: noop, over: false, wait: null };
  }

  /** Decides on a batch until what was decided is written, or its time is over. */
  async #decide(given: readonly Pending[]): Promise<void> {
    let batch = given;
    let failures = 0;
    for (;;) {
      batch = this.#withoutOverdue(batch);
      // Who waits, and what time alone brings about, is looked at again soon; others must not wait behind them.
      if (failures > 0 && batch.every(isPatient)) return;
      const requests = batch.map(({ request }) => request);
      const decided = decideTogether(this.#parts.store.state, requests, this.#world());
      try {
        if (await this.#write(decided, batch)) {
          this.#recovered();
          this.#settle(batch, decided);
          return;
        }
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        if (error.kind === 'too-large' && batch.length > 1) {
          await this.#decideInHalves(batch);
          return;
        }
        this.#failed(error);
        await this.#pause(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures));
        failures += 1;
        await this.#parts.store.refresh([]).catch(noop);
      }
    }
  }

  async #decideInHalves(batch: readonly Pending[]): Promise<void> {
    const middle = batch.length >>> 1;
    await this.#decide(batch.slice(0, middle));
    await this.#decide(batch.slice(middle));
  }

  /** True when the decisions stand: they are written, or nothing is to be written and the state was current. */
  async #write({ change }: Batch, batch: readonly Pending[]): Promise<boolean> {
    const { store, witness, time } = this.#parts;
    const groups = [...new Set(batch.flatMap(({ request }) => request.group ?? []))];
    const begun = time.now();
    if (change === null) {
      const before = store.state;
      await store.refresh(groups);
      witness.stored('refresh', time.now() - begun);
      return store.state === before;
    }
    const outcome = await store.commit(change, groups);
    witness.stored('commit', time.now() - begun);
    if (outcome === 'committed') this.#written(change);
    return outcome === 'committed';
  }

  #written({ audit, groups, fleet }: Change): void {
    this.#parts.witness.changed(audit);
    if (fleet !== undefined) this.#touchWaited();
    for (const group of groups.keys())
      if (this.#waiting.has(group) && audit.some(opens(group))) this.#touched.add(group);
  }

  #settle(batch: readonly Pending[], { answers, heldOpen }: Batch): void {
    for (const [group, since] of heldOpen) {
      if (since === null) this.#heldOpen.delete(group);
      else this.#heldOpen.set(group, since);
    }
    batch.forEach((pending, index) => {
      const answer = answers[index] ?? null;
      if (answer !== null) this.#answer(pending, answer);
    });
  }

  #answer(pending: Pending, answer: Answer): void {
    const { wait, request } = pending;
    if (wait === null || request.kind !== 'lock') {
      pending.settle(answer);
      return;
    }
    // While this was being written its time ran out, or nobody is there any more.
    if (answer.ok && request.waited && (pending.over || wait.signal.aborted)) this.takeBack(request);
    const isLast = this.#draining || wait.until <= this.#now() || wait.signal.aborted;
    if (answer.ok || !canWait(answer) || isLast) this.#giveUp(pending, answer);
    else this.#waitOn(pending, request, wait, answer);
  }

  /** Keeps a refused request, to be decided on anew whenever something changes. */
  #waitOn(pending: Pending, request: LockRequest, wait: Wait, answer: Refusal): void {
    const { group, id } = request;
    this.#presence(group)?.refused(id, this.#now());
    const waiting = this.#waiting.get(group) ?? new Map<string, Pending>();
    const older = waiting.get(id);
    // The same id asked again: who asked first has probably gone.
    if (older !== undefined) this.#giveUp(older, answer);
    waiting.set(id, pending);
    this.#waiting.set(group, waiting);
    pending.request = { ...request, waited: true };
    const end = (): void => this.#giveUp(pending, { ...answer, retryAfterMs: WAITED_RETRY_MS });
    const stopTimer = this.#parts.time.after(wait.until - this.#now(), end);
    wait.signal.addEventListener('abort', end);
    wait.stop = () => {
      stopTimer();
      wait.signal.removeEventListener('abort', end);
    };
    this.#wakeLater();
  }

  /** The last word to a request, whether it waits or not. */
  #giveUp(pending: Pending, answer: Answer): void {
    const { request, wait } = pending;
    pending.over = true;
    wait?.stop();
    if (request.kind === 'lock') {
      const waiting = this.#waiting.get(request.group);
      if (waiting?.get(request.id) === pending) waiting.delete(request.id);
      if (waiting?.size === 0) this.#waiting.delete(request.group);
    }
    pending.settle(answer);
  }

  #withoutOverdue(batch: readonly Pending[]): readonly Pending[] {
    const now = this.#now();
    return batch.filter((pending) => {
      if (pending.request.kind === 'lock' && pending.request.waited) return !pending.over;
      if (pending.deadline > now) return true;
      pending.settle(this.#failingSince === null ? CONFLICT : UNAVAILABLE);
      return false;
    });
  }

  #world(): World {
    const { policies } = this.#parts;
    const now = this.#now();
    let groups: number | null = null;
    return {
      now,
      draining: this.#draining,
      policy: policies.of,
      onDemand: (group, made) => policies.onDemand(group, (groups ??= this.#groupNames().length) + made),
      closed: (group) => policies.closed(group, now),
      seen: (group) => this.#presences.get(group)?.count(now) ?? 0,
      waiters: (group) => {
        const connected = this.#waiting.get(group);
        return this.#presences.get(group)?.waiters(now, (id) => connected?.has(id) ?? false) ?? [];
      },
      heldOpen: (group) => this.#heldOpen.get(group) ?? null,
    };
  }

  #hear({ id, group }: ClientParams, answer: Answer): void {
    if (!answer.ok && !canWait(answer)) return;
    const presence = this.#presence(group);
    if (answer.ok) presence?.heard(id, this.#now());
    else presence?.refused(id, this.#now());
  }

  /** Asks what a new grant depends on beside the store; a holder, as far as is known here, needs none. */
  #prepare({ id, group }: ClientParams): Promise<void> | null {
    const entry = this.#parts.store.state.groups.get(group);
    const holds = entry?.kind === 'good' && holderOf(entry.document, id) !== undefined;
    return holds ? null : this.#parts.policies.prepare(group);
  }

  /** Null for a group that there is not: whoever asks for such must not fill the memory. */
  #presence(group: string): Presence | null {
    const known = this.#presences.get(group);
    if (known !== undefined) return known;
    if (!this.isGroup(group)) return null;
    const presence = new Presence();
    this.#presences.set(group, presence);
    return presence;
  }

  /** Groups in which somebody waits are looked at again. */
  #touchWaited(): void {
    for (const group of this.#waiting.keys()) this.#touched.add(group);
    if (this.#touched.size > 0) this.#work();
  }

  /** Nothing was heard, but other replicas, windows and gates may have changed something. */
  async #lookAgain(): Promise<void> {
    for (const group of this.#waiting.keys()) await (this.#parts.policies.prepare(group) ?? Promise.resolve());
    this.#touchWaited();
  }

  /** Somebody else wrote something: it is read as soon as nothing else is under way, once for all who say so meanwhile. */
  async #lookElsewhere(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      await this.#idle(() => {
        this.#looking = false;
        return this.#refreshAll(this.#groupNames());
      });
      this.#wake();
    } catch (error) {
      if (error instanceof StoreError) this.#failed(error);
      else throw error;
    } finally {
      this.#looking = false;
    }
  }

  /** Groups of the configuration, and those that the store has besides. */
  #groupNames(): readonly string[] {
    const { store, policies } = this.#parts;
    return [...new Set([...store.state.groups.keys(), ...policies.configured()])];
  }

  /** Wakes at the next moment at which time alone changes something. */
  #wakeLater(): void {
    this.#stopWake();
    const { store, policies, time } = this.#parts;
    const now = this.#now();
    let next = freezeEnd(store.state.fleet, now);
    for (const [group, entry] of store.state.groups) {
      if (entry.kind === 'corrupt') continue;
      next = Math.min(next, nextSoakEnd(entry.document) ?? Infinity, freezeEnd(entry.document, now));
      if (entry.found.length > 0) next = now;
      if (this.#waiting.has(group)) next = Math.min(next, policies.changesAt(group, now) ?? Infinity);
    }
    if (!Number.isFinite(next) || this.#closed) return;
    const soonest = this.#failingSince === null ? 0 : LOOK_AGAIN_MS;
    this.#stopWake = time.after(Math.min(Math.max(next - now, soonest), LONGEST_TIMER_MS), () => this.#wake());
  }

  #wake(): void {
    const now = this.#now();
    for (const [group, entry] of this.#parts.store.state.groups) {
      if (entry.kind === 'corrupt') continue;
      if ((nextSoakEnd(entry.document) ?? Infinity) <= now || entry.found.length > 0) this.#touched.add(group);
    }
    this.#touchWaited();
    this.#work();
  }

  async #recall(group: string): Promise<void> {
    const text = await this.#parts.store.readNote(`seen/${group}`);
    if (text !== null) this.#presence(group)?.merge(text);
  }

  /** Sights are written at most once a minute, and merged with what other replicas wrote. */
  async #keepNotes(): Promise<void> {
    for (const [group, presence] of this.#presences) {
      if (!presence.dirty) continue;
      try {
        await this.#recall(group);
        await this.#parts.store.writeNote(`seen/${group}`, presence.dump(this.#now()));
      } catch (error) {
        if (error instanceof StoreError) this.#failed(error);
        else throw error;
      }
    }
  }

  #failed(error: StoreError): void {
    this.#failingSince ??= this.#now();
    this.#parts.witness.storeFailed(error, this.#failingSince);
  }

  #recovered(): void {
    if (this.#failingSince === null) return;
    this.#parts.witness.storeRecovered(this.#failingSince);
    this.#failingSince = null;
  }

  async #refreshAll(names: readonly string[]): Promise<void> {
    const { store } = this.#parts;
    for (let from = 0; from === 0 || from < names.length; from += store.mostGroups) {
      await store.refresh(names.slice(from, from + store.mostGroups));
    }
  }

  /** Runs something that needs the store for itself. */
  async #idle<T>(run: () => Promise<T>): Promise<T> {
    while (this.#working !== null) await this.#working;
    const running = run();
    this.#working = running.then(noop, noop).finally(() => {
      this.#working = null;
      if (this.#queue.length > 0 || this.#touched.size > 0) this.#work();
    });
    return running;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.time.after(ms, resolve));
  }

  #every(ms: number, run: () => void): void {
    let stop: () => void = noop;
    const next = (): void => {
      stop = this.#parts.time.after(ms, () => {
        run();
        if (!this.#closed) next();
      });
    };
    next();
    this.#stops.add(() => stop());
  }
}

const NODE = { by: 'node', reason: '' };
const STOPPING = 'the lock manager is about to stop';
const CONFLICT = refuse('conflict', 'too many changed the same at the same time; ask again', 1_000);
const UNAVAILABLE = refuse(
  'store_unavailable',
  'the store of the lock manager does not answer; nobody knows whether this was done',
  5_000,
);
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Refusals that pass by themselves, so that waiting makes sense. */
const PASSING: ReadonlySet<string> = new Set([
  'slots_full',
  'frozen',
  'outside_window',
  'not_your_turn',
  'halted',
  'blocked',
]);

function canWait(answer: Answer): boolean {
  return !answer.ok && PASSING.has(answer.kind);
}

/** Nobody is kept from an answer when it is put off. */
function isPatient({ request, settle }: Pending): boolean {
  return settle === noop || (request.kind === 'lock' && request.waited);
}

/** Whether a change may let somebody of a group in who waits. */
function opens(group: string): (draft: AuditDraft) => boolean {
  return (draft) => draft.group === group && draft.action !== 'granted' && draft.action !== 'confirmed';
}

/** Its number of slots changes with the fleet. */
function isPercentage({ slots }: GroupPolicy): boolean {
  return slots.kind === 'percent';
}

/** When a freeze that is in force ends by itself; Infinity: there is none that does. */
function freezeEnd({ freeze }: { readonly freeze: Freeze | null }, now: number): number {
  return inForce(freeze, now)?.until ?? Infinity;
}

function admin({ by, reason }: Order): { by: string; reason: string } {
  return { by: `admin:${by}`, reason };
}

function noop(): void {
  // Nothing to do.
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
