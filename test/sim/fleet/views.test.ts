import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FleetEvent, FleetPlan } from '../../../src/sim/fleet/events.ts';
import { TableView, jsonView, textView } from '../../../src/sim/fleet/views.ts';
import { fakeTerminal } from './terminal.ts';

const PLAN: FleetPlan = {
  hosts: ['host-1', 'host-2', 'host-3'],
  slots: 1,
  store: 'embedded',
  from: '43.20260217.3.1',
  to: '44.20260707.3.1',
  hops: 2,
};
const state = (host: string, name: string, text = ''): FleetEvent => ({
  host,
  event: 'state',
  state: name,
  target: '44.20260707.3.1',
  text,
});
const EVENTS: readonly FleetEvent[] = [
  { event: 'start', ...PLAN },
  { host: 'host-1', event: 'boot', version: '43.20260217.3.1', boot: 1 },
  { host: 'manager', event: 'log', level: 'info', text: 'serving' },
  state('host-1', 'staging', 'staging 44.20260707.3.1 (45%)'),
  state('host-2', 'releasing'),
  { host: 'host-2', event: 'slot', action: 'granted' },
  state('host-2', 'rebooting'),
  { host: 'host-2', event: 'down', down: 1 },
  { host: 'host-2', event: 'reboot', from: '43.20260217.3.1' },
  { host: 'host-3', event: 'log', level: 'warn', text: `something ${'very '.repeat(30)}long` },
  { host: 'host-2', event: 'boot', version: '44.20260707.3.1', boot: 2 },
];
const END: FleetEvent = {
  event: 'end',
  ok: true,
  from: PLAN.from,
  to: PLAN.to,
  reboots: 6,
  most: 1,
  gapMs: 41.6,
  gaps: 5,
};

describe('the table', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  test('shows every host as it is now', () => {
    const terminal = fakeTerminal(80, 24);
    const view = new TableView(terminal, () => 12_345, PLAN);
    for (const event of EVENTS) view.show(event);
    vi.advanceTimersByTime(100);
    expect(terminal.lines().slice(3, -1)).toEqual([
      ` 12.3 s  host-3  warn: something ${'very '.repeat(9)}v…`,
      '  host-1  43.20260217.3.1  hop 0/2  ░░░░░░░░░░░░░░░░  staging 45%',
      '  host-2  44.20260707.3.1  hop 1/2  ████████░░░░░░░░  back: starting its agent',
      '  host-3  43.20260217.3.1  hop 0/2  ░░░░░░░░░░░░░░░░  booting',
      ' 12.3 s   1 of 1 down now, at most 1 so far',
    ]);
    expect(terminal.wrapped()).toEqual([]);
  });

  test.each([
    [80, 24],
    [60, 24],
    [40, 6],
    [20, 3],
    [1, 1],
  ])('keeps within a terminal of %i columns and %i rows, and leaves it in order', (columns, rows) => {
    const terminal = fakeTerminal(columns, rows);
    const view = new TableView(terminal, () => 0, PLAN);
    const [start, ...others] = EVENTS;
    view.show(start!);
    // What stands above the table may be wider: it is printed once.
    const before = terminal.wrapped().length;
    for (const event of others) {
      view.show(event);
      vi.advanceTimersByTime(100);
    }
    expect(terminal.wrapped().length).toBe(before);
    expect(terminal.isCursorShown()).toBe(false);
    // Nothing has scrolled away where it could not be drawn over.
    if (rows >= 3 && columns >= 20) expect(terminal.lines().filter((line) => line.includes(' s   '))).toHaveLength(1);
    view.show(END);
    expect(terminal.isCursorShown()).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is drawn at a rate of its own, however much happens', () => {
    const terminal = fakeTerminal(80, 24);
    const view = new TableView(terminal, () => 0, PLAN);
    view.show(EVENTS[0]!);
    const before = terminal.writes();
    for (let times = 0; times < 1000; times += 1) view.show(state('host-1', times % 2 === 0 ? 'watching' : 'staging'));
    vi.advanceTimersByTime(1000);
    expect(terminal.writes() - before).toBeLessThanOrEqual(10);
    view.end();
  });

  test('leaves the terminal in order when it ends early', () => {
    const terminal = fakeTerminal(80, 24);
    const view = new TableView(terminal, () => 0, PLAN);
    view.show(EVENTS[0]!);
    vi.advanceTimersByTime(100);
    view.end();
    expect(terminal.isCursorShown()).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('without a terminal', () => {
  const shown = (events: readonly FleetEvent[]): readonly string[] => {
    const out: string[] = [];
    const view = textView(
      (text) => out.push(text),
      () => 61_700,
      PLAN,
    );
    for (const event of events) view.show(event);
    return out.join('').split('\n');
  };

  test('there is a line for each event, but for the chatter', () => {
    expect(shown(EVENTS).slice(3)).toEqual([
      ' 61.7 s  host-1  boot 1  43.20260217.3.1',
      ' 61.7 s  host-1  staging 45% 44.20260707.3.1',
      ' 61.7 s  host-2  waiting for a slot 44.20260707.3.1',
      ' 61.7 s  host-2  the slot was granted',
      ' 61.7 s  host-2  rebooting … 44.20260707.3.1',
      ' 61.7 s  host-2  down; 1 down now',
      ' 61.7 s  host-2  shuts down',
      ` 61.7 s  host-3  warn: something ${'very '.repeat(30)}long`,
      ' 61.7 s  host-2  boot 2  44.20260707.3.1',
      '',
    ]);
  });

  test('the end is one line', () => {
    expect(shown([END])).toEqual([
      '',
      '3 hosts went from 43.20260217.3.1 to 44.20260707.3.1 in 6 reboots and 62 s. At most 1 was down at once (1 slot); the next reboot began 42 ms after a slot was free (median of 5).',
      '',
    ]);
    expect(shown([{ ...END, gapMs: null }])[1]).toContain('(1 slot); nobody had to wait.');
    expect(shown([{ event: 'end', ok: false, error: 'interrupted' }])[1]).toBe('The demo ended early: interrupted.');
  });

  test('with JSON, every event is an object in a line', () => {
    const out: string[] = [];
    const view = jsonView(
      (text) => out.push(text),
      () => 1.6,
    );
    for (const event of EVENTS) view.show(event);
    expect(out.map((line) => JSON.parse(line) as unknown)).toEqual(EVENTS.map((event) => ({ ms: 2, ...event })));
  });
});
