import type { Instant } from '../base/clock.ts';
import type { AgentState } from '../agent/machine/state.ts';
import type { Onlooker, Sight } from './drive.ts';
import { heldBy } from './hold.ts';
import type { NewStep, SimulatedStep } from './step.ts';
import { stepsIn } from './story.ts';
import type { World } from './world.ts';

/** Begin anew what counts as a repetition: the next release, the next boot. */
const TURNS: ReadonlySet<string> = new Set(['boot', 'stage', 'finalize']);

/** Makes the timeline of what it sees, with repetitions folded. */
export class Timeline implements Onlooker {
  readonly #world: World;
  readonly #steps: SimulatedStep[] = [];
  /** Where each step is that may be repeated, and on how many lines it is already. */
  #known = new Map<string, { readonly place: number; readonly rows: number }>();
  #checks = 0;
  #held = '';
  /** Where the look at the graph is that found what the last one found; null: that one was no news. */
  #checked: number | null = null;

  constructor(world: World) {
    this.#world = world;
  }

  get steps(): readonly SimulatedStep[] {
    return this.#steps;
  }

  /** How often the graph was read. */
  get checks(): number {
    return this.#checks;
  }

  see(sight: Sight): void {
    if (sight.event.kind === 'graphRead') {
      this.#checks += 1;
      this.#checked = null;
    }
    for (const { key, step } of stepsIn(sight, this.#world)) {
      this.#add(sight.event.at.wall, key, step);
      if (step.kind === 'check')
        this.#checked = sight.after.phase.name === 'watching' ? (this.#known.get(key)?.place ?? null) : null;
    }
  }

  rest(state: AgentState, at: Instant): void {
    const held = heldBy(state, at);
    if (held !== null && held.now !== this.#held) this.#add(at.wall, held.key, held.step, held.rows);
    this.#held = held?.now ?? '';
  }

  leap(polls: number, last: number): void {
    this.#checks += polls;
    const place = this.#checked;
    const known = place === null ? undefined : this.#steps[place];
    if (place !== null && known !== undefined) this.#steps[place] = { ...known, last, times: known.times + polls };
  }

  #add(at: number, key: string, step: NewStep, rows = 1): void {
    if (TURNS.has(step.kind)) {
      this.#known = new Map();
      this.#held = '';
    }
    const { place = 0, rows: told = 0 } = this.#known.get(key) ?? {};
    const known = this.#steps[place];
    if (told < rows || known === undefined) {
      this.#known.set(key, { place: this.#steps.push({ at, last: at, times: 1, ...step }) - 1, rows: told + 1 });
    } else {
      this.#steps[place] = { ...known, last: at, times: known.times + 1 };
    }
  }
}
