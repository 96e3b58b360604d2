import type { Bus } from '../bus/api.ts';
import type { Clock, Instant } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { duration, errorText } from '../base/text.ts';
import { isGoingDown, readDriverUnits } from '../host/drivers/client.ts';
import { type UnitState, judgeDrivers } from '../host/drivers/judge.ts';
import type { HookContext, HookEvent } from '../hooks/event.ts';
import type { Notifier } from '../host/notify.ts';
import type { RpmOstree } from '../host/rpm-ostree/client.ts';
import { type AgentService, serveAgent } from './dbus/service.ts';
import { DriverRegistration } from './driver.ts';
import { type Executors, createExecutors } from './executors.ts';
import type { GraphSource } from './graph-source.ts';
import { consentWithdrawn, isUnsettled } from './machine/consent.ts';
import type { Effect } from './machine/effect.ts';
import type { Event, EventBody } from './machine/event.ts';
import { statusLine } from './machine/explain.ts';
import { rollbackWithdrawn } from './machine/health.ts';
import { narrate } from './machine/narrate.ts';
import { type Order, type OrderAnswer, answerOrder } from './machine/orders.ts';
import { type Postponement, postponement } from './machine/people.ts';
import type { AgentState } from './machine/state.ts';
import { unfinished } from './machine/slot.ts';
import { initialState, step } from './machine/step.ts';
import { needsMemory } from './machine/turn.ts';
import type { MemoryStore } from './memory-store.ts';
import type { Observer, Sight } from './observer.ts';
import { type Situation, describe, lockAccessOf, settingsOf } from './settings.ts';
import type { Origins } from './report/origins.ts';
import { StatusFile } from './status-file.ts';
import type { Surroundings } from './surroundings.ts';

/** What the shell is made of; tests replace parts. */
export interface AgentParts {
  readonly bus: Bus;
  readonly rpmOstree: RpmOstree;
  readonly surroundings: Surroundings;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly dice: () => number;
  readonly log: Log;
  readonly notifier: Notifier;
  readonly store: MemoryStore;
  /** Where `status.json` is written. */
  readonly runDir: string;
  readonly situation: Situation;
  readonly fetchGraph: GraphSource;
  readonly observers: readonly Observer[];
  /** Called before each effect is carried out. */
  readonly beforeEffect?: (effect: Effect) => void;
}

/** Why hooks are run, for people; `%` stands for a release. */
const REASONS: Readonly<Record<HookEvent, string>> = {
  'pre-stage': 'the release % is to be fetched',
  'may-reboot': 'this host is to be rebooted into %',
  'pre-reboot': 'this host is about to be rebooted into %',
  'reboot-cancelled': 'the reboot into % came to nothing',
  'post-boot': 'this host was rebooted into %',
};

/** Milliseconds that a stopping agent takes at most, to undo what hooks did and to give a slot back. */
const STOP_MS = 5_000;
/** Milliseconds in which observers deliver what is left when the agent ends. */
const OBSERVERS_MS = 3_000;
/** Milliseconds for which a reboot that is about to begin waits for a reading that is under way. */
const SETTLE_MS = 4_000;
const DRIVERS_MS = 3_600_000;
/** After these a refused registration as update driver is worth another try: work is over, or somebody came or went. */
const FRESH_TRY: ReadonlySet<string> = new Set(['staged', 'discarded', 'hostChanged', 'driversSeen', 'configured']);
const PROGRESS_LOG_MS = 30_000;
/** The longest time that a JavaScript timer can wait. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The thin shell around the pure machine: feeds it events one at a time, carries out what it decides, and tells people
 * and the service manager what it says. All behaviour is in `step`.
 */
