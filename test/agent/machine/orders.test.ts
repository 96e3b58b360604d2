import { describe, expect, test } from 'vitest';
import type { EventBody } from '../../../src/agent/machine/event.ts';
import { gatesOf } from '../../../src/agent/machine/explain.ts';
import { type Order, answerOrder } from '../../../src/agent/machine/orders.ts';
import { postponement } from '../../../src/agent/machine/people.ts';
import type { AgentState } from '../../../src/agent/machine/state.ts';
import { step } from '../../../src/agent/machine/step.ts';
import {
  HOUR,
  INTERVAL,
  MINUTE,
  SECOND,
  graph,
  instant,
  person,
  reading,
  stagedDeployment,
} from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { held, settled, staging } from '../../support/agent-situations.ts';
import { IN_FLEET, type Surrounded, arrived } from '../../support/agent-surrounded.ts';

const ANN = person('1');
const PEOPLE = { graceMs: 10 * MINUTE, finalNoticeMs: MINUTE, unreadableMs: 30 * MINUTE, postponeMs: 0 };
/** Everything that is about time and patience speaks against it. */
const SHUT = { schedule: { sources: [], placeIn: () => 0, days: new Map<never, never>() }, minUptimeMs: 24 * HOUR };

/** Orders it, and gives what whoever ordered is told. */
function order(driver: Driver, body: Order): string {
  const { outcome, text } = answerOrder(driver.state, body, at(driver));
  const event: EventBody = { ...body, by: 'root' };
  driver.send(event);
  return `${outcome}: ${text}`;
}

function at({ mono, clockOffset }: Driver): { mono: number; wall: number } {
  return { mono, wall: instant(mono).wall + clockOffset };
}

function closedIn(driver: Driver): readonly string[] {
  return gatesOf(driver.state, at(driver)).flatMap(({ open, gate }) => (open ? [] : gate));
}

