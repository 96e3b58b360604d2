import type { ClientParams } from '../fleetlock/protocol.ts';
import type { Answer } from './answer.ts';
import type { FleetStatus, LockOptions, Manager, Order } from './api.ts';
import { type Batch, decideTogether, type LockRequest, type Request, type World } from './batch.ts';
import { type AuditDraft, type AuditRecord, holderOf } from './document.ts';
import { Doubts } from './doubts.ts';
import { HeldOpen } from './held-open.ts';
import { Looks } from './looks.ts';
import { Notes } from './notes.ts';
import { Overview } from './overview.ts';
import type { ServiceParts } from './parts.ts';
import { isGone, isInDoubt, isWaiting, noteDoubt, type Pending, type Wait } from './pending.ts';
import { Percentages } from './percentages.ts';
import { slotsFor } from './policy.ts';
import { Queue } from './queue.ts';
import { canWait, CONFLICT, DRAINING, GONE, outgrown, UNAVAILABLE, WAITED_RETRY_MS } from './refusals.ts';
import { Sights } from './sights.ts';
import { statusOf } from './status.ts';
import { type Change, type HistoryQuery, StoreError } from './store/store.ts';
import { Alarm, every } from './time.ts';
import { Unwanted } from './unwanted.ts';
import { Waiting } from './waiting.ts';

const [FIRST_RETRY_MS, LONGEST_RETRY_MS] = [20, 500];
/** Milliseconds after which waiting requests are looked at again although nothing was heard: other replicas, gates. */
const LOOK_AGAIN_MS = 5_000;
const NOTES_MS = 60_000;
/** The longest between two looks at how long requests have been there, in ms, and parts of the time they have. */
const [LONGEST_LOOK_MS, LOOKS] = [250, 20];

/**
 * The one who reads, decides and writes. Everything that has arrived meanwhile is decided on together and written in
 * one transaction; a lost comparison means deciding anew from what is there now.
 */
