import type { FleetStatus } from '../../src/manager/api.ts';
import type { AuditRecord } from '../../src/manager/document.ts';
import type { GroupPolicy } from '../../src/manager/policy.ts';
import type { Witness } from '../../src/manager/parts.ts';
import { Service } from '../../src/manager/service.ts';
import type { Store } from '../../src/manager/store/store.ts';
import { policies } from './manager.ts';
import type { Place } from './places.ts';
import { VirtualTime } from './virtual-time.ts';

/** When a manager dies that has something to write, and what becomes of that. */
export type Death =
  /** Before it was sent: it is not written. */
  | { readonly when: 'unsent' }
  /** After the store had written it, before anybody heard of it. */
  | { readonly when: 'unheard' }
  /** While the store was at it, so many turns of the event loop after it was sent. */
  | { readonly when: 'underway'; readonly turns: number }
  /** What was sent reaches the store only when another manager runs already; has written something already. */
  | { readonly when: 'late' | 'overtaken' };

type Commit = Store['commit'];

/** One life. It is over with the first write that it was told to die of. */
interface Life {
  readonly store: Store;
  readonly service: Service;
  readonly time: VirtualTime;
  death: Death | null;
  /** Resolves when it has reached its death. */
  readonly dying: Promise<void>;
  /** What it has sent and what is not there yet. */
  left: (() => Promise<unknown>) | null;
}

const NOTHING = (): void => undefined;
const WITNESS: Witness = {
  changed: NOTHING,
  decided: NOTHING,
  stored: NOTHING,
  storeFailed: NOTHING,
  outgrown: NOTHING,
  storeRecovered: NOTHING,
  notReady: NOTHING,
};
/** Rounds within which a manager must have ended all soaks whose time has come. */
const MOST_ROUNDS = 20;
/** Records that are read at once: more than a test makes. */
const ALL = 10_000;

/** A manager of one group on a place, in virtual time, that can die at any moment and lives on as another. */
export class MortalManager {
  readonly place: Place;
  readonly #policy: GroupPolicy;
  #now: number;
  #life: Life | null = null;
  readonly #buried: Promise<void>[] = [];

  constructor(place: Place, policy: GroupPolicy, now: number) {
    this.place = place;
    this.#policy = policy;
    this.#now = now;
  }

  /** Milliseconds since 1970. */
  get now(): number {
    return this.#now;
  }

  get service(): Service {
    return this.#alive().service;
  }

  /** Begins to live, on what is there. */
  async start(): Promise<void> {
    const { group } = this.#policy.rules;
    const time = new VirtualTime(this.#now);
    const store = await this.place.open(time.now);
    let die = NOTHING;
    const dying = new Promise<void>((resolve) => (die = resolve));
    const commit = store.commit.bind(store);
    store.commit = (change, groups) => commitOf(life, () => commit(change, groups), die);
    const service = new Service({
      store,
      storeKind: 'embedded',
      time,
      policies: policies([this.#policy], { of: (name) => (name === group ? this.#policy : null) }),
      witness: WITNESS,
      decisionMs: 60_000,
    });
    const life: Life = { store, service, time, death: null, dying, left: null };
    this.#life = life;
    await service.start();
  }

  /** Stops as it does when it is told to. */
  async stop(): Promise<void> {
    const { service, store } = this.#alive();
    await service.drain();
    await service.close();
    await store.close();
    this.#life = null;
  }

  /**
   * Is killed, and lives on as another, who does something first: only then arrives what the late and the overtaken had
   * sent.
   */
  async crash(first?: () => Promise<unknown>): Promise<void> {
    const { store, left } = this.#alive();
    this.place.cut();
    await this.start();
    await first?.();
    await left?.().catch(NOTHING);
    this.#buried.push(store.close());
  }

  /** Does something, of whose first write it dies; lives on as another. Undefined: it has died, else what came of it. */
  async crashIn<T>(run: () => Promise<T>, death: Death, first?: () => Promise<unknown>): Promise<T | undefined> {
    const life = this.#alive();
    life.death = death;
    const result = await Promise.race([run(), life.dying.then(() => undefined)]);
    if (death.when === 'underway') for (let turn = 0; turn < death.turns; turn += 1) await nextTurn();
    await this.crash(first);
    return result;
  }

  /** Time goes on; what it brings about is done. */
  async pass(ms: number): Promise<void> {
    const life = this.#alive();
    this.#now += ms;
    await life.time.pass(ms);
    await rest(life, this.#policy.rules.group);
  }

  /** Its status once it has nothing to do. Rejects when it does not come to that. */
  rest(): Promise<FleetStatus> {
    return rest(this.#alive(), this.#policy.rules.group);
  }

  history(): Promise<readonly AuditRecord[]> {
    return this.service.history({ most: ALL });
  }

  /** Dies for good. */
  async end(): Promise<void> {
    if (this.#life !== null) this.#buried.push(this.#life.store.close());
    await Promise.all(this.#buried);
  }

  #alive(): Life {
    if (this.#life === null) throw new Error('the manager does not run');
    return this.#life;
  }
}

/** A write of somebody who may die of it: then it is never answered. */
async function commitOf(life: Life, commit: () => ReturnType<Commit>, die: () => void): ReturnType<Commit> {
  const { death } = life;
  if (death === null) return commit();
  life.death = null;
  if (death.when === 'unheard') {
    const outcome = await commit();
    if (outcome === 'conflict') life.death = death;
    if (outcome === 'conflict') return outcome;
  }
  if (death.when === 'underway') {
    const sent = commit();
    life.left = () => sent;
  }
  if (death.when === 'late' || death.when === 'overtaken') life.left = commit;
  die();
  return new Promise(NOTHING);
}

async function rest({ service, time }: Life, group: string): Promise<FleetStatus> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    await time.pass(0);
    // Who holds nothing changes nothing; he is answered when all before is done, and from what the store has then.
    await service.unlock({ group, id: 'nobody' });
    const status = service.peek();
    const holders = status.groups.flatMap((each) => each.holders);
    if (holders.every(({ soakUntil }) => soakUntil === null || soakUntil > time.now())) return status;
  }
  throw new Error('a soak is over, and nobody has ended it');
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
