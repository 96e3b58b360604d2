import { describe, expect, test } from 'vitest';
import type { EventBody, EventKind } from '../../../src/agent/machine/event.ts';
import type { AsyncKind, PhaseName } from '../../../src/agent/machine/state.ts';
import type { Step } from '../../../src/agent/machine/step.ts';
import {
  AROUND,
  INTERVAL,
  MINUTE,
  commit,
  graph,
  instant,
  lockAt,
  reading,
  settings,
  stagedDeployment,
} from '../../support/agent-builders.ts';
import { Driver } from '../../support/agent-driver.ts';

/**
 * Each phase in its most typical situation: with the question open that this phase waits for. Release 1 runs, release 2
 * is the target, server a has the slot.
 */
const SITUATIONS: Readonly<Record<PhaseName, () => Driver>> = {
  starting: () => {
    const driver = new Driver({ settings: settings({ lock: lockAt('a') }) });
    driver.send({ kind: 'started' });
    return driver;
  },
  disabled: () => {
    const driver = started({ enabled: false });
    driver.looked(reading(driver.mono, 1));
    return looking(driver);
  },
  watching: () => {
    const driver = watching();
    driver.pass(INTERVAL);
    return looking(driver);
  },
  staging: () => {
    const driver = watching();
    driver.pass(INTERVAL);
    driver.graphRead(graph([1, 2]));
    driver.pass(2 * INTERVAL);
    return looking(driver);
  },
  holding: () => looking(holding()),
  releasing: () => {
    const driver = holding();
    driver.send({ kind: 'resume', by: 'root' });
    return looking(driver);
  },
  rebooting: () => {
    const driver = holding();
    driver.send({ kind: 'resume', by: 'root' });
    driver.granted();
    driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
    return looking(driver);
  },
};

/** With a question about the host open as well. */
function looking(driver: Driver): Driver {
  driver.send({ kind: 'hostChanged' });
  return driver;
}

function started(change: Parameters<typeof settings>[0] = {}): Driver {
  const driver = new Driver({ settings: settings({ lock: lockAt('a'), ...change }) });
  driver.send({ kind: 'started' });
  driver.reported();
  return driver;
}

function watching(): Driver {
  const driver = started();
  driver.looked(reading(driver.mono, 1));
  return driver;
}

/** Staged, and paused so that nothing goes on. */
function holding(): Driver {
  const driver = watching();
  driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
  driver.pass(INTERVAL);
  driver.graphRead(graph([1, 2]));
  driver.staged(reading(driver.mono, 1, stagedDeployment(2)));
  driver.pass(2 * INTERVAL);
  return driver;
}

/** Each event as it is typical; results answer the open question of their kind, or one that was never asked. */
const EVENTS: { readonly [K in EventKind]: (driver: Driver) => Extract<EventBody, { kind: K }> } = {
  started: () => ({ kind: 'started' }),
  tick: () => ({ kind: 'tick' }),
  configured: () => ({ kind: 'configured', settings: settings({ lock: lockAt('b') }) }),
  hostChanged: () => ({ kind: 'hostChanged' }),
  aroundChanged: () => ({ kind: 'aroundChanged' }),
  lookedAround: (driver) => ({ kind: 'lookedAround', id: idOf(driver, 'lookAround'), around: AROUND }),
  hooksDone: (driver) => ({ kind: 'hooksDone', id: idOf(driver, 'hooks'), outcome: { kind: 'passed' } }),
  rolledBack: (driver) => ({ kind: 'rolledBack', id: idOf(driver, 'rollback') }),
  postpone: () => ({ kind: 'postpone', by: 'ann', forMs: MINUTE }),
  looked: (driver) => ({ kind: 'looked', id: idOf(driver, 'look'), reading: now(driver) }),
  graphRead: (driver) => ({ kind: 'graphRead', id: idOf(driver, 'fetchGraph'), graph: graph([1, 2, 3]) }),
  stageProgress: (driver) => ({ kind: 'stageProgress', id: idOf(driver, 'stage'), text: '40 %' }),
  staged: (driver) => ({ kind: 'staged', id: idOf(driver, 'stage'), reading: now(driver) }),
  discarded: (driver) => ({ kind: 'discarded', id: idOf(driver, 'discard'), reading: now(driver) }),
  finalized: (driver) => ({ kind: 'finalized', id: idOf(driver, 'finalize') }),
  slotGranted: (driver) => ({ kind: 'slotGranted', id: idOf(driver, 'lock') }),
  slotRefused: (driver) => ({ kind: 'slotRefused', id: idOf(driver, 'lock'), text: 'HTTP 409: slots_full' }),
  reported: (driver) => ({ kind: 'reported', id: idOf(driver, 'report') }),
  failed: (driver) => failed(driver, MAIN[driver.phase]),
  memoryFailed: () => ({ kind: 'memoryFailed', text: 'ENOSPC' }),
  memoryWritten: () => ({ kind: 'memoryWritten' }),
  driversSeen: () => ({ kind: 'driversSeen', drivers: [{ name: 'zincati.service', advice: 'stop it' }] }),
  pause: (driver) => ({
    kind: 'pause',
    by: 'root',
    until: instant(driver.mono).wall + 10 * MINUTE,
    reason: 'maintenance',
  }),
  resume: () => ({ kind: 'resume', by: 'root' }),
  checkNow: () => ({ kind: 'checkNow', by: 'root' }),
  updateNow: () => ({ kind: 'updateNow', by: 'root', forMs: 10 * MINUTE }),
  cancel: () => ({ kind: 'cancel', by: 'root' }),
  skip: () => ({ kind: 'skip', by: 'root', version: '42.2' }),
  unskip: () => ({ kind: 'unskip', by: 'root', version: '42.2' }),
  stop: () => ({ kind: 'stop', hostGoesDown: false }),
};

