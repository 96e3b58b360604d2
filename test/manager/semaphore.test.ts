import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../src/manager/answer.ts';
import { decideTogether, type Request, type World } from '../../src/manager/batch.ts';
import { byBytes, emptyDocument, holderOf } from '../../src/manager/document.ts';
import type { Change, FleetState } from '../../src/manager/store/store.ts';
import { anyCommand, type Command, Model, MODEL_RULES } from './model.ts';

const RUNS = Number(process.env['HOLDPOINT_RUNS'] ?? 10_000);
const ACTOR = { by: 'node', reason: '' };

function world(now: number, { groups }: FleetState): World {
  return {
    now,
    draining: false,
    policy: () => ({
      rules: MODEL_RULES,
      precedence: { first: new Set(), overdueMs: 1_000_000 },
      slots: { kind: 'count', count: 2 },
    }),
    onDemand: () => null,
    closed: () => null,
    seen: () => 0,
    waiters: () => [],
    lastKnown: () => null,
    holding: (id) =>
      [...groups].flatMap(([name, entry]) =>
        entry.kind === 'good' && holderOf(entry.document, id) !== undefined ? [name] : [],
      ),
    heldOpen: () => null,
  };
}

function requestOf(command: Command, now: number): Request | null {
  switch (command.kind) {
    case 'pass':
      return null;
    case 'lock':
    case 'lockAfterWait':
      return {
        kind: 'lock',
        group: 'g',
        id: command.id,
        actor: ACTOR,
        since: now,
        waited: command.kind === 'lockAfterWait',
      };
    case 'unlock':
    case 'force':
      return { kind: command.kind, group: 'g', id: command.id, actor: ACTOR };
    case 'takeBack':
      return { kind: 'takeBack', group: 'g', id: command.id };
    case 'resize':
      return { kind: 'resize', group: 'g', slots: command.slots, actor: ACTOR };
    case 'freeze': {
      const freeze = { since: now, until: command.forMs === null ? null : now + command.forMs, ...ACTOR };
      return command.fleet ? { kind: 'freezeFleet', group: null, freeze } : { kind: 'freeze', group: 'g', freeze };
    }
    case 'thaw':
      return command.fleet
        ? { kind: 'thawFleet', group: null, actor: ACTOR }
        : { kind: 'thaw', group: 'g', actor: ACTOR };
    case 'settle':
      return { kind: 'settle', group: 'g' };
  }
}

function word(answer: Answer | null | undefined): string | null {
  if (answer === null || answer === undefined) return null;
  return answer.ok ? answer.outcome : answer.kind;
}

function apply(state: FleetState, change: Change | null): FleetState {
  if (change === null) return state;
  const groups = new Map(state.groups);
  for (const [name, document] of change.groups) groups.set(name, { kind: 'good', document, found: [] });
  return { groups, fleet: change.fleet ?? state.fleet };
}

function documentOf(state: FleetState) {
  const entry = state.groups.get('g');
  return entry?.kind === 'good' ? entry.document : emptyDocument(2, '2');
}

describe('a semaphore', () => {
  test('does what a tiny model of it does', { timeout: 120_000 }, () => {
    const run = (commands: readonly Command[]): void => {
      const model = new Model(2);
      let state: FleetState = { groups: new Map(), fleet: { freeze: null } };
      for (const command of commands) {
        const request = requestOf(command, model.now);
        const expected = model.apply(command);
        if (request === null) continue;
        const before = documentOf(state);
        const { change, answers } = decideTogether(state, [request], world(model.now, state));
        if (command.kind !== 'settle') expect(word(answers[0])).toBe(expected);
        if (change !== null) expect(change.audit.length).toBeGreaterThan(0);
        if (answers[0]?.ok === false) expect(change).toBeNull();
        state = apply(state, change);
        const { holders, slots } = documentOf(state);
        const standing = holders.filter(({ soakUntil }) => soakUntil === null || soakUntil > model.now);
        expect(
          Object.fromEntries(standing.map(({ id, since, soakUntil, waited }) => [id, { since, soakUntil, waited }])),
        ).toEqual(model.holders());
        expect(slots).toBe(model.slots);
        expect(holders.map(({ id }) => id)).toEqual([...new Set(holders.map(({ id }) => id))].toSorted(byBytes));
        // Nobody is added beyond the slots; a smaller number evicts nobody.
        expect(holders.length).toBeLessThanOrEqual(Math.max(slots, before.holders.length));
      }
    };
    fc.assert(fc.property(fc.array(anyCommand, { maxLength: 40 }), run), { numRuns: RUNS });
  });

  test('answers requests that arrive together as it would one after the other', () => {
    const pair = fc.array(
      anyCommand.filter(({ kind }) => kind !== 'pass' && kind !== 'lockAfterWait'),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 12 }), pair, (before, together) => {
        const model = new Model(2);
        let state: FleetState = { groups: new Map(), fleet: { freeze: null } };
        for (const command of before) {
          const request = requestOf(command, model.now);
          model.apply(command);
          if (request !== null) state = apply(state, decideTogether(state, [request], world(model.now, state)).change);
        }
        const requests = together.flatMap((command) => requestOf(command, model.now) ?? []);
        // Whatever frees something comes first, then requests for slots: in that order one by one.
        const ordered = [
          ...requests.filter(({ kind }) => kind !== 'lock'),
          ...requests.filter(({ kind }) => kind === 'lock'),
        ];
        let single = state;
        const words = new Map<Request, string | null>();
        for (const request of ordered) {
          const { change, answers } = decideTogether(single, [request], world(model.now, single));
          words.set(request, word(answers[0]));
          single = apply(single, change);
        }
        const all = decideTogether(state, requests, world(model.now, state));
        expect(all.answers.map(word)).toEqual(requests.map((request) => words.get(request) ?? null));
        expect(apply(state, all.change)).toEqual(single);
      }),
      { numRuns: Math.min(RUNS, 2_000) },
    );
  });
});

test('the order of holders is that of their bytes', () => {
  const text = fc.string({ unit: 'binary', maxLength: 6 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(byBytes(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { numRuns: 20_000 },
  );
});
