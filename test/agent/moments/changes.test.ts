import { describe, expect, test } from 'vitest';
import type { Moment } from '../../../src/agent/moments/moment.ts';
import {
  HOUR,
  INTERVAL,
  MINUTE,
  aroundRules,
  graph,
  instant,
  keyOf,
  lockAt,
  reading,
  release,
  stagedDeployment,
  version,
} from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { held, rebooting, settled, staging } from '../../support/agent-situations.ts';

/** What was told, without what was told before. */
function news({ moments }: Driver): readonly string[] {
  return moments.splice(0).map(({ event, text }) => `${event}: ${text}`);
}

function events(moments: readonly Moment[]): readonly string[] {
  return moments.map(({ event }) => event);
}

/** The next boot, in release `number`, before it is known to be healthy. */
function booted(driver: Driver, number: number, bootId = 'boot-2'): Driver {
  const next = driver.restarted({ bootId });
  next.send({ kind: 'started' });
  next.looked(reading(next.mono, number));
  return next;
}

describe('an update', () => {
  test('of a host that decides alone', () => {
    const driver = rebooting();
    expect(news(driver)).toEqual([
      'target-found: 42.2 is the next release of this host (it runs 42.1)',
      'staged: 42.2 is staged, and waits for its reboot',
      'rebooting: this host reboots from 42.1 into 42.2',
    ]);
    driver.finalized();
    expect(news(driver)).toEqual([]);
    const next = booted(driver, 2);
    expect(next.moments).toEqual([
      {
        event: 'back',
        at: instant(60_000).wall,
        level: 'info',
        booted: '42.2',
        target: '42.2',
        from: '42.1',
        cause: null,
        reason: null,
        since: driver.memory.finalize?.since.wall,
        text: expect.stringMatching(/^this host is back: 42\.2 runs and is healthy, /) as string,
      },
    ]);
  });

  test('of a host in a fleet', () => {
    const driver = held({ lock: lockAt('a') });
    driver.moments.splice(0);
    driver.refused('HTTP 423: slots_full');
    expect(news(driver)).toEqual([
      'slot-refused: there is no slot yet: the lock manager refused: HTTP 423: slots_full',
    ]);
    for (let times = 0; times < 3; times += 1) {
      driver.pass(HOUR);
      driver.refused('HTTP 423: slots_full');
    }
    expect(news(driver)).toEqual([]);
    driver.pass(HOUR);
    driver.granted();
    driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
    expect(news(driver)).toEqual([
      'slot-granted: the slot of group workers is granted',
      'rebooting: this host reboots from 42.1 into 42.2',
    ]);
  });

  test('that a newer one replaces', () => {
    const driver = held({}, { pause: true });
    driver.moments.splice(0);
    driver.pass(2 * INTERVAL);
    driver.graphRead(graph([1, 2, 3]));
    expect(news(driver)).toEqual(['target-found: 42.3 is the next release of this host (it runs 42.1)']);
  });

  test('that somebody else staged is told of when it comes, not when the agent starts', () => {
    const driver = settled({ source: 'staged' });
    driver.send({ kind: 'pause', by: 'root', until: null, reason: '' });
    driver.moments.splice(0);
    driver.send({ kind: 'hostChanged' });
    driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
    expect(news(driver)).toEqual(['staged: 42.2 is staged, by somebody else, and waits for its reboot']);
    const again = driver.restarted();
    again.send({ kind: 'started' });
    again.looked(reading(again.mono, 1, stagedDeployment(2)));
    expect(again.phase).toBe('holding');
    expect(news(again)).toEqual([]);
  });

  test('a restart of the agent repeats nothing', () => {
    const driver = held({}, { pause: true });
    const again = driver.restarted();
    again.send({ kind: 'started' });
    again.looked(reading(again.mono, 1, stagedDeployment(2)));
    expect([again.phase, news(again)]).toEqual(['holding', []]);
  });
});

describe('"back"', () => {
  const around = aroundRules();

  test('comes once the boot is healthy, once', () => {
    const driver = rebooting();
    driver.finalized();
    const next = driver.restarted({ bootId: 'boot-2', settings: { ...driver.state.settings, around } });
    next.send({ kind: 'started' });
    next.looked(reading(next.mono, 2));
    next.lookedAround({ boot: { kind: 'waiting', reason: 'boot-complete.target is inactive' } });
    expect(events(next.moments)).toEqual([]);
    const again = next.restarted();
    again.send({ kind: 'started' });
    again.looked(reading(again.mono, 2));
    expect(events(again.moments)).toEqual([]);
    again.lookedAround({ boot: { kind: 'healthy' } });
    expect(events(again.moments)).toEqual(['back']);
    again.send({ kind: 'aroundChanged' });
    again.pass(MINUTE);
    again.lookedAround({ boot: { kind: 'unhealthy', reason: 'it failed' } });
    again.send({ kind: 'aroundChanged' });
    again.pass(MINUTE);
    again.lookedAround({ boot: { kind: 'healthy' } });
    expect(events(again.moments).filter((event) => event === 'back')).toEqual(['back']);
    const third = again.restarted();
    third.send({ kind: 'started' });
    third.looked(reading(third.mono, 2));
    third.lookedAround();
    expect(events(third.moments)).toEqual([]);
  });

  test('does not come after a reboot of somebody else', () => {
    const driver = rebooting();
    driver.finalized();
    const next = booted(driver, 2);
    expect(events(next.moments)).toEqual(['back']);
    const later = booted(next, 2, 'boot-3');
    expect([later.memory.lastBoot?.from, events(later.moments)]).toEqual([keyOf(1), []]);
    expect(events(booted(settled(), 2).moments)).toEqual([]);
  });
});

