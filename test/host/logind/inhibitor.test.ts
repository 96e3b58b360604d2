import { describe, expect, test } from 'vitest';
import { blockersIn, parseInhibitors } from '../../../src/host/logind/inhibitor.ts';

describe('the list of inhibitors', () => {
  test('is read entry by entry', () => {
    expect(parseInhibitors([['shutdown:sleep', 'backup', 'Backing up', 'block', 1000, 42]])).toEqual([
      { what: ['shutdown', 'sleep'], who: 'backup', why: 'Backing up', mode: 'block', uid: 1000 },
    ]);
  });

  test('tells every text in one line', () => {
    const [one] = parseInhibitors([['shutdown', 'a\nb', `${'y'.repeat(500)}\u0007`, 'block', 0, 1]]);
    expect(one).toMatchObject({ who: 'a b' });
    expect(one?.why).toMatch(/^y{199}…$/);
  });

  test.each([
    ['no list', 'nonsense'],
    ['an entry that is none', [7]],
    ['a mode that is a number', [['shutdown', 'a', 'b', 1, 0, 1]]],
    ['a uid that is a text', [['shutdown', 'a', 'b', 'block', '0', 1]]],
    ['an entry too short', [['shutdown', 'a', 'b', 'block']]],
  ])('is refused whole with %s', (_name, value) => {
    expect(() => parseInhibitors(value)).toThrow(/^the list of inhibitors/);
  });
});

describe('what forbids a reboot', () => {
  test.each([
    ['shutdown', 'block', true],
    ['sleep:shutdown:idle', 'block', true],
    ['shutdown', 'block-weak', false],
    ['shutdown', 'delay', false],
    ['sleep:idle', 'block', false],
    ['shutdown-later', 'block', false],
  ])('%s in mode %s: %s', (what, mode, blocks) => {
    const inhibitors = parseInhibitors([[what, 'who', 'why', mode, 0, 1]]);
    expect(blockersIn(inhibitors)).toEqual(blocks ? inhibitors : []);
  });
});