export class Service implements Manager {
  readonly #parts: ServiceParts;
  readonly #queue = new Queue();
  /** What is being decided on. */
  #deciding: readonly Pending[] = [];
  /** What needs the store for itself. */
  #errands: (() => Promise<void>)[] = [];
  readonly #waiting: Waiting;
  readonly #sights: Sights;
  readonly #notes: Notes;
  readonly #overview: Overview;
  readonly #doubts = new Doubts();
  readonly #heldOpen = new HeldOpen();
  readonly #percentages = new Percentages();
  readonly #unwanted: Unwanted;
  readonly #looks = new Looks(() => this.#lookAtAll());
  readonly #observers = new Set<(isFreeze: boolean) => void>();
  readonly #alarm: Alarm;
  readonly #stops = new Set<() => void>();
  #working: Promise<void> | null = null;
  /** Somebody else wrote something, and it has not been looked at. */
  #elsewhere = false;
  /** Milliseconds between two looks at how long requests have been there, and how many looks each has. */
  readonly #lookMs: number;
  readonly #looksEach: number;
  #stopLooking: (() => void) | null = null;
  /** When it was looked last whether time has changed anything. */
  #lookedAt: number;
  #isStarted = false;
  #draining = false;
  #closed = false;
  #failingSince: number | null = null;
  /** What is being decided on was decided before, and somebody else wrote first. */
  #contended = false;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
    const { store, time, policies, decisionMs } = parts;
    this.#lookMs = Math.min(LONGEST_LOOK_MS, decisionMs / LOOKS);
    this.#looksEach = Math.floor(decisionMs / this.#lookMs);
    this.#waiting = new Waiting({
      time,
      changesAt: policies.changesAt,
      onOver: (pending) => this.#giveUp(pending, { ...(pending.wait?.refusal ?? GONE), retryAfterMs: WAITED_RETRY_MS }),
    });
    this.#sights = new Sights((group, id) => this.#waiting.has(group, id) || this.#holds(group, id));
    const onFailure = (error: StoreError): void => this.#failed(error);
    this.#notes = new Notes({ store, sights: this.#sights, now: time.now, onFailure });
    this.#overview = new Overview((group) => policies.of(group, true)?.rules.staleAfterMs ?? Infinity);
    this.#unwanted = new Unwanted(time, ({ id, group }) => this.#ask({ kind: 'takeBack', id, group }));
    this.#alarm = new Alarm(time, () => this.#wake());
    this.#lookedAt = time.now();
  }

  /**
   * Reads what there is. From here on everything can be asked and ordered, and nothing is written but what is ordered:
   * enough for a command that is over soon.
   */
  async read(): Promise<void> {
    await this.#parts.store.refresh([]);
    await Promise.all(this.#groupNames().map((group) => this.#notes.recall(group)));
  }

  /** Reads what there is, takes over the configuration, and begins to look after time and what others write. */
  async start(): Promise<void> {
    const { store, time } = this.#parts;
    await this.read();
    this.#isStarted = true;
    await this.reconfigured();
    this.#touchSoaking();
    this.#stops.add(store.watch(() => this.#lookElsewhere()));
    this.#stops.add(
      every(time, NOTES_MS, () => {
        void this.#notes.keep().then(() => this.#followPercentages());
      }),
    );
    this.#stops.add(every(time, LOOK_AGAIN_MS, () => void this.#lookAgain()));
    this.#work();
  }

  /** The configuration may say something new: slot counts that changed are written. */
  async reconfigured(): Promise<readonly Answer[]> {
    const answers = await this.#configure();
    this.#overview.lookAgain(this.#now());
    this.#waiting.lookAgain(true);
    this.#touchWaited();
    return answers;
  }

  /** Writes slot counts that differ from what the configuration says. */
  #configure(): Promise<readonly Answer[]> {
    const { store, policies } = this.#parts;
    const groups = [...store.state.groups.keys()].filter((group) => policies.of(group, true) !== null);
    return Promise.all(groups.map((group) => this.#ask({ kind: 'configure', group })));
  }

  /** Writes slot counts that change with the fleet. What this replica has heard of is noted; now for all others. */
  async #followPercentages(): Promise<void> {
    const { store, policies } = this.#parts;
    for (const [group, entry] of store.state.groups) {
      const slots = policies.of(group, true)?.slots;
      if (slots?.kind !== 'percent' || entry.kind === 'corrupt') continue;
      if (!(await this.#notes.merge(group))) return;
      const wanted = slotsFor(slots, this.#sights.count(group, this.#now())) ?? 0;
      const what = this.#percentages.look(group, entry.document.slots, wanted);
      if (what !== 'leave') void this.#ask({ kind: 'follow', group, mayLower: what === 'lower' });
    }
  }

  async lock(params: ClientParams, { waitMs, signal }: LockOptions): Promise<Answer> {
    const { group, id } = params;
    this.#unwanted.heard(params);
    const begun = this.#now();
    const preparing = this.#prepare(params);
    if (preparing !== null) await preparing;
    const since = this.#sights.of(group)?.waitingSince(id, begun) ?? begun;
    const request: LockRequest = { kind: 'lock', ...params, actor: NODE, since, waited: waitMs > 0 };
    const wait = waitMs > 0 ? { until: begun + waitMs, signal, refusal: null, stop: noop } : null;
    const answer = await this.#ask(request, wait);
    this.#hear(params, answer);
    this.#parts.witness.decided(group, 'pre-reboot', answer);
    return answer;
  }

  async unlock(params: ClientParams): Promise<Answer> {
    this.#unwanted.heard(params);
    const answer = await this.#ask({ kind: 'unlock', ...params, actor: NODE });
    this.#hear(params, answer);
    this.#parts.witness.decided(params.group, 'steady-state', answer);
    return answer;
  }

  takeBack({ id, group }: ClientParams): void {
    this.#unwanted.add({ id, group });
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
    await this.#looks.look();
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
    if (this.#draining) return DRAINING.value;
    const { problem } = await this.#parts.store.health();
    if (problem === null) return null;
    // Who asks may be anybody, and the problem may name servers and files.
    this.#parts.witness.notReady(problem);
    return 'the store of the lock manager does not answer';
  }

  async drain(): Promise<void> {
    this.#draining = true;
    for (const group of this.#waiting.groups()) {
      for (const pending of this.#waiting.of(group)) this.#giveUp(pending, DRAINING);
    }
    while (this.#working !== null) await this.#working;
    await this.#notes.keep();
  }

  /** Ends all timers; resolves when nothing is under way. The store is the caller's to close. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unwanted.stop();
    this.#alarm.clear();
    for (const stop of this.#stops) stop();
    while (this.#working !== null) await this.#working;
    this.#endLooks();
    await this.#notes.idle();
  }

  #now(): number {
    return this.#parts.time.now();
  }

  #ask(request: Request, wait: Wait | null = null): Promise<Answer> {
    return new Promise((settle) => {
      this.#queue.add(this.#pending(request, settle, wait));
      this.#work();
    });
  }

  #pending(request: Request, settle: (answer: Answer) => void, wait: Wait | null): Pending {
    return { request, settle, over: false, looksLeft: this.#looksEach, wait };
  }

  /** Works through what has arrived, unless that is being done already. */
  #work(): void {
    if (this.#working !== null || this.#closed) return;
    this.#stopLooking ??= every(this.#parts.time, this.#lookMs, () => this.#look());
    // What arrives in the same turn of the event loop belongs to the same transaction.
    this.#working = nextTurn()
      .then(() => this.#workThrough())
      .finally(() => {
        this.#working = null;
        if (this.#hasWork()) this.#work();
        else this.#wakeLater();
      });
  }

  #hasWork(): boolean {
    return !this.#queue.isEmpty || this.#errands.length > 0;
  }

  /** One batch, then whoever needs the store for himself, by turns: neither can keep the other waiting. */
  async #workThrough(): Promise<void> {
    while (this.#hasWork()) {
      if (!this.#queue.isEmpty) {
        this.#deciding = this.#nextBatch();
        this.#contended = false;
        await this.#decide(this.#deciding);
        this.#deciding = [];
      }
      for (const errand of this.#errands.splice(0)) await errand();
    }
  }

  /** Looks at those who have been there for long, as long as there is anything to do. */
  #look(): void {
    if (this.#working === null) this.#endLooks();
    else this.#answerLate();
  }

  #endLooks(): void {
    this.#stopLooking?.();
    this.#stopLooking = null;
  }

  /** Answers for the silence of the store. Looks are counted, since the clock may be set. */
  #answerLate(): void {
    for (const pending of [...this.#deciding, ...this.#queue.requests()]) {
      if (pending.over || isWaiting(pending)) continue;
      pending.looksLeft -= 1;
      if (pending.looksLeft > 0) continue;
      this.#giveUp(pending, this.#contended && this.#failingSince === null ? CONFLICT : UNAVAILABLE);
    }
    this.#queue.dropOver();
  }

  /** What goes into the next transaction, with those who wait in the same groups. */
  #nextBatch(): readonly Pending[] {
    const { requests, touched, groups } = this.#queue.take(this.#parts.store.mostGroups);
    return [
      ...requests,
      ...touched.map((group) => this.#pending({ kind: 'settle', group }, noop, null)),
      ...[...groups].flatMap((group) => this.#waiting.of(group)),
    ];
  }

  /** Decides on a batch until what was decided is written, or its time is over. */
  async #decide(given: readonly Pending[]): Promise<void> {
    let batch = given;
    let failures = 0;
    for (;;) {
      batch = this.#wanted(batch);
      if (failures > 0 && this.#isPutOff(batch)) return;
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
        if (error.kind === 'too-large') {
          await this.#decideInParts(batch, error);
          return;
        }
        if (error.kind === 'ambiguous') {
          noteDoubt(batch, world.now);
          this.#doubts.add(decided.change);
        }
        this.#failed(error);
        await this.#pause(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures));
        failures += 1;
        await this.#parts.store.refresh([]).catch(noop);
      }
    }
  }

  /** Whether nobody decides on these now, since the store could not write it. */
  #isPutOff(batch: readonly Pending[]): boolean {
    // Who waits, and what time alone brings about, is looked at again soon; others must not wait behind them.
    if (!this.#closed) return batch.every(isPatient);
    for (const pending of batch) this.#giveUp(pending, UNAVAILABLE);
    return true;
  }

  /** A change that does not fit is made in halves; one that does not fit by itself never will, which stops nobody else. */
  async #decideInParts(batch: readonly Pending[], error: StoreError): Promise<void> {
    const [first, ...others] = batch;
    if (first === undefined) return;
    if (others.length === 0) {
      const { group } = first.request;
      if (group !== null) this.#overview.putOff(group, this.#now(), LOOK_AGAIN_MS);
      this.#parts.witness.outgrown(group, error);
      this.#answer(first, outgrown(group, error));
      return;
    }
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
    if (outcome === 'conflict') return false;
    this.#doubts.written(change);
    this.#written(change);
    return true;
  }

  #written({ audit, groups, fleet }: Change): void {
    this.#parts.witness.changed(audit);
    if (fleet !== undefined) this.#touchWaited();
    if (this.#waiting.isEmpty) return;
    this.#queue.touch([...groups.keys()].filter((group) => this.#waiting.hasGroup(group) && audit.some(opens(group))));
  }

  #settle(batch: readonly Pending[], { answers, heldOpen }: Batch): void {
    this.#heldOpen.note(heldOpen);
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
      holding: (id) => this.#overview.holding(id),
      heldOpen: (group) => this.#heldOpen.since(group, now),
    };
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
    this.#queue.touch(this.#waiting.groups());
    if (!this.#queue.isEmpty) this.#work();
  }

  #touchSoaking(): void {
    this.#notice(this.#now());
    this.#queue.touch(this.#overview.soaking());
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
    if (this.#elsewhere) return;
    this.#elsewhere = true;
    this.#looks.look().catch((error: unknown) => {
      if (error instanceof StoreError) this.#failed(error);
      else throw error;
    });
  }

  /** Reads what is new of all groups. Rejects with a `StoreError`. */
  async #lookAtAll(): Promise<void> {
    const { store } = this.#parts;
    const wakes = this.#elsewhere;
    this.#elsewhere = false;
    const names = this.#groupNames();
    for (let from = 0; from === 0 || from < names.length; from += store.mostGroups) {
      await this.#alone(() => store.refresh(names.slice(from, from + store.mostGroups)));
    }
    if (wakes) this.#wake();
  }

  /** Groups of the configuration, and those that the store has besides. */
  #groupNames(): readonly string[] {
    const { store, policies } = this.#parts;
    return [...new Set([...store.state.groups.keys(), ...policies.configured()])];
  }

  /** Wakes at the next moment at which time alone changes something. */
  #wakeLater(): void {
    if (this.#closed || !this.#isStarted) return;
    const now = this.#now();
    this.#notice(now);
    // What was in doubt and is found may let somebody in.
    if (this.#hasWork()) {
      this.#work();
      return;
    }
    const soonest = this.#failingSince === null ? 0 : LOOK_AGAIN_MS;
    this.#alarm.set(Math.min(this.#overview.next(now), this.#waiting.next()), soonest);
  }

  #wake(): void {
    const now = this.#now();
    const due = this.#overview.due(now);
    this.#queue.touch(due);
    if (due.length > 0) this.#tell(false);
    this.#waiting.lookAgain(false);
    this.#touchWaited();
    if (this.#hasWork()) this.#work();
    else this.#wakeLater();
  }

  /** Takes note of what was read or written. */
  #notice(now: number): void {
    const changed = this.#overview.update(this.#parts.store.state, now);
    if (changed === 'nothing') return;
    for (const change of this.#doubts.found(this.#parts.store.state)) this.#written(change);
    this.#tell(changed === 'freeze');
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
/** Nobody is kept from an answer when it is put off. */
function isPatient(pending: Pending): boolean {
  return pending.settle === noop || isWaiting(pending);
}

/** Whether a change may let somebody of a group in who waits. */
function opens(group: string): (draft: AuditDraft) => boolean {
  return (draft) => draft.group === group && draft.action !== 'granted' && draft.action !== 'confirmed';
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