describe('what goes wrong', () => {
  test('a reboot that led elsewhere', () => {
    const driver = rebooting();
    driver.finalized();
    const next = booted(driver, 1);
    expect(news(next)).toEqual(['rolled-back: the reboot into 42.2 led to 42.1']);
  });

  test('a rollback', () => {
    const driver = rebooting();
    driver.finalized();
    const back = booted(booted(driver, 2), 1, 'boot-3');
    expect(news(back)).toEqual([
      'rolled-back: this host was rolled back from 42.2 to 42.1',
      expect.stringMatching(/^quarantined: 42\.2 is kept away from this host until .*: the host was rolled back/),
    ]);
  });

  test('a reboot that is refused again and again is told of once an hour at most', () => {
    const driver = rebooting();
    driver.moments.splice(0);
    driver.fails('finalize', 'transient', 'an inhibitor');
    expect(news(driver)).toEqual(['reboot-refused: the reboot was refused, and is tried again: an inhibitor']);
    driver.auto.look = () => driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
    driver.auto.finalize = () => driver.fails('finalize', 'transient', 'an inhibitor');
    driver.auto.fetchGraph = () => driver.graphRead(graph([1, 2]));
    driver.pass(50 * MINUTE);
    expect(news(driver).filter((text) => text.startsWith('rebooting'))).toEqual([]);
    driver.pass(6 * HOUR, 10_000);
    const told = news(driver).filter((text) => text.startsWith('rebooting')).length;
    expect([told > 1, told < 7]).toEqual([true, true]);
  });

  test('a dead end', () => {
    const driver = settled();
    driver.pass(INTERVAL);
    const dead = graph([1, 2]);
    const releases = [release(1, { deadEnd: 'no more' }), release(2)];
    driver.graphRead({ ...dead, releases });
    expect(news(driver)).toEqual(['dead-end: 42.1 is a dead end (no more): no update leads away from it']);
    driver.pass(2 * INTERVAL);
    driver.graphRead({ ...dead, releases });
    expect(news(driver)).toEqual([]);
  });

  test('a release in quarantine', () => {
    const driver = staging();
    driver.moments.splice(0);
    driver.auto.look = () => driver.looked(reading(driver.mono, 1));
    for (let times = 0; times < 3; times += 1) {
      driver.fails('stage', 'release', 'the commit is not there');
      driver.pass(20 * MINUTE);
    }
    expect(news(driver).filter((text) => text.startsWith('quarantined'))).toEqual([
      expect.stringMatching(new RegExp(`^quarantined: ${version(2)} is kept away from this host until`)),
    ]);
  });
});

describe('a pause', () => {
  test('that is made, changed and ended', () => {
    const driver = settled();
    const until = instant(2 * HOUR).wall;
    driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
    driver.send({ kind: 'pause', by: 'root', until, reason: '' });
    driver.send({ kind: 'pause', by: 'root', until, reason: '' });
    driver.send({ kind: 'resume', by: 'root' });
    driver.send({ kind: 'resume', by: 'root' });
    expect(news(driver)).toEqual([
      'paused: reboots are paused until resumed (maintenance)',
      'paused: reboots are paused until 2026-07-23T16:00:00Z',
      'resumed: reboots go on: the pause is over',
    ]);
  });

  test('that ends by the clock', () => {
    const driver = settled();
    driver.send({ kind: 'pause', by: 'root', until: instant(HOUR).wall, reason: '' });
    driver.mono = HOUR;
    driver.send({ kind: 'tick' });
    driver.send({ kind: 'tick' });
    expect(news(driver)).toEqual([
      'paused: reboots are paused until 2026-07-23T15:00:00Z',
      'resumed: reboots go on: the pause is over',
    ]);
  });

  test('is no news when the agent starts', () => {
    const driver = settled();
    driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
    const again = driver.restarted();
    again.send({ kind: 'started' });
    expect(news(again)).toEqual([]);
  });
});
