import { parseMemory, serializeMemory } from '../../src/agent/memory-file.ts';
import type { AsyncEffect, Effect } from '../../src/agent/machine/effect.ts';
import type { Event, EventBody } from '../../src/agent/machine/event.ts';
import type { Lock, Memory } from '../../src/agent/machine/memory.ts';
import type { AgentState, Settings } from '../../src/agent/machine/state.ts';
import { initialState, step } from '../../src/agent/machine/step.ts';
import { needsMemory } from '../../src/agent/machine/turn.ts';
import type { Failure } from '../../src/base/failure.ts';
import type { Around } from '../../src/agent/gates/around.ts';
import type { Graph } from '../../src/graph/types.ts';
import type { Deployment, HostReading } from '../../src/host/rpm-ostree/deployment.ts';
import {
  BOOT_WALL,
  EMPTY_GRAPH,
  aroundRules,
  hourlyWindows,
  commit,
  graph,
  keyOf,
  lockAt,
  settings,
} from './agent-builders.ts';
import { ModelAround } from './agent-around.ts';
import { ModelHost } from './agent-host.ts';

/** Random numbers that can be had again from the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A lock server with one slot. */
export interface ModelServer {
  readonly lock: Lock;
  /** This host holds the slot. */
  held: boolean;
  /** Somebody else does. */
  full: boolean;
  down: boolean;
}

/** One run of the agent: its state dies with it. */
export interface Incarnation {
  state: AgentState;
  wakeAt: number | null;
  /** Given to the shell and not answered. */
  open: AsyncEffect[];
  /** When the last reading was taken of those that this incarnation was given. */
  lookedAt: number | null;
  /** The host changed, or was said to have, since. */
  told: boolean;
  /** When the last reading of the surroundings was taken, and whether they were said to have changed since. */
  aroundAt: number | null;
  aroundTold: boolean;
  readonly ids: Set<number>;
  /** The questions that it gave up. */
  readonly cancelled: Set<number>;
  idleTicks: number;
  tickedAt: number;
}

const TRANSIENT: Failure = { class: 'transient', text: 'Transaction in progress: upgrade' };
const LOST: Failure = { class: 'unknown', text: 'the answer was lost' };
const DENIED: Failure = { class: 'transient', text: 'HTTP 401: unauthorized' };

/** How a release that is staged may differ from the one that was asked for. */
const TWISTS: readonly [Partial<Deployment>, ...Partial<Deployment>[]] = [
  { stream: 'next' },
  { version: '99' },
  { baseChecksum: commit(99) },
];

/** What fails in one way only. */
const SIMPLE: ReadonlySet<string> = new Set(['look', 'fetchGraph', 'lookAround', 'rollback', 'discard']);

/** What a crash interrupts. */
class Crash extends Error {}

/**
 * Everything around the machine, in virtual time: host, graph, two lock servers, disk and administrator. `act` does one
 * random thing; `check` is called after every step and throws when something that must hold does not.
 */
export class World {
  readonly host = new ModelHost();
  readonly around = new ModelAround();
  readonly servers = [lockAt('a'), lockAt('b')].map((lock): ModelServer => ({
    lock,
    held: false,
    full: false,
    down: false,
  }));
  readonly trace: string[] = [];
  agent: Incarnation | null = null;
  settings: Settings;
  disk: string | null = null;
  diskFails = false;
  /** Milliseconds since the first boot; each boot begins at `bootedAt`. */
  time = 0;
  bootedAt = 0;
  newest = 2;
  readonly withdrawn = new Set<number>();
  graphFault: 'none' | 'empty' | 'missing' | 'error' = 'none';
  /** Nothing fails any more. */
  healthy = false;
  /** The chance of a crash at each effect. */
  crashes = 0;
  /** A finalize was asked for in this boot and not refused, and the slot that it was asked for under. */
  finalizing = false;
  usedLock: Lock | null = null;
  /** rpm-ostree was asked to go back to the release before, and to reboot. */
  rollsBack = false;
  /** Events on their way to the agent. */
  mail: EventBody[] = [];
  readonly random: () => number;
  #read: { readonly text: string | null; readonly memory: Memory | null } = { text: null, memory: null };
  readonly #check: (world: World, before: AgentState, event: Event, effects: readonly Effect[]) => void;
  readonly #onExecute: (world: World, effect: AsyncEffect) => void;

