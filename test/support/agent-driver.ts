import type { Instant } from '../../src/base/clock.ts';
import { type Counts, NO_COUNTS, countSight } from '../../src/agent/metrics/counts.ts';
import { parseMemory, serializeMemory } from '../../src/agent/memory-file.ts';
import type { AsyncEffect, Effect } from '../../src/agent/machine/effect.ts';
import type { Around } from '../../src/agent/gates/around.ts';
import type { EventBody, HookOutcome } from '../../src/agent/machine/event.ts';
import type { Memory } from '../../src/agent/machine/memory.ts';
import type { AgentState, AsyncKind, PhaseName, Settings } from '../../src/agent/machine/state.ts';
import type { Moment } from '../../src/agent/moments/moment.ts';
import { NOTHING_WATCHED, momentsOf } from '../../src/agent/moments/watch.ts';
import { narrate } from '../../src/agent/machine/narrate.ts';
import { type Step, initialState, step } from '../../src/agent/machine/step.ts';
import { needsMemory } from '../../src/agent/machine/turn.ts';
import type { Failure, FailureClass } from '../../src/base/failure.ts';
import type { Graph } from '../../src/graph/types.ts';
import type { HostReading } from '../../src/host/rpm-ostree/deployment.ts';
import { AROUND, HOUR, instant, settings as defaultSettings } from './agent-builders.ts';

export interface DriverOptions {
  readonly settings?: Settings;
  /** What is on disk. */
  readonly memory?: Memory | null;
  readonly bootId?: string;
  /** Milliseconds since boot at which the agent starts. */
  readonly mono?: number;
}

type Asked<K extends AsyncKind> = Extract<AsyncEffect, { kind: K }>;

/**
 * A shell in virtual time: it keeps what was asked until the test answers, writes the memory to a `disk` that is a text,
 * and sends a `tick` whenever the moment of the last `wake` has come.
 */
export class Driver {
  readonly bootId: string;
  state: AgentState;
  mono: number;
  /** Milliseconds by which the wall clock has been set. */
  clockOffset = 0;
  /** The random number of every event. */
  dice = 0.5;
  disk: string | null;
  diskFails = false;
  /** Asked and not answered, oldest first. */
  readonly open: AsyncEffect[] = [];
  /** The questions to lock servers that were given up; they stay open until the test answers them. */
  readonly cancelled: number[] = [];
  /** The kinds of all effects but `wake`, in order. */
  readonly log: string[] = [];
  /** The lines for the log, in order. */
  readonly said: string[] = [];
  /** Answers questions of a kind as soon as they are asked. */
  readonly auto: Partial<Record<AsyncKind, () => unknown>> = {};
  /** What an observer would have counted. */
  counts: Counts = NO_COUNTS;
  /** What was written to terminals: which, and the text. */
  readonly told: string[] = [];
  /** The moments that were told of, in order; what lasts for a day is stuck. */
  readonly moments: Moment[] = [];
  #watched = NOTHING_WATCHED;
  #wakeAt: number | null = null;
  #lastAt: Instant | undefined;
  readonly #queue: EventBody[] = [];

  constructor(options: DriverOptions = {}) {
    this.bootId = options.bootId ?? 'boot-1';
    this.mono = options.mono ?? 60_000;
    const memory = options.memory ?? null;
    this.disk = memory === null ? null : serializeMemory(memory);
    this.state = initialState(options.settings ?? defaultSettings(), memory, this.bootId, instant(this.mono));
  }

  /** The agent as it comes up from what is on disk: in the same boot, or in another one. */
  restarted(options: Omit<DriverOptions, 'memory'> = {}): Driver {
    const memory = this.disk === null ? null : parseMemory(this.disk).memory;
    const mono = options.mono ?? (options.bootId === undefined ? this.mono + 1_000 : 60_000);
    return new Driver({ settings: this.state.settings, bootId: this.bootId, ...options, mono, memory });
  }

  get phase(): PhaseName {
    return this.state.phase.name;
  }

  get memory(): Memory {
    return this.state.memory;
  }

  get written(): Memory | null {
    return this.disk === null ? null : parseMemory(this.disk).memory;
  }

  get asked(): readonly AsyncKind[] {
    return this.open.map((effect) => effect.kind);
  }

