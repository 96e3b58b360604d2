import { describe, expect, test } from 'vitest';
import { LiveLines } from '../../../src/sim/fleet/live.ts';
import { fakeTerminal } from './terminal.ts';

describe('lines in place', () => {
  test('are drawn over those before, whether there were more or fewer', () => {
    const terminal = fakeTerminal(80, 24);
    const live = new LiveLines(terminal);
    live.draw(['one', 'two and more', 'three']);
    live.draw(['eins', 'zwei']);
    expect(terminal.lines()).toEqual(['eins', 'zwei', '']);
    live.draw(['1', '2', '3']);
    expect(terminal.lines()).toEqual(['1', '2', '3', '']);
  });

  test('are not drawn again when nothing has changed', () => {
    const terminal = fakeTerminal(80, 24);
    const live = new LiveLines(terminal);
    live.draw(['one']);
    live.draw(['one']);
    expect(terminal.writes()).toBe(1);
  });

  test('stay below what is printed meanwhile', () => {
    const terminal = fakeTerminal(80, 24);
    const live = new LiveLines(terminal);
    live.print('first');
    live.draw(['one', 'two']);
    live.print('second');
    live.draw(['one', 'two!']);
    expect(terminal.lines()).toEqual(['first', 'second', 'one', 'two!', '']);
  });

  test('hide the cursor, and show it again at the end, once', () => {
    const terminal = fakeTerminal(80, 24);
    const live = new LiveLines(terminal);
    live.draw(['one']);
    expect(terminal.isCursorShown()).toBe(false);
    live.end();
    expect(terminal.isCursorShown()).toBe(true);
    const writes = terminal.writes();
    live.end();
    expect(terminal.writes()).toBe(writes);
    terminal.write('after\n');
    expect(terminal.lines()).toEqual(['one', 'after', '']);
  });
});
