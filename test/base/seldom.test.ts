import { expect, test } from 'vitest';
import { seldom } from '../../src/base/seldom.ts';

test('is said at once, and then once a minute with a count', () => {
  let mono = 5;
  const said: string[] = [];
  const say = seldom(
    () => ({ wall: 0, mono }),
    (text) => said.push(text),
  );
  for (const at of [5, 6, 60_004, 60_005, 130_000]) {
    mono = at;
    say(`at ${at}`);
  }
  expect(said).toEqual(['at 5', 'at 60005 (and 2 more before it)', 'at 130000']);
});
