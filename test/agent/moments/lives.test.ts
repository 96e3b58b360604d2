import { expect, test } from 'vitest';
import { NOTHING_WATCHED, momentsOf } from '../../../src/agent/moments/watch.ts';
import type { Moment } from '../../../src/agent/moments/moment.ts';
import { HOUR, MINUTE } from '../../support/agent-builders.ts';
import { World } from '../../support/agent-world.ts';

const LIVES = 200;
const ACTIONS = 250;

/** What one boot of a host told of, over all agents that ran in it. */
interface Boot {
  back: number;
  rebooting: number;
  finalizes: number;
  readonly staged: string[];
}

/** One random life of a host, with restarts of the agent and reboots at any moment, as it is told of. */
class Life {
  readonly boots = new Map<string, Boot>();
  readonly moments: Moment[] = [];
  readonly world: World;
  #watched = NOTHING_WATCHED;
  #agent: unknown = null;

  constructor(seed: number) {
    this.world = new World(
      seed,
      (world, before, event, effects) => {
        // Another process knows nothing of what this one has seen.
        if (this.#agent !== world.agent) this.#watched = NOTHING_WATCHED;
        this.#agent = world.agent;
        if (world.agent === null) return;
        const step = { before, after: world.agent.state, at: event.at };
        const { watched, moments } = momentsOf(this.#watched, step, HOUR);
        this.#watched = watched;
        const boot = this.boot();
        boot.finalizes += effects.filter(({ kind }) => kind === 'finalize').length;
        for (const moment of moments) this.#count(boot, moment);
      },
      () => undefined,
    );
  }

  boot(): Boot {
    const { bootId } = this.world.host;
    const known = this.boots.get(bootId);
    const boot = known ?? { back: 0, rebooting: 0, finalizes: 0, staged: [] };
    this.boots.set(bootId, boot);
    return boot;
  }

  #count(boot: Boot, moment: Moment): void {
    this.moments.push(moment);
    if (moment.event === 'back') boot.back += 1;
    if (moment.event === 'rebooting') boot.rebooting += 1;
    if (moment.event === 'staged') boot.staged.push(moment.target ?? '');
  }

  live(): void {
    const { world } = this;
    if (world.agent === null) world.start();
    const dice = world.random();
    if (dice < 0.55) world.answer();
    else if (dice < 0.75) world.wait();
    else if (dice < 0.83) world.deliver();
    else if (dice < 0.86) world.time += world.pick([1_000, 10 * MINUTE, HOUR]);
    else if (dice < 0.9) world.kill();
    else if (dice < 0.93) world.reboot(world.chance(0.8));
    else if (dice < 0.95) world.newest += 1;
    else if (dice < 0.96) world.rollBack();
    else if (dice < 0.98) this.#rollsOrReboots();
    else for (const server of world.servers) server.down = world.chance(0.3);
  }

  #rollsOrReboots(): void {
    if (this.world.rollsBack) this.world.rollBack();
    else if (this.world.host.rebooting) this.world.reboot(true);
  }

  /** True when this boot came of a reboot of the agent's, and was healthy once. */
  get hasArrived(): boolean {
    const { agent, host } = this.world;
    if (agent === null) return false;
    const { memory, settings } = agent.state;
    return memory.arrival?.bootId === host.bootId && (settings.around === null || memory.wasHealthy);
  }
}

test('each arrival is told of exactly once, each finalize at most once, whatever happens', () => {
  const seen = { arrivals: 0, rebooting: 0, stuck: 0 };
  for (let seed = 1; seed <= LIVES; seed += 1) {
    const life = new Life(seed);
    for (let count = 0; count < ACTIONS; count += 1) {
      life.live();
      const boot = life.boot();
      const told = `HOLDPOINT_SEED=${seed} after ${count}: ${JSON.stringify(boot)}`;
      if (boot.rebooting > boot.finalizes) expect.fail(`more reboots than finalize calls: ${told}`);
      if (boot.back !== (life.hasArrived ? 1 : 0) && life.world.agent !== null) expect.fail(`back: ${told}`);
    }
    const lasting = new Set<string>();
    for (const { event, cause } of life.moments) {
      if (event === 'recovered' && !lasting.delete(cause ?? '')) expect.fail(`seed ${seed}: ${cause} was not stuck`);
      if (event === 'stuck') lasting.add(cause ?? '');
    }
    for (const { back, rebooting } of life.boots.values()) {
      seen.arrivals += back;
      seen.rebooting += rebooting;
    }
    seen.stuck += life.moments.filter(({ event }) => event === 'stuck').length;
  }
  // The lives must have had what they are to show.
  expect(seen.arrivals).toBeGreaterThan(LIVES / 4);
  expect(seen.rebooting).toBeGreaterThan(LIVES / 4);
  expect(seen.stuck).toBeGreaterThan(LIVES / 20);
});