  constructor(
    seed: number,
    check: (world: World, before: AgentState, event: Event, effects: readonly Effect[]) => void,
    onExecute: (world: World, effect: AsyncEffect) => void,
  ) {
    this.random = randomFrom(seed);
    this.#check = check;
    this.#onExecute = onExecute;
    const lock = this.chance(0.6) ? lockAt('a') : null;
    const around = this.chance(0.6) ? aroundRules({ rollback: this.chance(0.3) }) : null;
    const schedule = this.chance(0.3) ? hourlyWindows() : null;
    const minUptimeMs = this.pick([0, 0, 0, 30 * 60_000]);
    this.settings = settings({ lock, source: this.chance(0.15) ? 'staged' : 'graph', around, schedule, minUptimeMs });
    const hooks = (['pre-stage', 'may-reboot', 'pre-reboot', 'reboot-cancelled', 'post-boot'] as const).filter(() =>
      this.chance(0.4),
    );
    this.around.change({ hooks });
  }

  chance(p: number): boolean {
    return this.random() < p;
  }

  pick<T>(values: readonly [T, ...T[]]): T {
    return values[Math.floor(this.random() * values.length)] ?? values[0];
  }

  get mono(): number {
    return this.time - this.bootedAt;
  }

  get wall(): number {
    return BOOT_WALL + this.time;
  }

  /** The memory that the next start of the agent finds. */
  get written(): Memory | null {
    if (this.disk !== this.#read.text) {
      this.#read = { text: this.disk, memory: this.disk === null ? null : parseMemory(this.disk).memory };
    }
    return this.#read.memory;
  }

  /** True for a release that the agent takes for its own where it finds it staged, or is about to remove. */
  mayHaveStaged(number: number): boolean {
    if (this.agent?.open.some((effect) => effect.kind === 'discard' && effect.key === keyOf(number))) return true;
    return [this.written, this.agent?.state.memory].some((memory) => {
      const target = memory?.target ?? null;
      const isTarget = target?.ours === true && target.release.payload === commit(number);
      return isTarget || memory?.discard?.key === keyOf(number);
    });
  }

  start(): void {
    this.trace.push(`start in ${this.host.bootId}`);
    const at = { mono: this.mono, wall: this.wall };
    const state = initialState(this.settings, this.written, this.host.bootId, at);
    this.mail = [];
    this.agent = {
      state,
      wakeAt: null,
      open: [],
      lookedAt: null,
      told: false,
      aroundAt: null,
      aroundTold: false,
      ids: new Set(),
      cancelled: new Set(),
      idleTicks: 0,
      tickedAt: -Infinity,
    };
    this.send({ kind: 'started' });
  }

  /** The process ends here and now. What it had asked for may still be carried out. */
  kill(): void {
    const { agent } = this;
    if (agent === null) return;
    this.trace.push('kill -9');
    this.agent = null;
    const { healthy } = this;
    this.healthy = true;
    for (const effect of agent.open) if (this.chance(0.5)) this.#execute(effect);
    this.healthy = healthy;
  }

  reboot(comesUp: boolean): void {
    this.trace.push(`reboot${comesUp ? '' : ' that falls back'}`);
    this.kill();
    this.host.restart(comesUp);
    this.#bootBegins();
  }

  rollBack(): void {
    if (this.host.rebooting || this.host.previous === null) return;
    this.trace.push('rollback');
    this.kill();
    if (this.host.adminRollsBack()) this.#bootBegins();
  }

