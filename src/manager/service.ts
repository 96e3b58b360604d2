import type { ClientParams } from '../fleetlock/protocol.ts';
import { type Answer, refuse, type Refusal } from './answer.ts';
import type { FleetStatus, LockOptions, Manager, Order } from './api.ts';
import { type Batch, decideTogether, type LockRequest, type Request, type World } from './batch.ts';
import { type AuditDraft, type AuditRecord, holderOf } from './document.ts';
import { Notes } from './notes.ts';
import { Overview } from './overview.ts';
import { isGone, isInDoubt, isWaiting, noteDoubt, type Pending, type Wait } from './pending.ts';
import type { GroupPolicy } from './policy.ts';
import { Sights } from './sights.ts';
import { statusOf } from './status.ts';
import { type Change, type HistoryQuery, type Store, StoreError } from './store/store.ts';
import { Alarm, every, type Time } from './time.ts';
import { Waiting } from './waiting.ts';

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
  /** Requests cannot be decided at the moment; the words of the store, which are for operators. */
  readonly notReady: (problem: string) => void;
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

/** Requests that are decided on together. */
const MOST_TOGETHER = 512;
const [FIRST_RETRY_MS, LONGEST_RETRY_MS] = [20, 500];
/** What a request is told that has waited in vain: ask again at once. */
const WAITED_RETRY_MS = 1_000;
/** Milliseconds after which waiting requests are looked at again although nothing was heard: other replicas, gates. */
const LOOK_AGAIN_MS = 5_000;
const NOTES_MS = 60_000;
/** Milliseconds between two looks at how long requests have been there; the longest, and parts of the time they have. */
const [LONGEST_LOOK_MS, LOOKS] = [250, 20];

/**
 * The one who reads, decides and writes. Everything that has arrived meanwhile is decided on together and written in
 * one transaction; a lost comparison means deciding anew from what is there now.
 */
