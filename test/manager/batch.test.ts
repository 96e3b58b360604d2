// Requests of several groups and ids that meet in one decision.
import { describe, expect, test } from 'vitest';
import { decideTogether, type LockRequest, type World } from '../../src/manager/batch.ts';
import { type GroupDocument, emptyDocument } from '../../src/manager/document.ts';
import type { Waiter } from '../../src/manager/order.ts';
import type { FleetState } from '../../src/manager/store/store.ts';
import { policies, policyOf, startBench, word } from '../support/manager.ts';

test('who waits first and may not have the slot leaves it to the next', async () => {
  const bench = await startBench(policies([policyOf('g'), policyOf('h')]));
  await bench.lock('x', 'h');
  const a = bench.wait('a', 50_000, 'h');
  await bench.time.pass(1_000);
  const b = bench.wait('b', 50_000, 'h');
  await bench.time.pass(1_000);
  // Now this one holds elsewhere.
  expect(word(await bench.lock('a', 'g'))).toBe('granted');
  await bench.unlock('x', 'h');
  await bench.time.settle();
  expect(word(a.answer)).not.toBe('granted');
  expect(word(b.answer)).toBe('granted');
});

test('an id whose slot soaks in one group gets a slot in one other only', async () => {
  const bench = await startBench(policies([policyOf('g', { soakMs: 60_000 }), policyOf('h'), policyOf('i')]));
  await bench.lock('a', 'g');
  expect(word(await bench.unlock('a', 'g'))).toBe('soaking');
  const both = await Promise.all([bench.lock('a', 'h'), bench.lock('a', 'i')]);
  expect(both.map(word)).toEqual(['granted', 'held_elsewhere']);
});

describe('a group for which many ask at once', () => {
  const NOW = 1_700_000_000_000;
  const CROWD = 2_000;
  /** Canaries; counts how often it is asked who is one. */
  class Canaries extends Set<string> {
    asked = 0;

    override has(id: string): boolean {
      this.asked += 1;
      return super.has(id);
    }
  }

  /** Everybody has been refused a minute ago, and half of them ask again. */
  function crowd(slots: number, held: readonly string[]): { answers: readonly string[]; asked: number; looks: number } {
    const first = new Canaries(['canary-1', 'canary-2']);
    const waiters = Array.from({ length: CROWD }, (_, index): Waiter => {
      return { id: `node-${index}`, since: NOW - 60_000, lastAsked: NOW - 60_000, connected: false };
    });
    let looks = 0;
    const policy = { ...policyOf('g'), precedence: { first, overdueMs: 21_600_000 } };
    const world: World = {
      now: NOW,
      draining: false,
      policy: () => policy,
      onDemand: () => null,
      closed: () => null,
      seen: () => 0,
      waiters: () => ((looks += 1), waiters),
      lastKnown: () => null,
      holding: (id) => (held.includes(id) ? ['g'] : []),
      heldOpen: () => null,
    };
    const holders = held.map((id) => ({ id, since: NOW, soakUntil: null, waited: false }));
    const document: GroupDocument = { ...emptyDocument(slots, String(slots)), holders };
    const state: FleetState = {
      groups: new Map([['g', { kind: 'good', document, found: [] }]]),
      fleet: { freeze: null },
    };
    const requests = Array.from({ length: CROWD / 2 }, (_, index): LockRequest => {
      const [id, actor] = [`node-${index * 2}`, { by: 'node', reason: '' }];
      return { kind: 'lock', group: 'g', id, actor, since: NOW - 60_000, waited: false };
    });
    const { answers } = decideTogether(state, requests, world);
    return { answers: answers.map(word), asked: first.asked, looks };
  }

  const count = (answers: readonly string[], kind: string): number => answers.filter((each) => each === kind).length;
  /** What it takes to put so many in order, and no more: not each of them with each other. */
  const ORDERED = 4 * CROWD * Math.ceil(Math.log2(CROWD));

  test('and that is full does not ask who comes first, and knows its holders', () => {
    const { answers, asked, looks } = crowd(1, ['node-10']);
    expect([count(answers, 'confirmed'), count(answers, 'slots_full')]).toEqual([1, CROWD / 2 - 1]);
    expect(looks).toBe(0);
    expect(asked).toBeLessThan(ORDERED);
  });

  test('and that has a slot left asks once', () => {
    const { answers, asked, looks } = crowd(500, []);
    expect([count(answers, 'granted'), count(answers, 'slots_full')]).toEqual([500, CROWD / 2 - 500]);
    expect(looks).toBe(1);
    expect(asked).toBeLessThan(ORDERED);
  });
});

test('of those who ask at once, who holds in another group is told that and not that there is no slot', async () => {
  const bench = await startBench(policies([policyOf('g'), policyOf('h')]));
  await bench.lock('x', 'g');
  await bench.lock('b', 'h');
  const ids = ['a', 'b', 'x', 'c'];
  const answers = await Promise.all(ids.map((id) => bench.lock(id, 'g')));
  expect(answers.map(word)).toEqual(['slots_full', 'held_elsewhere', 'confirmed', 'slots_full']);
});
