// Whatever is asked of a manager, and whenever it dies: it is as a tiny model of it says. `npm run test:deep` tries more:
// HOLDPOINT_SEQUENCES says how many sequences for each store.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Answer } from '../../src/manager/answer.ts';
import type { FleetStatus } from '../../src/manager/api.ts';
import { policyOf, word } from '../support/manager.ts';
import { type Death, MortalManager } from '../support/mortal-manager.ts';
import { embeddedPlace, etcdPlace, type Place } from '../support/places.ts';
import { MODEL_RULES, MODEL_START } from './model.ts';
import { anyAsked, type Asked, outcomeOf, type Sight } from './outcome.ts';

const SEQUENCES = process.env['HOLDPOINT_SEQUENCES'];
const ORDER = { by: 'ann', reason: '' };
const NEVER = new AbortController().signal;
const GROUP = MODEL_RULES.group;
const SLOTS = 2;
const POLICY = policyOf(GROUP, { slots: { kind: 'count', count: SLOTS }, ...MODEL_RULES });
/** Whatever was there before, this writes something; and it is soon over. */
const OVERTAKING: Asked = { kind: 'freeze', fleet: true, forMs: 1, byHand: true };
/** A sequence that takes so many milliseconds has got stuck. */
const STUCK_MS = 60_000;

/** What happens next. `again`: who asked asks at once again, having heard nothing. */
type Step =
  | { readonly kind: 'ask'; readonly asked: Asked }
  | { readonly kind: 'die'; readonly asked: Asked; readonly death: Death; readonly again: boolean }
  | { readonly kind: 'restart'; readonly killed: boolean };

const death: fc.Arbitrary<Death> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      when: fc.constantFrom('unsent' as const, 'unheard' as const, 'late' as const, 'overtaken' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ when: fc.constant('underway' as const), turns: fc.nat(3) }) },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ kind: fc.constant('ask' as const), asked: anyAsked }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('die' as const), asked: anyAsked, death, again: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), killed: fc.boolean() }) },
);

/** Without a bias for short ones. */
const sequence = fc.noBias(fc.array(step, { minLength: 1, maxLength: 15, size: 'max' }));

/** What is seen of a manager that has nothing to do. */
async function sightOf(manager: MortalManager): Promise<Sight> {
  const status = await manager.rest();
  const group = groupIn(status);
  return {
    slots: group.slots,
    frozen: { group: endOf(group.freeze), fleet: endOf(status.freeze) },
    holders: Object.fromEntries(group.holders.map(({ id, since, soakUntil }) => [id, { since, soakUntil }])),
  };
}

/** What is on record, in the order of the texts: which of two soaks ended first is not told. */
async function auditOf(manager: MortalManager): Promise<readonly string[]> {
  const history = await manager.history();
  expect(history.map(({ number }) => number)).toEqual(history.map((_, index) => index + 1));
  return history.map(({ action, id, by }) => `${action} ${id === null ? '' : `${id} `}by ${by}`).toSorted();
}

function groupIn({ groups }: FleetStatus): FleetStatus['groups'][number] {
  const group = groups.find(({ name }) => name === GROUP);
  if (group === undefined) throw new Error('the group is not in the status');
  return group;
}

function endOf(freeze: FleetStatus['freeze']): number {
  return freeze === null ? 0 : (freeze.until ?? Infinity);
}

async function ask(manager: MortalManager, given: Asked): Promise<Answer | undefined> {
  const { service, now } = manager;
  const { byHand } = given;
  switch (given.kind) {
    case 'lock': {
      const params = { group: GROUP, id: given.id };
      return byHand ? service.lockByHand(params, ORDER) : service.lock(params, { waitMs: 0, signal: NEVER });
    }
    case 'unlock': {
      const params = { group: GROUP, id: given.id };
      return byHand ? service.unlockByHand(params, { ...ORDER, force: false }) : service.unlock(params);
    }
    case 'force':
      return service.unlockByHand({ group: GROUP, id: given.id }, { ...ORDER, force: true });
    case 'takeBack':
      service.takeBack({ group: GROUP, id: given.id });
      return undefined;
    case 'pass':
      await manager.pass(given.ms);
      return undefined;
    case 'resize':
      return service.resize(GROUP, given.slots, ORDER);
    case 'freeze':
      return service.freeze(given.fleet ? null : GROUP, given.forMs === null ? null : now + given.forMs, ORDER);
    case 'thaw':
      return service.thaw(given.fleet ? null : GROUP, ORDER);
  }
}