/** What the phase waits for, and what fails in it. */
const MAIN: Readonly<Record<PhaseName, AsyncKind>> = {
  starting: 'look',
  disabled: 'look',
  watching: 'fetchGraph',
  staging: 'stage',
  holding: 'fetchGraph',
  releasing: 'lock',
  rebooting: 'finalize',
};

function failed(driver: Driver, effect: AsyncKind): Extract<EventBody, { kind: 'failed' }> {
  return { kind: 'failed', effect, id: idOf(driver, effect), failure: { class: 'transient', text: 'not now' } };
}

function idOf(driver: Driver, kind: string): number {
  return driver.open.find((effect) => effect.kind === kind)?.id ?? 999;
}

/** What the host looks like in the phase. */
function now(driver: Driver): ReturnType<typeof reading> {
  const isThere = driver.phase === 'staging' || 'target' in driver.state.phase;
  return reading(driver.mono, 1, isThere ? stagedDeployment(2) : null);
}

const PHASES = ['starting', 'disabled', 'watching', 'staging', 'holding', 'releasing', 'rebooting'] as const;

type RowOf<T extends readonly unknown[]> = { readonly [K in keyof T]: string };
type Row = RowOf<typeof PHASES>;

/**
 * What each event leads to in each phase: `-` ignored, `=` the phase stays; else the phase that follows. Then the
 * effects in their order, but for `wake`.
 */
// prettier-ignore
const TABLE: Readonly<Record<EventKind, Row>> = {
  //             starting            disabled                   watching            staging                   holding                   releasing                            rebooting
  started:       ['=',                '-',                       '-',                '-',                      '-',                      '-',                                 '-'],
  tick:          ['=',                '=',                       '=',                '=',                      '=',                      '=',                                 '='],
  configured:    ['= persist',        'watching persist report', '= persist report', '= persist report',       '= persist report',       'holding cancelLock persist report', '='],
  hostChanged:   ['=',                '=',                       '=',                '=',                      '=',                      '=',                                 '='],
  // Where nothing of the surroundings matters, nothing is asked and nothing answered.
  aroundChanged: ['=',                '=',                       '=',                '=',                      '=',                      '=',                                 '='],
  lookedAround:  ['-',                '-',                       '-',                '-',                      '-',                      '-',                                 '-'],
  hooksDone:     ['-',                '-',                       '-',                '-',                      '-',                      '-',                                 '-'],
  rolledBack:    ['-',                '-',                       '-',                '-',                      '-',                      '-',                                 '-'],
  postpone:      ['=',                '=',                       '=',                '=',                      '=',                      '=',                                 '='],
  looked:        ['watching persist', '=',                       '=',                '=',                      '=',                      '=',                                 '='],
  graphRead:     ['-',                '-',                       'staging persist',  '=',                      'staging persist',        'staging cancelLock persist',        '='],
  stageProgress: ['-',                '-',                       '-',                '=',                      '-',                      '-',                                 '-'],
  staged:        ['-',                '-',                       '-',                'releasing persist lock', '-',                      '-',                                 '-'],
  discarded:     ['-',                '-',                       '-',                '-',                      '-',                      '-',                                 '-'],
  finalized:     ['-',                '-',                       '-',                '-',                      '-',                      '-',                                 '= persist'],
  slotGranted:   ['-',                '-',                       '-',                '-',                      '-',                      '= persist',                         '-'],
  slotRefused:   ['-',                '-',                       '-',                '-',                      '-',                      'holding persist',                   '-'],
  reported:      ['= persist',        '-',                       '-',                '-',                      '-',                      '-',                                 '-'],
  failed:        ['=',                '=',                       '=',                '=',                      '=',                      'holding persist',                   'holding persist report'],
  memoryFailed:  ['=',                '=',                       '=',                '=',                      '=',                      '=',                                 '='],
  memoryWritten: ['=',                '=',                       '=',                '=',                      '=',                      '=',                                 '='],
  driversSeen:   ['=',                '=',                       '=',                '=',                      '=',                      '=',                                 '='],
  pause:         ['= persist',        '= persist',               '= persist',        '= persist',              '= persist',              'holding cancelLock persist',        '= persist'],
  resume:        ['= persist',        '= persist',               '= persist',        '= persist',              'releasing persist lock', '= persist',                         '= persist'],
  skip:          ['= persist',        '= persist',               '= persist',        '= persist',              'watching persist',       'watching cancelLock persist',       '= persist'],
  unskip:        ['= persist',        '= persist',               '= persist',        '= persist',              '= persist',              '= persist',                         '= persist'],
  checkNow:      ['=',                '=',                       '=',                '=',                      '=',                      '=',                                 '='],
  updateNow:     ['= persist',        '=',                       '= persist',        '= persist',              '=',                      '= persist',                         '='],
  cancel:        ['=',                '=',                       '=',                '=',                      '=',                      'holding cancelLock persist',        '='],
  stop:          ['=',                '=',                       '=',                '=',                      '=',                      'holding cancelLock',                '='],
};