describe('update --now', () => {
  test('does not wait for windows, uptime and the time of people, who get their last notice', () => {
    const { driver } = arrived({ people: [ANN] }, { clockWaitMs: 24 * HOUR }, SHUT);
    expect(closedIn(driver)).toEqual(['window', 'uptime', 'people']);
    expect(order(driver, { kind: 'updateNow', forMs: HOUR })).toMatch(
      /^done: until .*Z, the reboot into 42\.2 does not wait for windows.*; health, a pause, inhibitors, markers, power,/,
    );
    expect([driver.phase, closedIn(driver)]).toEqual(['releasing', []]);
    expect(driver.told).toEqual([expect.stringMatching(/^pts\/1: This host is about to reboot .*not before 60 s/)]);
    driver.pass(59_999);
    expect(driver.asked).not.toContain('finalize');
    driver.pass(1);
    expect(driver.asked).toContain('finalize');
  });

  test('does not wait for who has postponed the reboot', () => {
    const { driver } = arrived({ people: [ANN] }, { people: { ...PEOPLE, postponeMs: HOUR } });
    driver.send({ kind: 'postpone', by: 'ann', forMs: HOUR });
    expect(closedIn(driver)).toEqual(['postponed', 'people']);
    order(driver, { kind: 'updateNow', forMs: HOUR });
    expect(driver.phase).toBe('releasing');
  });

  test('cannot be postponed by the people of the host, and does not tell them that it can', () => {
    const { driver } = arrived({ people: [ANN] }, { people: { ...PEOPLE, postponeMs: HOUR } }, IN_FLEET);
    order(driver, { kind: 'updateNow', forMs: HOUR });
    driver.granted();
    expect(driver.told.at(-1)).toMatch(/about to reboot/);
    expect(driver.told.at(-1)).not.toMatch('postpone');
    expect(postponement(driver.state, MINUTE, at(driver))).toEqual({
      until: null,
      text: 'root has ordered the reboot now',
    });
    driver.send({ kind: 'postpone', by: 'ann', forMs: MINUTE });
    expect([driver.phase, driver.memory.postponed]).toEqual(['releasing', null]);
  });

  test('shows what would be closed else', () => {
    const { driver } = arrived({ power: 'battery' }, { requireAc: true }, SHUT);
    order(driver, { kind: 'updateNow', forMs: HOUR });
    expect(closedIn(driver)).toEqual(['power']);
    expect(gatesOf(driver.state, at(driver)).find(({ gate }) => gate === 'window')).toEqual({
      gate: 'window',
      open: true,
      until: driver.mono + HOUR,
      despite: 'there is no reboot window',
    });
  });

  test.each([
    ['an inhibitor', { blockers: [{ who: 'dnf', why: 'installs' }] }, 'inhibitors'],
    ['a marker', { holds: [{ name: 'backup', reason: 'runs', since: 0, until: null }] }, 'holds'],
    ['an unhealthy boot', { boot: { kind: 'unhealthy', reason: 'sshd' } as const }, 'health'],
  ])('waits for %s all the same', (_, around, gate) => {
    const host = arrived({}, {}, { minUptimeMs: 24 * HOUR });
    host.change(around);
    order(host.driver, { kind: 'updateNow', forMs: HOUR });
    host.driver.pass(10 * MINUTE);
    expect([closedIn(host.driver), host.driver.phase]).toEqual([[gate], 'holding']);
  });

  test('asks for the slot of the fleet at once, also where it was refused a moment ago', () => {
    const { driver } = arrived({}, {}, IN_FLEET);
    driver.refused('HTTP 409: slots_full', 20 * MINUTE);
    expect(driver.asked).toEqual([]);
    order(driver, { kind: 'updateNow', forMs: HOUR });
    expect(driver.asked).toContain('lock');
  });

  test('has hooks asked anew, and nothing wait for longer because of what went wrong before', () => {
    const { driver } = arrived({ power: 'battery' }, { requireAc: true }, SHUT);
    const before: AgentState = {
      ...driver.state,
      setbacks: { count: 5, at: 0 },
      hooks: { refusal: 'not now', until: null } as never,
    };
    const { state } = step(before, { kind: 'updateNow', by: 'root', forMs: HOUR, at: at(driver), dice: 0 });
    expect([state.setbacks, state.hooks]).toEqual([null, null]);
  });

  test('ends with its time', () => {
    const { driver } = arrived({ power: 'battery' }, { requireAc: true }, SHUT);
    order(driver, { kind: 'updateNow', forMs: 10 * MINUTE });
    driver.pass(10 * MINUTE);
    expect(closedIn(driver)).toEqual(['window', 'uptime', 'power']);
  });

  test('ends with the boot, and outlives a restart of the agent', () => {
    const host = arrived({ power: 'battery' }, { requireAc: true }, SHUT);
    order(host.driver, { kind: 'updateNow', forMs: HOUR });
    expect(host.driver.restarted().memory.order).toMatchObject({ by: 'root' });
    const next = host.driver.restarted({ bootId: 'boot-2' });
    next.send({ kind: 'started' });
    expect(next.memory.order).toBeNull();
  });

  test('ends when the graph has nothing: what comes later is not what was meant', () => {
    const driver = settled();
    order(driver, { kind: 'updateNow', forMs: HOUR });
    driver.looked(reading(driver.mono, 1));
    expect(driver.asked).toEqual(['fetchGraph']);
    driver.graphRead(graph([1]));
    expect(driver.memory.order).toBeNull();
    expect(driver.said).toContain('info: the ordered update is off: 42.1 is the newest release');
  });

  test('fetches and reboots into what the graph has', () => {
    const driver = settled({ minUptimeMs: 24 * HOUR });
    order(driver, { kind: 'updateNow', forMs: HOUR });
    driver.looked(reading(driver.mono, 1));
    driver.graphRead(graph([1, 2]));
    expect(driver.phase).toBe('staging');
    expect(driver.memory.order).not.toBeNull();
  });

  test('is refused while reboots are paused or updates disabled, and changes nothing', () => {
    const paused = held({}, { pause: true });
    expect(order(paused, { kind: 'updateNow', forMs: HOUR })).toMatch(/^refused: .*paused \(maintenance\).*resume/);
    expect([paused.phase, paused.memory.order]).toEqual(['holding', null]);
    const disabled = settled({ enabled: false });
    expect(order(disabled, { kind: 'updateNow', forMs: HOUR })).toMatch(/^refused: updates are disabled/);
    expect(disabled.memory.order).toBeNull();
  });
});

