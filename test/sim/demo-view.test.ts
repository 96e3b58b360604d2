import { describe, expect, test } from 'vitest';
import { type DemoEvent, textView } from '../../src/sim/demo-view.ts';

const LONG: DemoEvent = { event: 'state', state: 'holding', target: '42.2', text: `x${'yz'.repeat(200)}` };

/** What a terminal that is `columns` wide gets to see of an event, without the control sequences. */
function shown(columns: number | undefined, event: DemoEvent, isTTY = true): string {
  const out: string[] = [];
  const screen = { stdout: (text: string) => void out.push(text), stderr: () => undefined, isTTY };
  textView({ ...screen, columns: () => columns }, performance.now())(event);
  return ['\r', '\u001b[2K', '\u001b[2m', '\u001b[0m'].reduce((text, code) => text.replaceAll(code, ''), out.join(''));
}

describe('the state of the moment', () => {
  test.each([200, 100, 80, 40, 12])('fits a terminal of %i columns', (columns) => {
    const line = shown(columns, LONG);
    expect(line).toHaveLength(columns - 1);
    expect(line).toMatch(columns > 12 ? /^ {9}xy.*…$/ : /^ {9}x…$/);
    expect(shown(columns, { event: 'reboot', from: '42.1' }).length).toBeLessThan(columns);
  });

  test.each([0, 5, 9, 10])('leaves a terminal of %i columns alone', (columns) => {
    expect(shown(columns, LONG).trim()).toBe('');
  });

  test('fits eighty columns where nobody knows', () => {
    expect(shown(undefined, LONG)).toHaveLength(79);
  });

  test('follows a terminal that changes', () => {
    const out: string[] = [];
    let columns = 60;
    const screen = { stdout: (text: string) => void out.push(text), stderr: () => undefined, isTTY: true };
    const view = textView({ ...screen, columns: () => columns }, performance.now());
    view(LONG);
    columns = 30;
    view(LONG);
    expect((out[0]?.length ?? 0) - (out[1]?.length ?? 0)).toBe(30);
  });

  test('is whole where it is no terminal', () => {
    expect(shown(20, LONG, false)).toMatch(/(?:yz){200}\n$/);
  });
});