/**
 * The same for failures of every kind in every phase, each as if it had been asked for and not been answered yet; `!`
 * before the streak that is kept of it.
 */
// prettier-ignore
const FAILURES: Readonly<Record<AsyncKind, Row>> = {
  //           starting       disabled       watching       staging        holding        releasing         rebooting
  look:       ['= !host',     '= !host',     '= !host',     '= !host',     '= !host',     'holding cancelLock !host', '= !host'],
  lookAround: ['= !around',     '= !around',     '= !around',     '= !around',     '= !around',     'holding cancelLock !around',     '= !around'],
  hooks:      ['=',           '=',           '=',           '=',           '=',           '=',              '='],
  rollback:   ['= !rollback',     '= !rollback',     '= !rollback',     '= !rollback',     '= !rollback',     '= !rollback',     '= !rollback'],
  fetchGraph: ['= !graph',    '= !graph',    '= !graph',    '= !graph',    '= !graph',    '= !graph',       '= !graph'],
  stage:      ['=',           '=',           '=',           '= !stage',    '=',           '=',              '='],
  discard:    ['= !discard',  '= !discard',  '= !discard',  '= !discard',  '= !discard',  '= !discard',     '= !discard'],
  finalize:   ['=',           '=',           '=',           '=',           '=',           '=',              'holding persist report !finalize'],
  // Outside of these two the question was given up: that it came to nothing is no trouble.
  lock:       ['=',           '=',           '=',           '=',           '=',           'holding persist !slot', '= !slot'],
  report:     ['= !report',   '= !report',   '= !report',   '= !report',   '= !report',   '= !report',      '= !report'],
};

test('the table has a column for each phase', () => {
  expect(Object.keys(SITUATIONS)).toEqual([...PHASES]);
});

describe.each(Object.keys(EVENTS) as EventKind[])('%s', (kind) => {
  test.each(PHASES)('while %s', (phase) => {
    const driver = SITUATIONS[phase]();
    expect(driver.phase, 'the situation').toBe(phase);
    const before = driver.state;
    const after = driver.send(EVENTS[kind](driver));
    expect(outcome(phase, after)).toBe(TABLE[kind][PHASES.indexOf(phase)]);
    if (after.ignored !== null) expect(after.state).toEqual(before);
  });
});

describe.each(Object.keys(FAILURES) as AsyncKind[])('a failure of %s', (effect) => {
  test.each(PHASES)('while %s', (phase) => {
    const driver = SITUATIONS[phase]();
    const { pending } = driver.state;
    driver.state = { ...driver.state, pending: { [effect]: 999, ...pending } };
    const after = driver.send(failed(driver, effect));
    const noted = Object.entries(after.state.troubles).flatMap(([source, { text }]) =>
      text === 'not now' ? source : [],
    );
    const seen = [outcome(phase, after), ...noted.map((source) => `!${source}`)].join(' ');
    expect(seen).toBe(FAILURES[effect][PHASES.indexOf(phase)]);
  });
});

function outcome(phase: PhaseName, { state, effects, ignored }: Step): string {
  const done = effects.map((effect) => effect.kind).filter((effect) => effect !== 'wake');
  return ignored === null ? [state.phase.name === phase ? '=' : state.phase.name, ...done].join(' ') : '-';
}

test('the target of the situations is release 2', () => {
  const { phase } = SITUATIONS.rebooting().state;
  expect('target' in phase && phase.target.payload).toBe(commit(2));
});