export class Agent {
  readonly #parts: AgentParts;
  readonly #queue: EventBody[] = [];
  readonly #executors: Executors;
  readonly #stopping = new AbortController();
  /** Aborted when the time to stop is over: what is still under way is given up. */
  readonly #ending = new AbortController();
  readonly #ended: Promise<void>;
  #end: () => void = () => undefined;
  readonly #timers: { wake: NodeJS.Timeout | null; drivers: NodeJS.Timeout | null } = { wake: null, drivers: null };
  #situation: Situation;
  #state: AgentState;
  /** When the machine was last fed. */
  #lastAt: Instant | undefined;
  #draining = false;
  #over = false;
  #progressLogged = -Infinity;
  #shown = '';
  readonly #driver: DriverRegistration;
  /** Why there is no connection to the bus; null while there is one, or the first is being made. */
  #outage: string | null = null;
  /** The units that may drive updates, as last seen. */
  #units: readonly UnitState[] = [];
  /** A fault of the agent itself, with which it ends. */
  #fault: Error | null = null;
  readonly #statusFile: StatusFile;
  #stopAround: (() => void) | null = null;
  /** Called after each step, for whoever waits for the next one: one of finalize and rollback at the most. */
  #stepped: () => void = () => undefined;
  #service: AgentService | null = null;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#ended = new Promise((resolve) => (this.#end = resolve));
    this.#statusFile = new StatusFile(parts.runDir, (text) => parts.log.warn(text));
    this.#driver = new DriverRegistration(() => parts.rpmOstree.registerDriver());
    this.#situation = parts.situation;
    const { memory, problems } = parts.store.load();
    for (const problem of problems) parts.log.error(problem);
    const settings = settingsOf(this.#situation);
    this.#state = initialState(settings, memory, this.#situation.files.bootId, parts.clock());
    this.#executors = createExecutors({
      rpmOstree: parts.rpmOstree,
      surroundings: parts.surroundings,
      runHooks: (event, version, signal) =>
        parts.surroundings.runHooks(event, this.#hookContext(event, version), signal),
      clock: parts.clock,
      fetchGraph: () => parts.fetchGraph(this.#situation, this.#stopping.signal),
      settings: () => this.#state.settings,
      lockAccess: () => lockAccessOf(this.#situation.config),
      consentWithdrawn: () => this.#settled(consentWithdrawn),
      rollbackWithdrawn: () => this.#settled(rollbackWithdrawn),
      stopping: this.#stopping.signal,
      ending: this.#ending.signal,
      send: (event) => this.send(event),
    });
  }

  /**
   * Runs until `stop` was called and what is owed is delivered. Ready as soon as the bus is connected. Rejects when the
   * agent itself is at fault: what it has written down is what the next start goes on with.
   */
  async run(): Promise<void> {
    const { bus, notifier } = this.#parts;
    await Promise.race([this.#connected(), this.#ended]);
    const stopWatching = this.#stopping.signal.aborted ? null : this.#begin();
    await this.#ended;
    // What closing the bus makes fail is no news.
    this.#over = true;
    this.#ending.abort();
    stopWatching?.();
    this.#clearTimers();
    await this.#closeObservers();
    notifier.close();
    bus.close();
    if (this.#fault !== null) throw this.#fault;
    this.#writeStatus('stopped', 'the agent has been stopped');
  }

  /** The bus is there: says so, and sets the machine going. Returns the way to end the watch on rpm-ostree. */
  #begin(): () => void {
    const { log, notifier, rpmOstree } = this.#parts;
    notifier.ready();
    const stopWatching = rpmOstree.watch(() => this.send({ kind: 'hostChanged' }));
    this.#watchAround();
    log.info(`ready; node ${this.#state.settings.nodeId}, boot ${this.#state.bootId}`);
    this.send({ kind: 'started' });
    this.#service = this.#serve();
    this.#timers.drivers = setInterval(() => this.#hourly(), DRIVERS_MS).unref();
    return () => {
      stopWatching();
      this.#stopAround?.();
    };
  }

  #watchAround(): void {
    this.#stopAround?.();
    this.#stopAround = this.#parts.surroundings.watch(() => this.send({ kind: 'aroundChanged' }));
  }

  /** For others on the bus. */
  #serve(): AgentService {
    const { bus, clock, log } = this.#parts;
    const view = {
      clock,
      state: () => this.#state,
      line: () => this.#line(),
      postpone: (by: string, forMs: number) => this.#postpone(by, forMs),
      order: (order: Order, by: string) => this.#order(order, by),
      explain: (at: number | null) => this.#explain(at),
    };
    return serveAgent(bus, view, log);
  }

  /** The report as JSON, for a moment in ms since 1970; null: now. What it takes is loaded with the first question. */
  async #explain(atWallMs: number | null): Promise<string> {
    const { reportJson } = await import('./report/report-of.ts');
    return reportJson(this.#state, this.#parts.clock(), this.#situation.origins ?? new Map(), atWallMs);
  }

  #postpone(by: string, forMs: number): Postponement {
    const before = this.#state;
    const answer = postponement(before, forMs, this.#parts.clock());
    if (answer.until === null) return answer;
    this.send({ kind: 'postpone', by, forMs });
    const { postponed } = this.#state.memory;
    const done = postponed !== null && postponed !== before.memory.postponed;
    return done ? { ...answer, until: postponed.until } : { until: null, text: 'the agent is ending' };
  }

  #order(order: Order, by: string): OrderAnswer {
    const answer = answerOrder(this.#state, order, this.#parts.clock());
    if (answer.outcome !== 'done') return answer;
    if (this.#over) return { outcome: 'refused', text: 'the agent is ending' };
    this.#parts.log.info({ by }, `ordered: ${answer.text}`);
    this.send({ ...order, by });
    const unwritten = this.#state.troubles.memory;
    if (unwritten === undefined) return answer;
    return {
      ...answer,
      text: `${answer.text}; a restart would lose it, since the state file cannot be written: ${unwritten.text}`,
    };
  }

  /** The configuration in force. */
  get config(): Situation['config'] {
    return this.#situation.config;
  }

  /** Takes a new configuration, already checked. Throws, and changes nothing, when this host cannot run with it. */
  reconfigure(config: Situation['config'], origins: Origins = new Map()): void {
    const situation = { ...this.#situation, config, origins };
    const settings = settingsOf(situation);
    this.#situation = situation;
    this.send({ kind: 'configured', settings });
    // Another configuration may look at other things.
    if (this.#stopAround !== null) {
      this.#watchAround();
      this.send({ kind: 'aroundChanged' });
    }
    void this.#lookForDrivers();
  }

  /**
   * Begins to stop: ends hooks that run, undoes what those did that act, and gives back a slot that nothing was finalized
   * under, unless the host itself goes down.
   */
  async stop(): Promise<void> {
    const { bus, notifier, clock, log } = this.#parts;
    notifier.stopping();
    const deadline = clock().mono + STOP_MS;
    const holdsSlot = this.#state.memory.slot !== null;
    const isBusy = unfinished(this.#state) !== null;
    // Nothing is decided any more from here on; what becomes of the slot and the hooks waits for the answer.
    if (isBusy) this.send({ kind: 'stop', hostGoesDown: 'unknown' });
    const hostGoesDown = isBusy && (await isGoingDown(bus));
    this.#stopping.abort();
    this.send({ kind: 'stop', hostGoesDown });
    const left = (): string | null => (isBusy && !hostGoesDown ? unfinished(this.#state, holdsSlot) : null);
    while (left() !== null && clock().mono < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    const rest = left();
    if (rest !== null) log.error(`stopping with ${rest}; the next start sees to it`);
    this.#end();
  }

  /** Hands an event to the machine. Events are taken one after the other, also those that effects cause at once. */
  send(body: EventBody): void {
    if (this.#over) return;
    this.#queue.push(body);
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#take(next);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#draining = false;
    }
  }

  /** A fault in this program: to go on with a state that nobody foresaw could lose a slot, so it starts anew. */
  #fail(error: unknown): void {
    this.#over = true;
    this.#fault = error instanceof Error ? error : new Error(errorText(error));
    const { stack = '' } = this.#fault;
    this.#parts.log.error({ stack }, 'a fault in the agent, which ends, to go on from what it has written down');
    this.#end();
  }

  #take(body: EventBody): void {
    const at = this.#parts.clock();
    const event: Event = { ...body, at, dice: this.#parts.dice() };
    if ('reading' in event) this.#learnHost(event.reading.booted);
    if (event.kind === 'stageProgress') this.#logProgress(event.text, at.mono);
    const before = this.#state;
    const next = step(before, event);
    this.#state = next.state;
    const lines = narrate(before, next, at, this.#lastAt);
    this.#lastAt = at;
    for (const { level, text, fields } of lines) this.#parts.log[level](fields ?? {}, text);
    this.#carryOut(next.effects);
    if (FRESH_TRY.has(event.kind)) this.#driver.again();
    this.#driver.consider(this.#state);
    this.#show();
    this.#tellObservers({ before, event, at });
    this.#stepped();
  }

  /** Nothing that they do wrong is the agent's fault. */
  #tellObservers(sight: Pick<Sight, 'before' | 'event' | 'at'>): void {
    for (const observer of this.#parts.observers) {
      try {
        observer.see({ ...sight, after: this.#state, line: this.#shown, config: this.#situation.config });
      } catch (error) {
        this.#parts.log.warn(`${observer.name}: ${errorText(error)}`);
      }
    }
  }

  async #closeObservers(): Promise<void> {
    const { observers, log } = this.#parts;
    const signal = AbortSignal.timeout(OBSERVERS_MS);
    const closing = observers.map(async (observer) => {
      try {
        await observer.close(signal);
      } catch (error) {
        log.warn(`${observer.name}: ${errorText(error)}`);
      }
    });
    await Promise.all(closing);
  }

  /** The status line shows all of it, the log a line every half minute. */
  #logProgress(text: string, now: number): void {
    if (now - this.#progressLogged < PROGRESS_LOG_MS) return;
    this.#progressLogged = now;
    this.#parts.log.info(`staging: ${text}`);
  }

  /** The first reading tells what the templates in the configuration stand for. */
  #learnHost(booted: Situation['booted']): void {
    if (booted === null || this.#situation.booted?.id === booted.id) return;
    this.#situation = { ...this.#situation, booted };
    for (const text of describe(this.#situation)?.assumed ?? []) this.#parts.log.warn(text);
    const settings = settingsOf(this.#situation);
    const event: Event = { kind: 'configured', settings, at: this.#parts.clock(), dice: this.#parts.dice() };
    const { state, effects } = step(this.#state, event);
    this.#state = state;
    this.#carryOut(effects);
    queueMicrotask(() => void this.#lookForDrivers());
  }

  /** In order; nothing that relies on the memory is begun before it is written. */
  #carryOut(effects: readonly Effect[]): void {
    let saved = true;
    for (const effect of effects) {
      this.#parts.beforeEffect?.(effect);
      if (effect.kind === 'persist') saved = this.#persist(effect.memory);
      else if (effect.kind === 'wake') this.#wakeAt(effect.at);
      else if (effect.kind === 'cancelLock') this.#executors.cancelLock(effect.id);
      else if (effect.kind === 'tell') void this.#parts.surroundings.tell(effect.ttys, effect.text);
      else if (saved || !needsMemory(effect)) this.#executors.execute(effect);
      else {
        const failure = { class: 'transient', text: 'not begun, since the state file cannot be written' } as const;
        this.#queue.push({ kind: 'failed', effect: effect.kind, id: effect.id, failure });
      }
    }
  }

  /** What hooks are told; `version` is that of the release that it is about. */
  #hookContext(event: HookEvent, version: string | null): HookContext {
    const { host, settings } = this.#state;
    return {
      bootedVersion: host?.booted?.version ?? null,
      targetVersion: version,
      nodeId: settings.nodeId,
      group: this.#situation.config.identity.group,
      reason: version === null ? null : REASONS[event].replace('%', version),
    };
  }

  #persist(memory: AgentState['memory']): boolean {
    try {
      this.#parts.store.save(memory);
    } catch (error) {
      this.#queue.push({ kind: 'memoryFailed', text: errorText(error) });
      return false;
    }
    if (this.#state.troubles.memory !== undefined) this.#queue.push({ kind: 'memoryWritten' });
    return true;
  }

  #wakeAt(at: number | null): void {
    if (this.#timers.wake !== null) clearTimeout(this.#timers.wake);
    this.#timers.wake = null;
    if (at === null) return;
    const ms = Math.min(Math.max(0, at - this.#parts.clock().mono), LONGEST_TIMER_MS);
    this.#timers.wake = setTimeout(() => this.send({ kind: 'tick' }), ms);
  }

  /** Asks the machine once it has seen what it was told of, or when that takes too long. */
  async #settled(ask: (state: AgentState, at: Instant) => string | null): Promise<string | null> {
    const { clock } = this.#parts;
    const deadline = clock().mono + SETTLE_MS;
    while (isUnsettled(this.#state, clock()) && clock().mono < deadline && this.#state.stopping === null)
      await this.#nextStep(deadline - clock().mono);
    return ask(this.#state, clock());
  }

  /** Resolves after the next step, or after so many milliseconds. */
  #nextStep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#stepped = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The status line, as of now. */
  #line(): string {
    const outage = this.#outage === null ? '' : `no connection to the system bus: ${this.#outage}; `;
    return outage + statusLine(this.#state, this.#parts.clock());
  }

  /** Tells the service manager, and writes `status.json` for whoever looks. */
  #show(): void {
    const line = this.#line();
    const isNew = line !== this.#shown;
    this.#shown = line;
    this.#service?.changed();
    if (!isNew) return;
    this.#parts.notifier.status(line);
    this.#writeStatus(this.#state.phase.name, line);
  }

  #writeStatus(state: string, line: string): void {
    const { phase, since, host } = this.#state;
    const target = 'target' in phase ? phase.target.version : null;
    const booted = host?.booted?.version ?? null;
    const from = state === phase.name ? since : this.#parts.clock();
    this.#statusFile.write({ state, since: from.wall, booted, target, line });
  }

  /** Follows the connection to the bus; resolves with the first one. */
  #connected(): Promise<void> {
    const { bus, log } = this.#parts;
    return new Promise((resolve) => {
      bus.onState((state) => {
        if (state.connected) {
          if (this.#outage !== null) log.info('the system bus is connected again');
          this.#outage = null;
          resolve();
          if (this.#state.lastId > 0) this.send({ kind: 'hostChanged' });
          this.#show();
        } else if (this.#outage === null && state.attempts > 0 && !this.#stopping.signal.aborted) {
          this.#outage = state.error;
          log.warn(`no connection to the system bus: ${state.error} (next try in ${duration(state.retryInMs)})`);
          this.#show();
        }
      });
    });
  }

  #hourly(): void {
    this.#driver.again();
    this.#driver.consider(this.#state);
    void this.#lookForDrivers();
    this.#tellObservers({ before: this.#state, event: null, at: this.#parts.clock() });
  }

  async #lookForDrivers(): Promise<void> {
    // Where nobody answers, what was seen last still holds.
    this.#units = (await readDriverUnits(this.#parts.bus)) ?? this.#units;
    const policy = this.#state.host?.automaticPolicy ?? 'none';
    const drivers = judgeDrivers(this.#units, policy, this.#state.settings.source);
    if (JSON.stringify(drivers) !== JSON.stringify(this.#state.drivers)) this.send({ kind: 'driversSeen', drivers });
  }

  #clearTimers(): void {
    if (this.#timers.wake !== null) clearTimeout(this.#timers.wake);
    if (this.#timers.drivers !== null) clearInterval(this.#timers.drivers);
  }
}