  #bootBegins(): void {
    this.time += 30_000;
    this.bootedAt = this.time;
    this.time += 20_000;
    [this.finalizing, this.usedLock] = [false, null];
    this.around.boots();
    this.rollsBack = false;
  }

  /** One event, its effects, and all that the shell itself answers at once. */
  send(first: EventBody): void {
    const queue: EventBody[] = [first];
    try {
      for (let body = queue.shift(); body !== undefined; body = queue.shift()) this.#take(body, queue);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.kill();
    }
  }

  #take(body: EventBody, queue: EventBody[]): void {
    const { agent } = this;
    if (agent === null) return;
    const before = agent.state;
    const event: Event = { ...body, at: { mono: this.mono, wall: this.wall }, dice: this.random() };
    const { state, effects, ignored } = step(before, event);
    const kinds = effects.map((effect) => effect.kind).join(' ');
    this.trace.push(`${this.mono} ${body.kind}${ignored === null ? '' : ' (ignored)'}: ${state.phase.name} ${kinds}`);
    agent.state = state;
    if (body.kind === 'hostChanged') agent.told = true;
    if (body.kind === 'aroundChanged') agent.aroundTold = true;
    this.#check(this, before, event, effects);
    for (const effect of effects) if (effect.kind === 'stage') this.host.askedFor(effect.target);
    let saved = true;
    for (const effect of effects) {
      if (this.chance(this.crashes)) throw new Crash();
      saved = this.#carryOut(agent, effect, saved, queue);
    }
  }

  #carryOut(agent: Incarnation, effect: Effect, saved: boolean, queue: EventBody[]): boolean {
    if (effect.kind === 'wake') agent.wakeAt = effect.at;
    else if (effect.kind === 'persist') return this.#save(agent, effect.memory, queue);
    else if (effect.kind === 'cancelLock') agent.cancelled.add(effect.id);
    else if (effect.kind === 'tell') return saved;
    else if (saved || !needsMemory(effect)) agent.open.push(effect);
    else {
      const failure: Failure = { class: 'transient', text: 'not begun' };
      queue.push({ kind: 'failed', effect: effect.kind, id: effect.id, failure });
    }
    return saved;
  }

  #save(agent: Incarnation, memory: Memory, queue: EventBody[]): boolean {
    if (this.diskFails) {
      queue.push({ kind: 'memoryFailed', text: 'ENOSPC' });
      return false;
    }
    this.disk = serializeMemory(memory);
    if (agent.state.troubles.memory !== undefined) queue.push({ kind: 'memoryWritten' });
    return true;
  }

  /** Goes to the moment of the next tick, or lets some time pass when none was asked for. */
  wait(): void {
    const wakeAt = this.agent?.wakeAt ?? null;
    if (this.agent === null || wakeAt === null) {
      this.time += 60_000;
      return;
    }
    this.time = Math.max(this.time, this.bootedAt + wakeAt);
    this.agent.wakeAt = null;
    this.send({ kind: 'tick' });
  }

  /** Carries out something that was asked for and answers it: now, never, or twice. */
  answer(): void {
    const { agent } = this;
    if (agent === null || agent.open.length === 0) return;
    const [effect] = agent.open.splice(Math.floor(this.random() * agent.open.length), 1);
    if (effect === undefined) return;
    this.time += this.pick([5, 50, 900]);
    const body = this.#execute(effect);
    this.#hostMayHaveChanged(effect);
    if (!this.healthy && this.chance(0.05)) this.mail.push(body);
    if (body.kind === 'looked') this.time += this.pick([1, 40]);
    this.send(body);
  }

  #hostMayHaveChanged(effect: AsyncEffect): void {
    if (effect.kind === 'stage' || effect.kind === 'discard') this.mail.push({ kind: 'hostChanged' });
  }

  /** Lets a question be, which is never answered. */
  forget(kind: AsyncEffect['kind']): void {
    if (this.agent !== null) this.agent.open = this.agent.open.filter((effect) => effect.kind !== kind);
  }

  /** Delivers an event that was on its way. */
  deliver(): void {
    const body = this.mail.shift();
    if (body !== undefined) this.send(body);
  }

  #execute(effect: AsyncEffect): EventBody {
    this.#onExecute(this, effect);
    const { id, kind } = effect;
    const result = this.#tryTo(effect, !this.healthy && this.chance(0.15));
    return 'class' in result ? { kind: 'failed', effect: kind, id, failure: result } : result;
  }

  /** What comes of an effect: its answer, or the failure. */
  #tryTo(effect: AsyncEffect, fails: boolean): EventBody | Failure {
    const { id } = effect;
    if (effect.kind === 'hooks') return { kind: 'hooksDone', id, outcome: this.around.runHooks(effect, fails) };
    if ((fails && SIMPLE.has(effect.kind)) || this.#isGone(effect.kind)) return TRANSIENT;
    switch (effect.kind) {
      case 'look':
        return { kind: 'looked', id, reading: this.#look() };
      case 'fetchGraph':
        return { kind: 'graphRead', id, graph: this.#graph() };
      case 'lookAround':
        return { kind: 'lookedAround', id, around: this.#lookAround() };
      case 'rollback':
        this.rollsBack = true;
        return { kind: 'rolledBack', id };
      case 'stage':
        return this.#stage(effect, fails);
      case 'discard':
        return this.host.discard(effect) ?? { kind: 'discarded', id, reading: this.#look() };
      case 'finalize':
        return this.#finalize(effect, fails);
      case 'lock':
      case 'report':
        return this.#askServer(effect, fails);
    }
  }

  /** Nobody is there to answer. */
  #isGone(kind: AsyncEffect['kind']): boolean {
    return (kind === 'look' && this.host.daemonGone) || (kind === 'fetchGraph' && this.graphFault === 'error');
  }

  #stage({ id, target }: Extract<AsyncEffect, { kind: 'stage' }>, fails: boolean): EventBody | Failure {
    if (fails && this.chance(0.5)) return this.pick([TRANSIENT, { class: 'release', text: 'not found' }]);
    // Something wrong is staged, or the answer is lost.
    const isWrong = fails && this.agent?.state.phase.name === 'staging' && this.chance(0.7);
    const twist = isWrong ? this.pick(TWISTS) : {};
    const failure = this.host.stage(target, twist) ?? (fails && !isWrong ? TRANSIENT : null);
    return failure ?? { kind: 'staged', id, reading: this.#look() };
  }

  #finalize(effect: Extract<AsyncEffect, { kind: 'finalize' }>, fails: boolean): EventBody | Failure {
    if (fails && this.chance(0.5)) return TRANSIENT;
    const { id, target, allowUnlocked } = effect;
    const failure = this.host.finalize(target, allowUnlocked, fails && this.chance(0.3));
    return failure ?? (fails ? LOST : { kind: 'finalized', id });
  }

  #look(): HostReading {
    if (this.agent !== null) [this.agent.lookedAt, this.agent.told] = [this.mono, false];
    return this.host.read(this.mono);
  }

  #lookAround(): Around {
    if (this.agent !== null) [this.agent.aroundAt, this.agent.aroundTold] = [this.mono, false];
    return this.around.read(this.mono);
  }

  #askServer({ id, kind, lock }: Extract<AsyncEffect, { lock: Lock }>, fails: boolean): EventBody | Failure {
    const server = this.servers.find((one) => one.lock.baseUrl === lock.baseUrl);
    if (server === undefined || server.down || (fails && this.chance(0.5))) return LOST;
    if (fails && this.chance(0.5)) return DENIED;
    // The question may have been carried out before it was given up, and its answer may still have come.
    const isCancelled = this.agent?.cancelled.has(id) === true;
    if (isCancelled && this.chance(0.4)) return LOST;
    const isLost = fails || (isCancelled && this.chance(0.5));
    return kind === 'lock' ? this.#lend(server, id, isLost) : this.#release(server, id, isLost);
  }

  #lend(server: ModelServer, id: number, isLost: boolean): EventBody | Failure {
    if (server.full && !server.held) return { kind: 'slotRefused', id, text: 'HTTP 409: slots_full' };
    server.held = true;
    return isLost ? LOST : { kind: 'slotGranted', id };
  }

  #release(server: ModelServer, id: number, isLost: boolean): EventBody | Failure {
    server.held = false;
    return isLost ? LOST : { kind: 'reported', id };
  }

  #graph(): Graph {
    if (this.graphFault === 'empty') return EMPTY_GRAPH;
    const numbers = Array.from({ length: this.newest }, (_, index) => index + 1);
    const kept = this.graphFault === 'missing' ? numbers.filter((n) => n !== this.host.booted) : numbers;
    return graph(
      kept,
      [...this.withdrawn].flatMap((to) => numbers.map((from) => [from, to] as const)),
    );
  }
}
