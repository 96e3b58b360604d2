import type { Instant } from '../base/clock.ts';
import type { AsyncEffect, Effect } from '../agent/machine/effect.ts';
import type { Event, EventBody } from '../agent/machine/event.ts';
import type { Memory } from '../agent/machine/memory.ts';
import type { AgentState } from '../agent/machine/state.ts';
import { initialState, step } from '../agent/machine/step.ts';
import { type Scene, answerTo, delayOf } from './answers.ts';
import { type End, cutOff, endOf } from './end.ts';
import { ImaginedHost } from './host.ts';
import { leap } from './leap.ts';
import { Queue } from './queue.ts';
import type { World } from './world.ts';

/** One step of the machine in virtual time. */
export interface Sight {
  readonly before: AgentState;
  readonly event: Event;
  readonly after: AgentState;
  readonly effects: readonly Effect[];
  /** Why the event was of no consequence, or null. */
  readonly ignored: string | null;
}

/** Who looks on. */
export interface Onlooker {
  /** After each step. */
  readonly see: (sight: Sight) => void;
  /** Before time goes on: the agent has done all that it can do at this moment. */
  readonly rest: (state: AgentState, at: Instant) => void;
  /** So many looks at the graph were left out that would have found what the one before found, the last at `last`. */
  readonly leap: (polls: number, last: number) => void;
}

/** Steps after which a simulation ends, whatever it is waiting for. */
const MOST_STEPS = 1_000_000;

type Happening =
  | { readonly kind: 'event'; readonly body: EventBody }
  /** The end of something that was begun. */
  | { readonly kind: 'answer'; readonly effect: AsyncEffect }
  | { readonly kind: 'boot' };

/**
 * Runs the agent's machine in virtual time on a host that does what it is asked for, until nothing is left to do. Always
 * ends; the same world gives the same steps. `leaps`: leaves out what changes nothing, which makes no other difference.
 */
export function drive(world: World, onlooker: Onlooker, leaps = true): End {
  return new Drive(world, onlooker, leaps).run();
}

class Drive {
  readonly #world: World;
  readonly #onlooker: Onlooker;
  readonly #host: ImaginedHost;
  readonly #queue = new Queue<Happening>();
  /** Milliseconds since 1970, of now and of the beginning of this boot. */
  #wall: number;
  #bootWall: number;
  #state: AgentState;
  /** Milliseconds since 1970 at which the machine wants a tick; null: it wants none, or does not run. */
  #wake: number | null = null;
  #slotFreeAt: number | null = null;
  #steps = 0;
  readonly #leaps: boolean;

  constructor(world: World, onlooker: Onlooker, leaps: boolean) {
    this.#world = world;
    this.#leaps = leaps;
    this.#onlooker = onlooker;
    this.#host = new ImaginedHost(world.from, world.stream);
    this.#wall = world.at;
    this.#bootWall = world.at - world.uptimeMs;
    this.#state = this.#start(null);
  }

  run(): End {
    for (;;) {
      if (this.#next > this.#wall) {
        const end = this.#rest();
        if (end !== null) return end;
      }
      const next = this.#next;
      if (next > this.#world.until) return cutOff('until', this.#world.until, this.#world);
      if (this.#steps >= MOST_STEPS) return cutOff('steps', this.#wall, this.#world);
      this.#wall = Math.max(this.#wall, next);
      this.#go(next);
    }
  }

  get #at(): Instant {
    return { wall: this.#wall, mono: this.#wall - this.#bootWall };
  }

  get #next(): number {
    return Math.min(this.#queue.next ?? Infinity, this.#wake ?? Infinity);
  }

  /** Nothing more happens at this moment. */
  #rest(): End | null {
    this.#onlooker.rest(this.#state, this.#at);
    if (this.#queue.next !== null) return null;
    const end = endOf(this.#state, this.#at, this.#world);
    if (end === null && this.#leaps) this.#leap();
    return end;
  }

  #leap(): void {
    const far = leap(this.#state, this.#at, this.#world);
    if (far === null) return;
    this.#state = far.state;
    this.#wake = this.#bootWall + far.wake;
    this.#onlooker.leap(far.polls, far.last);
  }

  #go(next: number): void {
    if (this.#queue.next !== next) {
      this.#wake = null;
      this.#take({ kind: 'tick' });
      return;
    }
    const happening = this.#queue.take();
    if (happening?.kind === 'boot') this.#boot();
    else if (happening?.kind === 'answer') this.#take(answerTo(happening.effect, this.#scene));
    else if (happening !== undefined) this.#take(happening.body);
  }

  #start(memory: Memory | null): AgentState {
    this.#put(0, { kind: 'event', body: { kind: 'started' } });
    return initialState(this.#world.settings, memory, this.#host.bootId, this.#at);
  }

  #boot(): void {
    this.#host.reboot();
    this.#bootWall = this.#wall;
    this.#slotFreeAt = null;
    this.#state = this.#start(this.#state.memory);
  }

  #put(afterMs: number, happening: Happening): void {
    this.#queue.put(this.#wall + afterMs, happening);
  }

  #take(body: EventBody): void {
    this.#steps += 1;
    const before = this.#state;
    const event: Event = { ...body, at: this.#at, dice: this.#world.dice };
    const { state, effects, ignored } = step(before, event);
    this.#state = state;
    this.#onlooker.see({ before, event, after: state, effects, ignored });
    for (const effect of effects) this.#carryOut(effect);
    if (event.kind === 'finalized' && ignored === null) this.#goDown();
  }

  #carryOut(effect: Effect): void {
    if (effect.kind === 'wake') this.#wake = effect.at === null ? null : this.#bootWall + effect.at;
    else if (effect.kind === 'cancelLock') this.#giveUp(effect.id);
    else if (effect.kind !== 'persist' && effect.kind !== 'tell') this.#begin(effect);
  }

  #begin(effect: AsyncEffect): void {
    const { slot } = this.#world;
    if (effect.kind === 'lock' && slot !== 'refused') {
      this.#slotFreeAt ??= this.#wall + (slot === 'granted' ? 0 : slot.freeAfterMs);
    }
    this.#put(delayOf(effect, this.#scene), { kind: 'answer', effect });
  }

  get #scene(): Scene {
    const slotFreeAt = this.#slotFreeAt ?? Infinity;
    return { world: this.#world, host: this.#host, state: this.#state, at: this.#at, slotFreeAt };
  }

  /** A question to the lock server that nobody waits for any more. */
  #giveUp(id: number): void {
    this.#queue.remove((one) => one.kind === 'answer' && one.effect.id === id);
    const failure = { class: 'unknown', text: 'the question was given up' } as const;
    this.#put(0, { kind: 'event', body: { kind: 'failed', effect: 'lock', id, failure } });
  }

  /** The reboot was asked for: the process ends. */
  #goDown(): void {
    this.#queue.remove(() => true);
    this.#wake = null;
    this.#put(this.#world.bootMs, { kind: 'boot' });
  }
}