describe('cancel', () => {
  test('gives the slot back, undoes what hooks did, tells people, and does not try again for an hour', () => {
    const host = arrived(
      { people: [ANN], hooks: ['pre-reboot', 'reboot-cancelled'] },
      { people: { ...PEOPLE, graceMs: 0 } },
      IN_FLEET,
    );
    const { driver } = host;
    host.answers['pre-reboot'] = null;
    driver.granted();
    driver.pass(MINUTE);
    expect(host.ran).toEqual(['pre-reboot']);
    expect(order(driver, { kind: 'cancel' })).toMatch(
      /^done: the reboot into 42\.2 is called off, .* 1 h at the earliest/,
    );
    expect(driver.phase).toBe('holding');
    expect(driver.told.at(-1)).toMatch(/^pts\/1: The reboot into 42\.2 is put off: root has cancelled it\.$/);
    host.hooked();
    expect(host.ran).toEqual(['pre-reboot', 'reboot-cancelled']);
    expect(driver.memory.slot).toBeNull();
    driver.pass(HOUR - MINUTE);
    expect(driver.asked).not.toContain('lock');
    driver.pass(2 * MINUTE);
    expect(driver.asked).toContain('lock');
  });

  test('tells people that it is put off, and nothing else before they get new time after an hour', () => {
    const { driver } = arrived({ people: [ANN] }, {}, IN_FLEET);
    driver.pass(10 * MINUTE);
    driver.granted();
    order(driver, { kind: 'cancel' });
    driver.pass(HOUR - 1);
    expect(driver.told.slice(3)).toEqual(['pts/1: The reboot into 42.2 is put off: root has cancelled it.']);
    driver.pass(1);
    expect(driver.told.slice(4)).toEqual([expect.stringMatching(/^pts\/1: .*waits for you for 10 min/)]);
    expect(driver.written?.cancelled).toBeNull();
  });

  /** Cancelled 20 min ago. */
  function cancelled(): Surrounded {
    const host = arrived({}, {}, IN_FLEET);
    host.driver.granted();
    expect(host.driver.phase).toBe('rebooting');
    host.driver.fails('finalize', 'transient', 'Transaction in progress');
    host.driver.pass(MINUTE);
    expect([host.driver.phase, host.driver.asked]).toEqual(['releasing', ['lock']]);
    order(host.driver, { kind: 'cancel' });
    host.driver.refused('it was given up');
    host.driver.pass(20 * MINUTE);
    return host;
  }

  test('outlives a restart of the agent, and moves with a clock that is set', () => {
    const next = cancelled().restart();
    next.driver.pass(SECOND);
    next.driver.clockOffset = -365 * 24 * HOUR;
    next.driver.send({ kind: 'tick' });
    const last = next.restart();
    last.driver.clockOffset = next.driver.clockOffset;
    last.driver.pass(39 * MINUTE);
    expect([last.driver.phase, closedIn(last.driver), last.driver.log.includes('lock')]).toEqual([
      'holding',
      ['refusal'],
      false,
    ]);
    last.driver.pass(MINUTE);
    expect(last.driver.asked).toContain('lock');
  });

  test('holds for another release as well', () => {
    const { driver } = cancelled();
    driver.auto.fetchGraph = () => driver.graphRead(graph([1, 2, 3]));
    driver.auto.look = () => driver.looked(reading(driver.mono, 1));
    driver.auto.discard = () => driver.discarded(reading(driver.mono, 1));
    driver.auto.stage = () => {
      driver.auto.look = () => driver.looked(reading(driver.mono, 1, stagedDeployment(3)));
      driver.staged(reading(driver.mono, 1, stagedDeployment(3)));
    };
    driver.pass(30 * MINUTE);
    expect([driver.state.phase, closedIn(driver), driver.asked]).toEqual([
      expect.objectContaining({ name: 'holding', target: expect.objectContaining({ version: '42.3' }) as unknown }),
      ['refusal'],
      [],
    ]);
  });

  test('is over with an update --now', () => {
    const { driver } = cancelled();
    order(driver, { kind: 'updateNow', forMs: HOUR });
    expect([driver.asked.includes('lock'), driver.memory.cancelled]).toEqual([true, null]);
  });

  test('is over with the boot', () => {
    const next = cancelled().driver.restarted({ bootId: 'boot-2' });
    next.send({ kind: 'started' });
    expect(next.written?.cancelled).toBeNull();
  });

  test('withdraws an update --now', () => {
    const { driver } = arrived({ power: 'battery' }, { requireAc: true }, SHUT);
    order(driver, { kind: 'updateNow', forMs: HOUR });
    expect(order(driver, { kind: 'cancel' })).toBe('done: "update --now" is withdrawn');
    expect(closedIn(driver)).toEqual(['window', 'uptime', 'power']);
  });

  test('is refused once the reboot has begun', () => {
    const { driver } = arrived();
    expect(driver.phase).toBe('rebooting');
    expect(order(driver, { kind: 'cancel' })).toMatch(/^refused: .*begun/);
    expect(driver.phase).toBe('rebooting');
  });

  test('finds nothing to do where no reboot is under way', () => {
    expect(order(settled(), { kind: 'cancel' })).toMatch(/^nothing: /);
    expect(order(held({}, { pause: true }), { kind: 'cancel' })).toMatch(/^nothing: .*holdpoint pause/);
  });
});