  send(body: EventBody): Step {
    this.#queue.push(body);
    let first: Step | null = null;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { mono, wall } = instant(this.mono);
      const at = { mono, wall: wall + this.clockOffset };
      const event = { ...next, at, dice: this.dice };
      const result = step(this.state, event);
      for (const { level, text } of narrate(this.state, result, at, this.#lastAt)) this.said.push(`${level}: ${text}`);
      this.#lastAt = at;
      first ??= result;
      const before = this.state;
      this.counts = countSight(this.counts, { before: this.state, after: result.state, event, at });
      this.state = result.state;
      this.#carryOut(result.effects);
      const { watched, moments } = momentsOf(this.#watched, { before, after: this.state, at }, 24 * HOUR);
      this.#watched = watched;
      this.moments.push(...moments);
    }
    if (first === null) throw new Error('nothing was sent');
    for (const { kind } of [...this.open]) if (this.asked.includes(kind)) this.auto[kind]?.();
    return first;
  }

  #carryOut(effects: readonly Effect[]): void {
    let saved = true;
    for (const effect of effects) {
      if (effect.kind === 'wake') {
        this.#wakeAt = effect.at;
        continue;
      }
      this.log.push(effect.kind);
      if (effect.kind === 'persist') saved = this.#save(effect.memory);
      else if (effect.kind === 'cancelLock') this.cancelled.push(effect.id);
      else if (effect.kind === 'tell') this.told.push(`${effect.ttys.join(',')}: ${effect.text}`);
      else if (saved || !needsMemory(effect)) this.open.push(effect);
      else {
        const failure: Failure = { class: 'transient', text: 'not begun' };
        this.#queue.push({ kind: 'failed', effect: effect.kind, id: effect.id, failure });
      }
    }
  }

  #save(memory: Memory): boolean {
    if (this.diskFails) {
      this.#queue.push({ kind: 'memoryFailed', text: 'ENOSPC: no space left on device' });
      return false;
    }
    this.disk = serializeMemory(memory);
    if (this.state.troubles.memory !== undefined) this.#queue.push({ kind: 'memoryWritten' });
    return true;
  }

  /** Lets time pass, with a tick at each moment that was asked for. Stops after `most` ticks. */
  pass(ms: number, most = 1_000): void {
    const end = this.mono + ms;
    for (let ticks = 0; this.#wakeAt !== null && this.#wakeAt <= end; ticks += 1) {
      if (ticks === most) throw new Error(`${most} ticks in ${ms} ms: a busy loop`);
      this.tick();
    }
    this.mono = end;
  }

  /** Goes to the moment that was asked for, and sends the tick. False when none was. */
  tick(): boolean {
    if (this.#wakeAt === null) return false;
    this.mono = Math.max(this.mono, this.#wakeAt);
    this.#wakeAt = null;
    this.send({ kind: 'tick' });
    return true;
  }

  /** Milliseconds until the next tick, or null. */
  get sleeps(): number | null {
    return this.#wakeAt === null ? null : this.#wakeAt - this.mono;
  }

  /** The open question of a kind; throws when there is none, or more than one. */
  question<K extends AsyncKind>(kind: K): Asked<K> {
    const matching = this.open.filter((effect): effect is Asked<K> => effect.kind === kind);
    const [only] = matching;
    if (only === undefined || matching.length > 1) {
      throw new Error(`${matching.length} open questions "${kind}"; open: ${this.asked.join(', ')}; ${this.phase}`);
    }
    return only;
  }

  #close<K extends AsyncKind>(kind: K): Asked<K> {
    const effect = this.question(kind);
    this.open.splice(this.open.indexOf(effect), 1);
    return effect;
  }

  looked(reading: HostReading): Step {
    return this.send({ kind: 'looked', id: this.#close('look').id, reading });
  }

  graphRead(graph: Graph): Step {
    return this.send({ kind: 'graphRead', id: this.#close('fetchGraph').id, graph });
  }

  staged(reading: HostReading): Step {
    return this.send({ kind: 'staged', id: this.#close('stage').id, reading });
  }

  discarded(reading: HostReading): Step {
    return this.send({ kind: 'discarded', id: this.#close('discard').id, reading });
  }

  finalized(): Step {
    return this.send({ kind: 'finalized', id: this.#close('finalize').id });
  }

  /** The surroundings as they were, with a change, read now. */
  /** `took`: milliseconds since the reading began. */
  lookedAround(change: Partial<Around> = {}, took = 0): Step {
    const effect = this.#close('lookAround');
    const before = this.state.around ?? AROUND;
    return this.send({
      kind: 'lookedAround',
      id: effect.id,
      around: { ...before, ...change, readAt: this.mono - took },
    });
  }

  hooked(outcome: HookOutcome = { kind: 'passed' }): Step {
    return this.send({ kind: 'hooksDone', id: this.#close('hooks').id, outcome });
  }

  granted(): Step {
    return this.send({ kind: 'slotGranted', id: this.#close('lock').id });
  }

  refused(text: string, retryAfterMs?: number): Step {
    const retry = retryAfterMs === undefined ? {} : { retryAfterMs };
    return this.send({ kind: 'slotRefused', id: this.#close('lock').id, text, ...retry });
  }

  reported(): Step {
    return this.send({ kind: 'reported', id: this.#close('report').id });
  }

  fails(effect: AsyncKind, failureClass: FailureClass = 'transient', text = 'it did not work'): Step {
    return this.send({ kind: 'failed', effect, id: this.#close(effect).id, failure: { class: failureClass, text } });
  }
}