export class Service implements Manager {
  readonly #parts: ServiceParts;
  #queue: Pending[] = [];
  /** What is being decided on. */
  #deciding: readonly Pending[] = [];
  /** What needs the store for itself. */
  #errands: (() => Promise<void>)[] = [];
  readonly #waiting: Waiting;
  readonly #touched = new Set<string>();
  readonly #sights: Sights;
  readonly #notes: Notes;
  readonly #overview: Overview;
  readonly #heldOpen = new Map<string, number>();
  /** Ids whose grants are to be taken back as soon as the store can. */
  readonly #unwanted = new Set<string>();
  readonly #observers = new Set<(isFreeze: boolean) => void>();
  readonly #alarm: Alarm;
  readonly #stops = new Set<() => void>();
  #working: Promise<void> | null = null;
  /** The look at all groups that was begun last, and the one that has not begun. */
  #look: Promise<void> = Promise.resolve();
  #nextLook: Promise<void> | null = null;
  #wakesAfterLook = false;
  /** When it was looked last whether time has changed anything. */
  #lookedAt: number;
  #draining = false;
  #closed = false;
  #failingSince: number | null = null;
  /** What is being decided on was decided before, and somebody else wrote first. */
  #contended = false;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
    const { store, time, policies } = parts;
    this.#waiting = new Waiting({
      time,
      changesAt: policies.changesAt,
      onOver: (pending) => this.#giveUp(pending, { ...(pending.wait?.refusal ?? GONE), retryAfterMs: WAITED_RETRY_MS }),
    });
    this.#sights = new Sights((group, id) => this.#waiting.has(group, id) || this.#holds(group, id));
    const onFailure = (error: StoreError): void => this.#failed(error);
    this.#notes = new Notes({ store, sights: this.#sights, now: time.now, onFailure });
    this.#overview = new Overview((group) => policies.of(group, true)?.rules.staleAfterMs ?? Infinity);
    this.#alarm = new Alarm(time, () => this.#wake());
    this.#lookedAt = time.now();
  }

  /** Takes over the configuration, reads what was noted of sights, and begins to look after time. */
  async start(): Promise<void> {
    const { store, time } = this.#parts;
    await store.refresh([]);
    await Promise.all(this.#groupNames().map((group) => this.#notes.recall(group)));
    await this.reconfigured();
    this.#touchSoaking();
    this.#stops.add(store.watch(() => this.#lookElsewhere()));
    this.#stops.add(
      every(time, NOTES_MS, () => {
        void this.#notes.keep();
        void this.#configure(isPercentage);
      }),
    );
    this.#stops.add(every(time, LOOK_AGAIN_MS, () => void this.#lookAgain()));
    this.#work();
  }

  /** The configuration may say something new: slot counts that changed are written. */
  async reconfigured(): Promise<readonly Answer[]> {
    const answers = await this.#configure(() => true);
    this.#overview.lookAgain(this.#now());
    this.#waiting.lookAgain(true);
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
    const { group, id } = params;
    this.#unwanted.delete(nameOf(params));
    const begun = this.#now();
    await this.#prepare(params);
    const since = this.#sights.of(group)?.waitingSince(id, begun) ?? begun;
    const request: LockRequest = { kind: 'lock', ...params, actor: NODE, since, waited: waitMs > 0 };
    const wait = waitMs > 0 ? { until: begun + waitMs, signal, refusal: null, stop: noop } : null;
    const answer = await this.#ask(request, wait);
    this.#hear(params, answer);
    this.#parts.witness.decided(group, 'pre-reboot', answer);
    return answer;
  }

  async unlock(params: ClientParams): Promise<Answer> {
    this.#unwanted.delete(nameOf(params));
    const answer = await this.#ask({ kind: 'unlock', ...params, actor: NODE });
    this.#hear(params, answer);
    this.#parts.witness.decided(params.group, 'steady-state', answer);
    return answer;
  }

  takeBack({ id, group }: ClientParams): void {
    this.#unwanted.add(nameOf({ id, group }));
    void this.#takeBack({ id, group });
  }

  /** Asks until it is decided, or the id was heard of. */
  async #takeBack(params: ClientParams): Promise<void> {
    while (!this.#closed && this.#unwanted.has(nameOf(params))) {
      const answer = await this.#ask({ kind: 'takeBack', id: params.id, group: params.group });
      if (answer.ok || !UNDECIDED.has(answer.kind)) this.#unwanted.delete(nameOf(params));
      else await this.#pause(TAKE_BACK_MS);
    }
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
    await this.#lookAtAll();
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
      sights: this.#sights,
      connected: (group, id) => this.#waiting.has(group, id),
    });
  }

  /**
   * Calls back when something has changed that `peek` shows, by whomever, or has come about with time: holders, freezes.
   * `isFreeze`: a freeze began, changed or was lifted. Returns the way to stop.
   */
  observe(observer: (isFreeze: boolean) => void): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
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
    const { problem } = await this.#parts.store.health();
    if (problem === null) return null;
    // Who asks may be anybody, and the problem may name servers and files.
    this.#parts.witness.notReady(problem);
    return 'the store of the lock manager does not answer';
  }

  async drain(): Promise<void> {
    this.#draining = true;
    for (const group of this.#waiting.groups()) {
      for (const pending of this.#waiting.of(group)) this.#giveUp(pending, refuse('draining', STOPPING, 5_000));
    }
    while (this.#working !== null) await this.#working;
    await this.#notes.keep();
  }

  /** Ends all timers; resolves when nothing is under way. The store is the caller's to close. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#alarm.clear();
    for (const stop of this.#stops) stop();
    while (this.#working !== null) await this.#working;
    await this.#notes.idle();
  }

  #now(): number {
    return this.#parts.time.now();
  }

  #ask(request: Request, wait: Wait | null = null): Promise<Answer> {
    return new Promise((settle) => {
      this.#queue.push(this.#pending(request, settle, wait));
      this.#work();
    });
  }

  #pending(request: Request, settle: (answer: Answer) => void, wait: Wait | null): Pending {
    const looksLeft = Math.floor(this.#parts.decisionMs / this.#lookMs());
    return { request, settle, over: false, looksLeft, wait };
  }

  /** Works through what has arrived, unless that is being done already. */
  #work(): void {
    if (this.#working !== null || this.#closed) return;
    const stopLooking = every(this.#parts.time, this.#lookMs(), () => this.#answerLate());
    // What arrives in the same turn of the event loop belongs to the same transaction.
    this.#working = nextTurn()
      .then(() => this.#workThrough())
      .finally(() => {
        stopLooking();
        this.#working = null;
        if (this.#hasWork()) this.#work();
        else this.#wakeLater();
      });
  }

  #hasWork(): boolean {
    return this.#queue.length > 0 || this.#touched.size > 0 || this.#errands.length > 0;
  }

  /** One batch, then whoever needs the store for himself, by turns: neither can keep the other waiting. */
  async #workThrough(): Promise<void> {
    while (this.#hasWork()) {
      if (this.#queue.length > 0 || this.#touched.size > 0) {
        this.#deciding = this.#nextBatch();
        this.#contended = false;
        await this.#decide(this.#deciding);
        this.#deciding = [];
      }
      for (const errand of this.#errands.splice(0)) await errand();
    }
  }

  #lookMs(): number {
    return Math.min(LONGEST_LOOK_MS, this.#parts.decisionMs / LOOKS);
  }

  /** Answers for the silence of the store. Looks are counted, since the clock may be set. */
  #answerLate(): void {
    for (const pending of [...this.#deciding, ...this.#queue]) {
      if (pending.over || isWaiting(pending)) continue;
      pending.looksLeft -= 1;
      if (pending.looksLeft > 0) continue;
      this.#giveUp(pending, this.#contended && this.#failingSince === null ? CONFLICT : UNAVAILABLE);
    }
    this.#queue = this.#queue.filter(({ over }) => !over);
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
    for (const group of groups) batch.push(...this.#waiting.of(group));
    return batch;
  }

  #silent(request: Request): Pending {
    return this.#pending(request, noop, null);
  }

  /** Decides on a batch until what was decided is written, or its time is over. */
  async #decide(given: readonly Pending[]): Promise<void> {
    let batch = given;
    let failures = 0;
    for (;;) {
      batch = this.#wanted(batch);
      // Who waits, and what time alone brings about, is looked at again soon; others must not wait behind them.
      if (failures > 0 && batch.every(isPatient)) return;
      const requests = batch.map(({ request }) => request);
      const world = this.#world();
      const decided = decideTogether(this.#parts.store.state, requests, world);
      try {
        if (await this.#write(decided, batch)) {
          this.#recovered();
          this.#settle(batch, decided);
          return;
        }
        this.#contended = true;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        if (error.kind === 'too-large' && batch.length > 1) {
          await this.#decideInHalves(batch);
          return;
        }
        if (error.kind === 'ambiguous') noteDoubt(batch, world.now);
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
      if (this.#waiting.hasGroup(group) && audit.some(opens(group))) this.#touched.add(group);
  }

  #settle(batch: readonly Pending[], { answers, heldOpen }: Batch): void {
    for (const [group, since] of heldOpen) {
      if (since === null) this.#heldOpen.delete(group);
      else this.#heldOpen.set(group, since);
    }
    batch.forEach((pending, index) => {
      const answer = answers[index];
      if (answer !== undefined) this.#answer(pending, answer);
    });
  }

  #answer(pending: Pending, answer: Answer): void {
    const { wait, request } = pending;
    if (wait === null || request.kind !== 'lock') {
      pending.settle(answer);
      return;
    }
    if (isWaiting(pending) && !pending.over && canWait(answer)) {
      wait.refusal = answer;
      return;
    }
    // While this was being written its time ran out, or nobody is there any more.
    const isLate = pending.over || isGone(pending);
    if (answer.ok && isLate) this.takeBack(request);
    const isLast = this.#draining || isLate || wait.until <= this.#now();
    if (answer.ok || !canWait(answer) || isLast) {
      this.#waiting.end(pending, answer);
      return;
    }
    this.#heardRefused(request);
    this.#waiting.keep(pending, request, wait, answer);
  }

  /** Ends a request that was not granted as far as is known here. What may have been granted all the same is taken back. */
  #giveUp(pending: Pending, answer: Answer): void {
    const { request } = pending;
    this.#waiting.end(pending, answer);
    if (isInDoubt(pending) && request.kind === 'lock') this.takeBack(request);
  }

  /** Without those who have had their last word, or are not there to hear it. */
  #wanted(batch: readonly Pending[]): readonly Pending[] {
    return batch.filter((pending) => {
      // Of those who wait it is heard when they go.
      const isWanted = !pending.over && (isWaiting(pending) || !isGone(pending));
      if (!isWanted) this.#giveUp(pending, GONE);
      return isWanted;
    });
  }

  #world(): World {
    const { policies } = this.#parts;
    const now = this.#now();
    let groups: number | null = null;
    this.#notice(now);
    return {
      now,
      draining: this.#draining,
      policy: policies.of,
      onDemand: (group, made) => policies.onDemand(group, (groups ??= this.#groupNames().length) + made),
      closed: (group) => policies.closed(group, now),
      seen: (group) => this.#sights.count(group, now),
      waiters: (group) => this.#sights.waiters(group, now, (id) => this.#waiting.has(group, id)),
      lastKnown: (group) => this.#overview.lastKnown(group),
      heldOpen: (group) => this.#heldOpenSince(group, now),
    };
  }

  /** Since when a slot is held open. The clock may have gone back since: then the time begins again. */
  #heldOpenSince(group: string, now: number): number | null {
    const since = this.#heldOpen.get(group) ?? null;
    if (since !== null && since > now) this.#heldOpen.set(group, now);
    return since === null ? null : Math.min(since, now);
  }

  #hear({ id, group }: ClientParams, answer: Answer): void {
    if (answer.ok && this.isGroup(group)) this.#sights.heard(group, id, this.#now());
    else if (canWait(answer)) this.#heardRefused({ id, group });
  }

  #heardRefused({ id, group }: ClientParams): void {
    // Whoever asks for groups that there are not must not fill the memory.
    if (this.isGroup(group)) this.#sights.refused(group, id, this.#now());
  }

  /** Asks what a new grant depends on beside the store; a holder, as far as is known here, needs none. */
  #prepare({ id, group }: ClientParams): Promise<void> | null {
    return this.#holds(group, id) ? null : this.#parts.policies.prepare(group);
  }

  #holds(group: string, id: string): boolean {
    const entry = this.#parts.store.state.groups.get(group);
    return entry?.kind === 'good' && holderOf(entry.document, id) !== undefined;
  }

  /** Groups in which somebody waits are looked at again. */
  #touchWaited(): void {
    for (const group of this.#waiting.groups()) this.#touched.add(group);
    if (this.#touched.size > 0) this.#work();
  }

  #touchSoaking(): void {
    this.#notice(this.#now());
    for (const group of this.#overview.soaking()) this.#touched.add(group);
  }

  /** Nothing was heard, but other replicas, windows, gates and the clock may have changed something. */
  async #lookAgain(): Promise<void> {
    const now = this.#now();
    if (now < this.#lookedAt) {
      this.#overview.lookAgain(now);
      this.#waiting.lookAgain(true);
      this.#touchSoaking();
    }
    this.#lookedAt = now;
    await Promise.all(this.#waiting.groups().flatMap((group) => this.#parts.policies.prepare(group) ?? []));
    // The time until it rings was reckoned by a clock that may have been set since.
    this.#alarm.clear();
    this.#wake();
  }

  /** Somebody else wrote something: it is read, once for all who say so meanwhile. */
  #lookElsewhere(): void {
    this.#wakesAfterLook = true;
    if (this.#nextLook !== null) return;
    this.#lookAtAll().catch((error: unknown) => {
      if (error instanceof StoreError) this.#failed(error);
      else throw error;
    });
  }

  /** Reads what is new of all groups. Whoever asks before it begins shares it. Rejects with a `StoreError`. */
  #lookAtAll(): Promise<void> {
    if (this.#nextLook !== null) return this.#nextLook;
    const look = this.#look.then(noop, noop).then(async () => {
      this.#nextLook = null;
      const wakes = this.#wakesAfterLook;
      this.#wakesAfterLook = false;
      const { store } = this.#parts;
      const names = this.#groupNames();
      for (let from = 0; from === 0 || from < names.length; from += store.mostGroups) {
        await this.#alone(() => store.refresh(names.slice(from, from + store.mostGroups)));
      }
      if (wakes) this.#wake();
    });
    this.#nextLook = look;
    this.#look = look;
    return look;
  }

  /** Groups of the configuration, and those that the store has besides. */
  #groupNames(): readonly string[] {
    const { store, policies } = this.#parts;
    return [...new Set([...store.state.groups.keys(), ...policies.configured()])];
  }

  /** Wakes at the next moment at which time alone changes something. */
  #wakeLater(): void {
    if (this.#closed) return;
    const now = this.#now();
    this.#notice(now);
    const soonest = this.#failingSince === null ? 0 : LOOK_AGAIN_MS;
    this.#alarm.set(Math.min(this.#overview.next(now), this.#waiting.next()), soonest);
  }

  #wake(): void {
    const now = this.#now();
    const due = this.#overview.due(now);
    for (const group of due) this.#touched.add(group);
    if (due.length > 0) this.#tell(false);
    this.#waiting.lookAgain(false);
    this.#touchWaited();
    if (this.#hasWork()) this.#work();
    else this.#wakeLater();
  }

  /** Takes note of what was read or written. */
  #notice(now: number): void {
    const changed = this.#overview.update(this.#parts.store.state, now);
    if (changed !== 'nothing') this.#tell(changed === 'freeze');
  }

  #tell(isFreeze: boolean): void {
    for (const observer of this.#observers) observer(isFreeze);
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

  /** Runs something that needs the store for itself, after the batch that is under way. */
  #alone(run: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#errands.push(() => run().then(resolve, reject));
      this.#work();
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.time.after(ms, resolve));
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
const GONE = refuse('request_timeout', 'nobody is there any more to hear the answer', WAITED_RETRY_MS);
/** Milliseconds after which a grant that nobody wants is taken back, when the store could not. */
const TAKE_BACK_MS = 1_000;
/** Refusals after which nobody knows. */
const UNDECIDED: ReadonlySet<string> = new Set(['store_unavailable', 'conflict']);

/** Refusals that pass by themselves, so that waiting makes sense. */
const PASSING: ReadonlySet<string> = new Set([
  'slots_full',
  'frozen',
  'outside_window',
  'not_your_turn',
  'halted',
  'blocked',
]);

function canWait(answer: Answer): answer is Refusal {
  return !answer.ok && PASSING.has(answer.kind);
}

/** Nobody is kept from an answer when it is put off. */
function isPatient(pending: Pending): boolean {
  return pending.settle === noop || isWaiting(pending);
}

function nameOf({ group, id }: ClientParams): string {
  return `${group}\n${id}`;
}

/** Whether a change may let somebody of a group in who waits. */
function opens(group: string): (draft: AuditDraft) => boolean {
  return (draft) => draft.group === group && draft.action !== 'granted' && draft.action !== 'confirmed';
}

/** Its number of slots changes with the fleet. */
function isPercentage({ slots }: GroupPolicy): boolean {
  return slots.kind === 'percent';
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
