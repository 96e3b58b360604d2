import { describe, expect, test } from 'vitest';
import { agentProperties } from '../../../src/agent/dbus/properties.ts';
import type { AgentView } from '../../../src/agent/dbus/view.ts';
import { GATES } from '../../../src/agent/gates/gate.ts';
import type { AgentState } from '../../../src/agent/machine/state.ts';
import { VERSION } from '../../../src/base/version.ts';
import {
  BOOT_WALL,
  EMPTY_GRAPH,
  HOUR,
  INTERVAL,
  MINUTE,
  SECOND,
  graph,
  instant,
} from '../../support/agent-builders.ts';
import { Driver } from '../../support/agent-driver.ts';
import { held, rebooting, settled } from '../../support/agent-situations.ts';

/** The interface over a state, as at a moment. */
function view(state: AgentState, mono: number, wallDrift = 0): AgentView {
  const { wall } = instant(mono);
  const never = (): never => expect.fail('nothing is ordered here');
  const clock = (): ReturnType<AgentView['clock']> => ({ mono, wall: wall + wallDrift });
  return { clock, state: () => state, line: () => 'the line', postpone: never, order: never, explain: never };
}

function values({ state, mono }: Pick<Driver, 'state' | 'mono'>): Readonly<Record<string, unknown>> {
  const entries = Object.entries(agentProperties(view(state, mono)));
  return Object.fromEntries(entries.map(([name, { get }]) => [name, get()]));
}

const secs = (mono: number): number => Math.floor((BOOT_WALL + mono) / 1000);

describe('the phase', () => {
  test('of an agent that has just begun has nothing yet', () => {
    expect(values(new Driver())).toMatchObject({
      State: 'starting',
      Booted: '',
      Target: '',
      LastCheck: 0,
      LastCheckResult: '',
      LastCheckText: '',
      LastError: '',
      PausedUntil: 0,
      PostponeAllowed: 0,
      Status: 'the line',
      Version: VERSION,
    });
  });

  test('tells what runs and what is to come, and since when', () => {
    const driver = held({}, { pause: true });
    const { since } = driver.state;
    expect(values(driver)).toMatchObject({ State: 'holding', Booted: '42.1', Target: '42.2', Since: secs(since.mono) });
    expect(values(rebooting())).toMatchObject({ State: 'rebooting', Target: '42.2' });
  });
});

describe('Gates', () => {
  const gates = (driver: Driver): readonly (readonly unknown[])[] => values(driver)['Gates'] as never;

  test('are all there, in order, with what an open one needs not say left out', () => {
    const list = gates(settled());
    expect(list.map(([name]) => name)).toEqual(GATES);
    for (const gate of list) expect(gate.slice(1)).toEqual([true, '', '', 0]);
  });

  test('that are closed say why, what opens them, and when if that is known', () => {
    const driver = settled();
    driver.send({ kind: 'pause', by: 'root', until: BOOT_WALL + HOUR, reason: 'backup' });
    const [pause] = gates(driver).filter(([name]) => name === 'pause');
    expect(pause).toEqual(['pause', false, 'paused by root (backup)', 'the end of the pause', secs(HOUR)]);
    driver.send({ kind: 'pause', by: 'root', until: null, reason: '' });
    expect(gates(driver).find(([name]) => name === 'pause')?.[4]).toBe(0);
  });

  test('are the same when only the clock was read a millisecond later', () => {
    const driver = settled({ minUptimeMs: driver0Mono() + HOUR });
    const [first, second] = [0, 1].map(
      (drift) => agentProperties(view(driver.state, driver.mono, drift - 1))['Gates']!,
    );
    expect(first!.get()).not.toEqual(second!.get());
    expect(first!.same!(first!.get(), second!.get())).toBe(true);
  });

  test('are not when one has closed, or gives another reason', () => {
    const driver = settled();
    const { get, same } = agentProperties(view(driver.state, driver.mono))['Gates']!;
    const before = get();
    driver.send({ kind: 'pause', by: 'root', until: null, reason: 'a' });
    const paused = agentProperties(view(driver.state, driver.mono))['Gates']!.get();
    expect(same!(before, paused)).toBe(false);
    driver.send({ kind: 'pause', by: 'root', until: null, reason: 'b' });
    expect(same!(paused, agentProperties(view(driver.state, driver.mono))['Gates']!.get())).toBe(false);
  });

  function driver0Mono(): number {
    return settled().mono;
  }
});

