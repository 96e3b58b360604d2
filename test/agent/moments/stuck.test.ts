import { describe, expect, test } from 'vitest';
import { momentsOf, NOTHING_WATCHED } from '../../../src/agent/moments/watch.ts';
import {
  HOUR,
  INTERVAL,
  MINUTE,
  aroundRules,
  graph,
  hourlyWindows,
  instant,
  reading,
  stagedDeployment,
} from '../../support/agent-builders.ts';
import { Driver } from '../../support/agent-driver.ts';
import { held, rebooting, settled } from '../../support/agent-situations.ts';

const DAY = 24 * HOUR;

/** What is stuck, or no longer: the event and its text. */
function stuckIn({ moments }: Driver): readonly string[] {
  const about = moments.splice(0).filter(({ event }) => event === 'stuck' || event === 'recovered');
  return about.map(({ event, cause, text }) => `${event} ${cause}: ${text}`);
}

/** Lets time pass on a host of which nothing changes: release 2 is staged. */
function passes(driver: Driver, ms: number): void {
  driver.auto.look = () => driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
  driver.auto.lookAround = () => driver.lookedAround();
  driver.auto.fetchGraph = () => driver.graphRead(graph([1, 2]));
  for (const kind of driver.asked) driver.auto[kind]?.();
  driver.pass(ms, 10_000);
}

describe('a staged update', () => {
  test('that is held back for a day, once; and that it is over', () => {
    const driver = held({}, { pause: true });
    passes(driver, DAY - HOUR);
    expect(stuckIn(driver)).toEqual([]);
    passes(driver, 2 * HOUR);
    expect(stuckIn(driver)).toEqual([
      'stuck waiting: stuck for 1 d: a reboot that does not come: 42.2 is staged; waiting: paused by root (maintenance)',
    ]);
    passes(driver, 3 * DAY);
    expect(stuckIn(driver)).toEqual([]);
    driver.send({ kind: 'skip', by: 'root', version: '42.2' });
    expect(stuckIn(driver)).toEqual(['recovered waiting: no longer stuck, after 4 d 1 h: a reboot that does not come']);
  });

  test('is not stuck while what holds it back ends at a known time', () => {
    const driver = held({}, { pause: true });
    driver.send({ kind: 'pause', by: 'root', until: instant(7 * DAY).wall, reason: 'holidays' });
    const other = new Driver({ settings: driver.state.settings, memory: driver.memory });
    other.send({ kind: 'started' });
    passes(other, 6 * DAY);
    expect([other.phase, stuckIn(other)]).toEqual(['holding', []]);
  });

  test('is, when windows come and go without a reboot', () => {
    const before = held({}, { pause: true });
    const settings = { ...before.state.settings, schedule: hourlyWindows(), around: aroundRules() };
    const driver = new Driver({ settings, memory: { ...before.memory, pause: null } });
    driver.auto.lookAround = () => driver.lookedAround({ blockers: [{ who: 'dnf', why: 'installs' }] });
    driver.auto.look = () => driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
    driver.auto.fetchGraph = () => driver.graphRead(graph([1, 2]));
    driver.send({ kind: 'started' });
    driver.pass(26 * HOUR, 10_000);
    expect(driver.phase).toBe('holding');
    expect(stuckIn(driver)).toEqual([expect.stringMatching(/^stuck waiting: .*dnf blocks shutdowns/)]);
  });
});

describe('an error', () => {
  test('that lasts for a day', () => {
    const driver = settled();
    driver.pass(INTERVAL);
    const since = driver.mono;
    driver.auto.fetchGraph = () => driver.fails('fetchGraph', 'transient', 'https://a.example: no connection in time');
    driver.fails('fetchGraph', 'transient', 'https://a.example: no connection in time');
    driver.pass(DAY - HOUR, 10_000);
    expect(stuckIn(driver)).toEqual([]);
    driver.pass(2 * HOUR, 10_000);
    const [moment] = driver.moments;
    expect(moment).toMatchObject({ event: 'stuck', cause: 'graph', level: 'error', since: instant(since).wall });
    expect(moment?.text).toBe('stuck for 1 d: asking the update server: https://a.example: no connection in time');
    driver.auto.fetchGraph = () => driver.graphRead(graph([1]));
    driver.moments.splice(0);
    driver.pass(HOUR, 10_000);
    expect(stuckIn(driver)).toEqual([
      expect.stringMatching(/^recovered graph: no longer stuck, after 1 d .*: asking the update server$/),
    ]);
  });

  test('a boot that is not healthy is told of at once, with the slot that it keeps', () => {
    const driver = settled({ around: aroundRules() });
    const slot = { baseUrl: 'https://a.example/', group: 'workers', id: 'x', slot: true };
    const memory = { ...driver.memory, owed: [slot] };
    const other = new Driver({ settings: driver.state.settings, memory });
    other.send({ kind: 'started' });
    other.looked(reading(other.mono, 1));
    other.lookedAround({ boot: { kind: 'unhealthy', reason: 'boot-complete.target failed' } });
    expect(stuckIn(other)).toEqual([
      'stuck health: stuck: this boot is not healthy: boot-complete.target failed; the slot of group workers is kept',
    ]);
    other.send({ kind: 'aroundChanged' });
    other.pass(MINUTE);
    other.lookedAround({ boot: { kind: 'healthy' } });
    expect(stuckIn(other)).toEqual([
      expect.stringMatching(/^recovered health: no longer stuck, after \d+ s: this boot is not healthy$/),
    ]);
  });

  test('a reboot that was acknowledged and does not come', () => {
    const driver = rebooting();
    driver.finalized();
    driver.pass(3 * INTERVAL);
    expect(stuckIn(driver)).toEqual([
      expect.stringMatching(/^stuck reboot: stuck: waiting for the reboot: finalize was acknowledged/),
    ]);
  });
});

test('with 0 nothing is stuck', () => {
  const driver = held({}, { pause: true });
  const { state } = driver;
  const at = instant(driver.mono);
  const late = { mono: at.mono + 90 * DAY, wall: at.wall + 90 * DAY };
  const first = momentsOf(NOTHING_WATCHED, { before: state, after: state, at }, 0);
  expect(momentsOf(first.watched, { before: state, after: state, at: late }, 0).moments).toEqual([]);
  const [found] = momentsOf(first.watched, { before: state, after: state, at: late }, DAY).moments;
  expect([found?.event, found?.since]).toEqual(['stuck', at.wall]);
});

test('what is told does not depend on how often it is looked at', () => {
  const { state } = held({}, { pause: true });
  const told = [1, 7, 60].map((minutes) => {
    let watched = NOTHING_WATCHED;
    const all: string[] = [];
    for (let mono = 0; mono <= 2 * DAY; mono += minutes * MINUTE) {
      const found = momentsOf(watched, { before: state, after: state, at: instant(mono) }, DAY);
      watched = found.watched;
      all.push(...found.moments.map(({ event }) => event));
    }
    return all;
  });
  expect(told).toEqual([['stuck'], ['stuck'], ['stuck']]);
});
