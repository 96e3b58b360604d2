import { expect, test } from 'vitest';
import { remembered } from '../../src/strategy/memo.ts';

test('what was worked out is kept, but not for ever more questions', () => {
  const memo = new Map<number, { readonly twice: number }>();
  let made = 0;
  const ask = (key: number): number =>
    remembered(memo, key, () => {
      made += 1;
      return { twice: 2 * key };
    }).twice;
  expect([ask(1), ask(1), made]).toEqual([2, 2, 1]);
  for (let key = 0; key < 10_000; key += 1) {
    expect([ask(key), ask(key)]).toEqual([2 * key, 2 * key]);
    expect(memo.size).toBeLessThanOrEqual(64);
  }
  expect(made).toBe(10_000);
});
