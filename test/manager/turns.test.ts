// Whose turn it is, over several turns: what a slot that is held open for somebody costs the others at most.
import { expect, test } from 'vitest';
import { type Bench, policies, policyOf, startBench, word } from '../support/manager.ts';

const SECOND = 1_000;
/** Who has waited so much longer comes first. */
const OVERDUE = 600 * SECOND;

/** A group of one slot, which `a` holds. */
async function held(): Promise<Bench> {
  const bench = await startBench(policies([policyOf('g', { overdueMs: OVERDUE })]));
  await bench.lock('a');
  return bench;
}

/** Lets time pass in which these ids ask every 300 s and are refused. */
async function poll({ lock, time }: Bench, seconds: number, ...ids: readonly string[]): Promise<void> {
  for (let left = seconds; left > 0; left -= 300) {
    for (const id of ids) expect(word(await lock(id))).not.toBe('granted');
    await time.pass(Math.min(300, left) * SECOND);
  }
}

test('a slot is not held open for somebody who has not asked within a poll', async () => {
  const bench = await held();
  await poll(bench, 900, 'old');
  await bench.time.pass(31 * SECOND);
  await bench.unlock('a');
  expect(word(await bench.lock('new'))).toBe('granted');
});

test('a slot is held open for one poll, not for one after the other', async () => {
  const bench = await held();
  await poll(bench, 900, 'first');
  await poll(bench, 900, 'first', 'second');
  expect(word(await bench.lock('first'))).toBe('slots_full');
  await bench.unlock('a');
  expect(word(await bench.lock('second'))).toBe('not_your_turn');
  await bench.time.pass(320 * SECOND);
  expect(word(await bench.lock('second'))).toBe('not_your_turn');
  await bench.time.pass(10 * SECOND + 1);
  // The first has lost his turn. The second asked a moment ago and comes before the third, but the poll is over.
  expect(word(await bench.lock('third'))).toBe('granted');
});

test('a holder who asks once more does not make the poll begin anew', async () => {
  const slots = { kind: 'count', count: 2 } as const;
  const bench = await startBench(policies([policyOf('g', { overdueMs: OVERDUE, slots })]));
  for (const id of ['a', 'b']) await bench.lock(id);
  await poll(bench, 900, 'first');
  await poll(bench, 900, 'first', 'second');
  expect(word(await bench.lock('first'))).toBe('slots_full');
  await bench.unlock('a');
  expect(word(await bench.lock('second'))).toBe('not_your_turn');
  await bench.time.pass(320 * SECOND);
  expect(word(await bench.lock('b'))).toBe('confirmed');
  expect(word(await bench.lock('second'))).toBe('not_your_turn');
  await bench.time.pass(10 * SECOND + 1);
  expect(word(await bench.lock('third'))).toBe('granted');
});

test('the next time it is held open for a whole poll again', async () => {
  const bench = await held();
  await poll(bench, 900, 'old', 'older');
  for (const id of ['old', 'older']) await bench.lock(id);
  await bench.unlock('a');
  expect(word(await bench.lock('new'))).toBe('not_your_turn');
  expect(word(await bench.lock('older'))).toBe('granted');
  await poll(bench, 600, 'old');
  await bench.lock('old');
  await bench.unlock('older');
  expect(await bench.lock('new')).toMatchObject({ kind: 'not_your_turn', retryAfterMs: 330 * SECOND });
});