describe('check', () => {
  test('asks the graph at once, also while the server is left in peace after failures', () => {
    const driver = settled();
    driver.pass(INTERVAL);
    for (let tries = 0; tries < 6; tries += 1) {
      driver.fails('fetchGraph');
      driver.pass(3 * INTERVAL);
    }
    driver.fails('fetchGraph');
    expect(driver.asked).toEqual([]);
    expect(order(driver, { kind: 'checkNow' })).toBe('done: the update graph is asked now');
    expect(driver.asked).toContain('fetchGraph');
  });

  test('says why it does not', () => {
    expect(order(settled({ enabled: false }), { kind: 'checkNow' })).toMatch(/^nothing: updates are disabled/);
    expect(order(settled({ source: 'staged' }), { kind: 'checkNow' })).toMatch(/^nothing: .*updates\.source/);
    expect(order(arrived().driver, { kind: 'checkNow' })).toMatch(/^nothing: .*reboot into 42\.2 is under way/);
  });
});

describe('pause, resume, skip and unskip', () => {
  test('say what they do, and that it was so already', () => {
    const driver = staging();
    const { wall } = at(driver);
    expect(order(driver, { kind: 'resume' })).toBe('nothing: reboots are not paused');
    expect(order(driver, { kind: 'pause', until: wall, reason: '' })).toMatch(/^refused: .* is past/);
    expect(order(driver, { kind: 'pause', until: null, reason: 'backup' })).toMatch(
      /^done: no reboots until holdpoint/,
    );
    expect(driver.memory.pause).toEqual({ until: null, reason: 'backup', by: 'root', since: wall });
    expect(order(driver, { kind: 'resume' })).toMatch(/^done: /);
    expect(order(driver, { kind: 'unskip', version: '42.2' })).toBe('nothing: 42.2 is not skipped');
    expect(order(driver, { kind: 'skip', version: '42.2' })).toMatch(/^done: 42\.2 is not applied on this host/);
    expect(order(driver, { kind: 'skip', version: '42.2' })).toMatch(/^nothing: /);
    expect(order(driver, { kind: 'unskip', version: '42.2' })).toMatch(/^done: /);
  });

  test('unskip takes back what is held against a release before it is in quarantine', () => {
    const { state, mono } = settled();
    const faults = [{ key: 'k', version: '42.2', staging: 2, missedBoots: 0 }];
    const faulty: AgentState = { ...state, memory: { ...state.memory, faults } };
    const answer = (version: string): string => answerOrder(faulty, { kind: 'unskip', version }, instant(mono)).outcome;
    expect(['42.2', '42.3'].map(answer)).toEqual(['done', 'nothing']);
  });

  test('a pause that is refused changes nothing', () => {
    const driver = held({}, { pause: true });
    order(driver, { kind: 'pause', until: at(driver).wall - 1, reason: '' });
    expect(driver.memory.pause?.reason).toBe('maintenance');
  });

  test('nothing is ordered of an agent that is stopping', () => {
    const state: AgentState = { ...settled().state, stopping: 'agent' };
    expect(answerOrder(state, { kind: 'checkNow' }, instant(0)).outcome).toBe('refused');
  });
});

test('how far the newest release is, is known from the graph', () => {
  const driver = settled();
  driver.pass(INTERVAL);
  driver.graphRead(graph([1, 2]));
  expect(driver.state.check?.outlook).toEqual({ hops: 1, newest: '42.2', barrier: null });
});