describe('NextEvaluation', () => {
  test('is when the agent wakes up', () => {
    const driver = settled();
    expect(driver.state.wakeAt).not.toBeNull();
    expect(values(driver)['NextEvaluation']).toBe(secs(driver.state.wakeAt!));
  });

  test('is 0 while only an event can change anything', () => {
    const { state, mono } = settled();
    expect(values({ state: { ...state, wakeAt: null }, mono })['NextEvaluation']).toBe(0);
  });

  test('may come out a second beside, which is no news; coming and going is', () => {
    const { same } = agentProperties(view(settled().state, 0))['NextEvaluation']!;
    const pairs = [
      [5, 5],
      [5, 6],
      [6, 5],
      [5, 7],
      [0, 1],
      [1, 0],
    ] as const;
    expect(pairs.map(([a, b]) => same!(a, b))).toEqual([true, true, true, false, false, false]);
  });
});

describe('the last look at the graph', () => {
  test('is under way, then tells what it found and when', () => {
    const driver = settled();
    driver.pass(INTERVAL);
    expect(driver.asked).toContain('fetchGraph');
    expect(values(driver)['Checking']).toBe(true);
    driver.graphRead(graph([1]));
    expect(values(driver)).toMatchObject({
      Checking: false,
      LastCheck: secs(driver.mono),
      LastCheckResult: 'newest',
      LastCheckText: '42.1 is the newest release',
      LastError: '',
    });
  });

  test('may find an update', () => {
    const driver = settled();
    driver.pass(INTERVAL);
    driver.graphRead(graph([1, 2]));
    expect(values(driver)).toMatchObject({
      Target: '42.2',
      LastCheckResult: 'update',
      LastCheckText: 'there is an update to 42.2',
    });
  });

  test('may fail, and the time of the last good answer stays', () => {
    const driver = settled();
    driver.pass(INTERVAL);
    driver.graphRead(EMPTY_GRAPH);
    const at = driver.mono;
    driver.pass(2 * INTERVAL);
    driver.fails('fetchGraph', 'transient', 'no answer in time');
    expect(values(driver)).toMatchObject({
      LastCheck: secs(at),
      LastCheckResult: 'failed',
      LastCheckText: 'no answer in time',
      LastError: 'no answer in time',
    });
  });
});

test('LastError names what began last first', () => {
  const { state, mono } = settled();
  const trouble = (text: string, at: number): object => ({ text, since: instant(at), count: 1, nextTry: null });
  const troubles = { host: trouble('old', SECOND), memory: trouble('new', MINUTE) } as AgentState['troubles'];
  expect(values({ state: { ...state, troubles }, mono })['LastError']).toBe('new; old');
});

test.each([
  [null, 0],
  [{ until: null, reason: '', by: 'root', since: 0 }, -1],
  [{ until: BOOT_WALL + HOUR, reason: '', by: 'root', since: 0 }, secs(HOUR)],
])('PausedUntil of %o is %i', (pause, expected) => {
  const { state, mono } = settled();
  expect(values({ state: { ...state, memory: { ...state.memory, pause } }, mono })['PausedUntil']).toBe(expected);
});

test('PausedUntil is 0 from the moment at which the pause is over, also while nothing has happened since', () => {
  const { state, mono } = settled();
  const pause = { until: BOOT_WALL + HOUR, reason: '', by: 'root', since: 0 };
  const paused = { ...state, memory: { ...state.memory, pause } };
  const at = (when: number): unknown => values({ state: paused, mono: when })['PausedUntil'];
  expect([mono, HOUR - 1, HOUR, 2 * HOUR].map(at)).toEqual([secs(HOUR), secs(HOUR), 0, 0]);
});

test('Status with moments a second beside is no news; with other words or moments it is', () => {
  const { same } = agentProperties(view(settled().state, 0))['Status']!;
  const line = (...at: readonly string[]): string => at.map((time) => `next at 2026-07-23T${time}Z`).join('; ');
  const first = line('14:00:00', '15:00:00');
  expect(same!(first, line('14:00:01', '14:59:59'))).toBe(true);
  expect(same!(first, line('14:00:00', '15:00:02'))).toBe(false);
  expect(same!(first, line('14:00:00'))).toBe(false);
  expect(same!(first, first.replace('next', 'again'))).toBe(false);
});
