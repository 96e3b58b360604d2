// Requests of several groups and ids that meet in one decision.
import { expect, test } from 'vitest';
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
