import type { Around, AroundRules } from '../../src/agent/gates/around.ts';
import type { HookEvent } from '../../src/hooks/event.ts';
import type { HookOutcome } from '../../src/agent/machine/event.ts';
import type { Settings } from '../../src/agent/machine/state.ts';
import { SOON_MS } from '../../src/agent/machine/turn.ts';
import { AROUND, aroundRules, graph, lockAt, reading, settings, stagedDeployment } from './agent-builders.ts';
import { Driver, type DriverOptions } from './agent-driver.ts';

/** A host whose surroundings are read as soon as they are asked for, and whose hooks answer at once. */
export class Surrounded {
  readonly driver: Driver;
  around: Around;
  /** What hooks answer, by their event; passed where nothing is set. Null: they are still running. */
  readonly answers: Partial<Record<HookEvent, HookOutcome | null>> = {};
  /** The hooks that were run, in order. */
  readonly ran: HookEvent[] = [];
  staged: number | null = null;

  constructor(around: Partial<Around>, options: DriverOptions, dead: Driver | null = null) {
    this.around = { ...AROUND, ...around };
    this.driver = dead === null ? new Driver(options) : dead.restarted(options);
    const { driver } = this;
    driver.auto.lookAround = () => driver.lookedAround(this.around);
    driver.auto.look = () => driver.looked(reading(driver.mono, 1, this.staged === null ? null : stagedDeployment(2)));
    driver.auto.fetchGraph = () => driver.graphRead(graph([1, 2]));
    driver.auto.stage = () => {
      this.staged = 2;
      driver.staged(reading(driver.mono, 1, stagedDeployment(2)));
    };
    driver.auto.report = () => driver.reported();
    driver.auto.hooks = () => this.#hooks();
    driver.send({ kind: 'started' });
  }

  /** Something changed around the host, and the agent hears of it. */
  change(change: Partial<Around>): void {
    this.around = { ...this.around, ...change };
    this.driver.send({ kind: 'aroundChanged' });
    // Changes that follow each other closely are read together.
    this.driver.pass(SOON_MS);
  }

  /** The same without a word. */
  silently(change: Partial<Around>): void {
    this.around = { ...this.around, ...change };
  }

  /** The hooks that were running have ended. */
  hooked(outcome: HookOutcome = { kind: 'passed' }): void {
    this.driver.hooked(outcome);
  }

  /** The process dies, and another one takes over in the same boot. */
  restart(): Surrounded {
    const next = new Surrounded(this.around, { settings: this.driver.state.settings }, this.driver);
    next.staged = this.staged;
    return next;
  }

  #hooks(): void {
    const { event } = this.driver.question('hooks');
    if (this.ran.length === 0 || this.#last !== this.driver.question('hooks').id) this.ran.push(event);
    this.#last = this.driver.question('hooks').id;
    const answer = this.answers[event];
    if (answer !== null) this.driver.hooked(answer ?? { kind: 'passed' });
  }

  #last = -1;
}

/** With release 2 about to be staged. */
export function surrounded(
  around: Partial<Around> = {},
  rules: Partial<AroundRules> = {},
  change: Partial<Settings> = {},
): Surrounded {
  return new Surrounded(around, { settings: settings({ around: aroundRules(rules), ...change }) });
}

/** The same, until its first question that is not answered by itself: for the slot in a fleet, else to finalize. */
export function arrived(
  around: Partial<Around> = {},
  rules: Partial<AroundRules> = {},
  change: Partial<Settings> = {},
): Surrounded {
  const host = surrounded(around, rules, change);
  const isOnItsWay = (): boolean => ['starting', 'watching', 'staging'].includes(host.driver.phase);
  for (let most = 0; most < 20 && isOnItsWay(); most += 1) host.driver.tick();
  return host;
}

export const IN_FLEET: Partial<Settings> = { lock: lockAt('a') };