/** What came of a step. */
interface Taken {
  /** What the manager was asked so far, as far as it knows: one of these. */
  readonly histories: readonly (readonly Asked[])[];
  /** To the last question; undefined: there was none. */
  readonly answer: Answer | undefined;
}

/** Takes a step and looks at what came of it. Returns what the manager was asked so far, as far as it knows. */
async function check(manager: MortalManager, history: readonly Asked[], each: Step): Promise<readonly Asked[]> {
  const before = outcomeOf(history, SLOTS).sight;
  const { histories, answer } = await take(manager, history, each);
  const sight = await sightOf(manager);
  const most = Math.max(sight.slots, Object.keys(before.holders).length);
  expect(Object.keys(sight.holders).length).toBeLessThanOrEqual(most);
  // The audit takes its time to be read: once in a life is enough, since nothing is ever taken out of it.
  const audit = each.kind === 'ask' ? null : await auditOf(manager);
  const seen = { sight, audit, answer: answer === undefined ? null : word(answer) };
  const expected = histories.map((given) => {
    const outcome = outcomeOf(given, SLOTS);
    return { ...outcome, audit: audit && outcome.audit, answer: answer === undefined ? null : outcome.answer };
  });
  const index = expected.findIndex((outcome) => isDeepStrictEqual(seen, outcome));
  if (index === -1) expect(seen).toEqual(expected[0]);
  return histories[index] ?? history;
}

async function take(manager: MortalManager, history: readonly Asked[], each: Step): Promise<Taken> {
  if (each.kind === 'restart') {
    if (!each.killed) await manager.stop();
    await (each.killed ? manager.crash() : manager.start());
    return { histories: [history], answer: undefined };
  }
  const { asked: given } = each;
  const after = [...history, given];
  if (each.kind === 'ask') return { histories: [after], answer: await ask(manager, given) };
  const { death: dies, again } = each;
  const overtake = dies.when === 'overtaken' ? (): Promise<unknown> => ask(manager, OVERTAKING) : undefined;
  const heard = await manager.crashIn(() => ask(manager, given), dies, overtake);
  // Time does not come back, and nobody takes back an answer.
  const isDone = heard !== undefined || given.kind === 'pass';
  const histories = possible(dies, manager.place, isDone ? after : history, after);
  if (!again || given.kind === 'pass') return { histories, answer: undefined };
  return { histories: histories.map((one) => [...one, given]), answer: await ask(manager, given) };
}

/** What the next manager may know of: `before`, if what the dead one wrote is lost, and `after`, if it is not. */
function possible(
  { when }: Death,
  { isFar }: Place,
  before: readonly Asked[],
  after: readonly Asked[],
): readonly (readonly Asked[])[] {
  switch (when) {
    case 'unsent':
      return [before];
    case 'unheard':
      return [after];
    case 'underway':
      return isFar ? [after] : [after, before];
    case 'late':
      return [isFar ? after : before];
    case 'overtaken':
      return [[...before, OVERTAKING]];
  }
}

async function live(place: Place, steps: readonly Step[]): Promise<void> {
  await place.empty();
  const manager = new MortalManager(place, POLICY, MODEL_START);
  await manager.start();
  try {
    let history: readonly Asked[] = [];
    for (const each of steps) history = await check(manager, history, each);
    // What it knew by heart is forgotten: what remains is what is kept.
    await check(manager, history, { kind: 'restart', killed: true });
  } finally {
    await manager.end();
  }
}

test.each([
  { store: 'embedded', place: () => Promise.resolve(embeddedPlace()), inShort: 200 },
  { store: 'etcd', place: etcdPlace, inShort: 60 },
])(
  'a manager on $store does what a tiny model of it does, whenever it dies',
  { timeout: 3_600_000 },
  async ({ place: open, inShort }) => {
    const place = await open();
    try {
      const property = fc.asyncProperty(sequence, (steps) => live(place, steps));
      await fc.assert(property, { numRuns: Number(SEQUENCES ?? inShort), timeout: STUCK_MS });
    } finally {
      await place.end();
    }
  },
);
