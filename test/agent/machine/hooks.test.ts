import { describe, expect, test } from 'vitest';
import {
  HOUR,
  INTERVAL,
  MINUTE,
  SECOND,
  aroundRules,
  graph,
  person,
  reading,
  settings,
  stagedDeployment,
} from '../../support/agent-builders.ts';
import { Driver } from '../../support/agent-driver.ts';
import { IN_FLEET, type Surrounded, arrived, surrounded } from '../../support/agent-surrounded.ts';

const NOT_NOW = { kind: 'not-now', text: '10-backup: a backup runs' } as const;
const NOT_RUN = { kind: 'not-run', text: '10-undrain: systemd: StartUnit: denied by polkit' } as const;
const FAILED = { kind: 'failed', text: '10-drain: exit code 1' } as const;

describe('may-reboot', () => {
  test('is asked last of what is local, before the slot, and again after it', () => {
    const host = arrived({ hooks: ['may-reboot'] }, {}, IN_FLEET);
    expect([host.ran, host.driver.asked]).toEqual([['may-reboot'], ['lock']]);
    host.driver.pass(SECOND);
    host.driver.granted();
    expect([host.ran, host.driver.asked]).toEqual([['may-reboot', 'may-reboot'], ['finalize']]);
  });

  test('is not asked while something else keeps the reboot back', () => {
    const host = arrived({
      hooks: ['may-reboot'],
      holds: [{ name: 'ansible', reason: 'runs', since: 0, until: null }],
    });
    host.driver.pass(20 * MINUTE);
    expect(host.ran).toEqual([]);
  });

  test('that says "not now" is asked again a minute later, without a slot', () => {
    const host = surrounded({ hooks: ['may-reboot'] }, {}, IN_FLEET);
    host.answers['may-reboot'] = NOT_NOW;
    host.driver.pass(INTERVAL);
    expect([host.driver.phase, host.driver.memory.slot]).toEqual(['holding', null]);
    const before = host.ran.length;
    delete host.answers['may-reboot'];
    host.driver.pass(MINUTE);
    expect([host.ran.length, host.driver.asked]).toEqual([before + 1, ['lock']]);
  });

  test('that fails keeps the reboot back: there is none without its consent', () => {
    const host = surrounded({ hooks: ['may-reboot'] });
    host.answers['may-reboot'] = FAILED;
    host.driver.pass(60 * MINUTE);
    expect([host.driver.phase, host.driver.asked]).toEqual(['holding', []]);
    expect(host.driver.said.join('\n')).toMatch('may-reboot hook 10-drain: exit code 1');
  });

  test('that hangs keeps the reboot back, and no slot is held', () => {
    const host = surrounded({ hooks: ['may-reboot'] }, {}, IN_FLEET);
    host.answers['may-reboot'] = null;
    host.driver.pass(60 * MINUTE);
    expect([host.driver.phase, host.driver.memory.slot]).toEqual(['holding', null]);
  });

  test('that changes its mind after the grant gives the slot back', () => {
    const host = arrived({ hooks: ['may-reboot'] }, {}, IN_FLEET);
    host.answers['may-reboot'] = NOT_NOW;
    delete host.driver.auto.report;
    host.driver.pass(SECOND);
    host.driver.granted();
    expect([host.driver.phase, host.driver.asked]).toEqual(['holding', ['report']]);
  });
});

describe('pre-reboot', () => {
  const ALL = ['may-reboot', 'pre-reboot', 'reboot-cancelled'] as const;

  test('runs once, with the slot, after the last notice; then everything is looked at again', () => {
    const host = arrived({ hooks: [...ALL], people: [person('1')] }, {}, IN_FLEET);
    host.driver.pass(10 * MINUTE);
    expect(host.ran).toEqual(['may-reboot']);
    host.driver.granted();
    host.driver.pass(MINUTE - 1);
    expect(host.ran).toEqual(['may-reboot']);
    const looks = host.driver.log.filter((kind) => kind === 'look').length;
    host.driver.pass(1);
    expect(host.ran).toEqual(['may-reboot', 'pre-reboot', 'may-reboot']);
    expect(host.driver.log.filter((kind) => kind === 'look').length).toBeGreaterThan(looks);
    expect(host.driver.asked).toEqual(['finalize']);
  });

  test('is written down before it begins', () => {
    const host = arrived({ hooks: ['pre-reboot'] }, {}, IN_FLEET);
    host.answers['pre-reboot'] = null;
    host.driver.granted();
    expect([host.driver.asked, host.driver.written?.acted]).toEqual([['hooks'], { version: '42.2', undo: false }]);
  });

  test('also runs on a host that asks nobody for a slot', () => {
    const host = arrived({ hooks: ['pre-reboot'] });
    expect([host.ran, host.driver.asked]).toEqual([['pre-reboot'], ['finalize']]);
  });

  test.each([
    ['says "not now"', NOT_NOW],
    ['fails', FAILED],
  ] as const)('that %s: no reboot; what it did is undone, then the slot goes back', (_, outcome) => {
    const host = arrived({ hooks: [...ALL] }, {}, IN_FLEET);
    host.answers['pre-reboot'] = outcome;
    host.answers['reboot-cancelled'] = null;
    host.driver.granted();
    expect([host.ran.at(-1), host.driver.phase]).toEqual(['reboot-cancelled', 'holding']);
    expect(host.driver.memory.slot).not.toBeNull();
    delete host.driver.auto.report;
    host.hooked();
    expect([host.driver.memory.slot, host.driver.memory.acted, host.driver.asked]).toEqual([null, null, ['report']]);
  });

  test.each([
    [
      'a pause',
      (host: ReturnType<typeof arrived>) => host.driver.send({ kind: 'pause', by: 'root', until: null, reason: '' }),
    ],
    [
      'a marker',
      (host: ReturnType<typeof arrived>) => host.change({ holds: [{ name: 'x', reason: 'y', since: 0, until: null }] }),
    ],
    [
      'an inhibitor',
      (host: ReturnType<typeof arrived>) => host.change({ blockers: [{ who: 'dnf', why: 'installs' }] }),
    ],
    ['a battery', (host: ReturnType<typeof arrived>) => host.change({ power: 'battery' })],
    ['somebody who logs in', (host: ReturnType<typeof arrived>) => host.change({ people: [person('1')] })],
  ] as const)('then %s: no reboot, reboot-cancelled runs, the slot goes back', (_, happens) => {
    const host = arrived({ hooks: [...ALL] }, {}, IN_FLEET);
    host.answers['pre-reboot'] = null;
    host.driver.granted();
    happens(host);
    expect(host.driver.asked).toContain('hooks');
    delete host.driver.auto.report;
    host.hooked();
    expect([host.driver.phase, host.ran.at(-1)]).toEqual(['holding', 'reboot-cancelled']);
    expect([host.driver.asked, host.driver.memory.slot]).toEqual([['report'], null]);
  });

  test('whose agent dies is undone by the next one, before the slot goes back', () => {
    const host = arrived({ hooks: [...ALL] }, {}, IN_FLEET);
    host.answers['pre-reboot'] = null;
    host.driver.granted();
    const next = host.restart();
    expect(next.ran).toContain('reboot-cancelled');
    expect(next.driver.memory.acted).toBeNull();
  });

  test('is undone when the agent is stopped, and then the slot goes back', () => {
    const host = arrived({ hooks: [...ALL] }, {}, IN_FLEET);
    host.answers['pre-reboot'] = null;
    host.driver.granted();
    host.driver.send({ kind: 'stop', hostGoesDown: false });
    host.hooked(FAILED);
    expect(host.ran.at(-1)).toBe('reboot-cancelled');
    expect(host.driver.memory).toMatchObject({ acted: null, slot: null, owed: [] });
  });

  test('whose undoing fails while the agent stops is tried again before it ends', () => {
    const host = arrived({ hooks: [...ALL] });
    host.answers['reboot-cancelled'] = FAILED;
    host.driver.fails('finalize', 'transient', 'an inhibitor');
    host.driver.send({ kind: 'stop', hostGoesDown: 'unknown' });
    host.driver.pass(INTERVAL, 10);
    expect(host.ran.filter((event) => event === 'reboot-cancelled')).toHaveLength(1);
    host.driver.send({ kind: 'stop', hostGoesDown: false });
    delete host.answers['reboot-cancelled'];
    host.driver.pass(INTERVAL / 30);
    expect([host.ran.at(-1), host.driver.memory.acted]).toEqual(['reboot-cancelled', null]);
  });

  test('is not undone when the host goes down, nor after a finalize whose outcome nobody knows', () => {
    const host = arrived({ hooks: [...ALL] }, {}, IN_FLEET);
    host.driver.granted();
    host.driver.fails('finalize', 'unknown');
    host.driver.pass(20 * MINUTE);
    expect(host.ran).not.toContain('reboot-cancelled');
    const other = arrived({ hooks: [...ALL] }, {}, IN_FLEET);
    other.answers['pre-reboot'] = null;
    other.driver.granted();
    other.driver.send({ kind: 'stop', hostGoesDown: true });
    other.hooked(FAILED);
    expect(other.ran).not.toContain('reboot-cancelled');
  });

  test('is undone after a finalize that was definitely refused', () => {
    const host = arrived({ hooks: [...ALL] }, {}, IN_FLEET);
    host.driver.granted();
    host.driver.fails('finalize', 'transient', 'an inhibitor');
    expect(host.ran.at(-1)).toBe('reboot-cancelled');
    expect(host.driver.memory.slot).toBeNull();
  });

  test('who logs in while they run is told at once', () => {
    const host = arrived({ hooks: [...ALL], people: [person('1')] }, {}, IN_FLEET);
    host.driver.pass(10 * MINUTE);
    host.answers['pre-reboot'] = null;
    host.driver.granted();
    host.driver.pass(MINUTE);
    expect(host.ran.at(-1)).toBe('pre-reboot');
    host.change({ people: [person('1'), person('2', 'bob')] });
    expect(host.driver.told.at(-1)).toMatch(/^pts\/2: .*10 s from now/);
    host.driver.pass(MINUTE);
    host.hooked();
    // The slot was granted more than a minute ago.
    host.driver.granted();
    expect(host.driver.asked).toEqual(['finalize']);
  });

  test('that fail again and again are run ever more rarely', () => {
    const host = arrived({ hooks: [...ALL] }, {}, IN_FLEET);
    host.answers['pre-reboot'] = FAILED;
    for (let count = 0; host.driver.mono < 24 * 60 * MINUTE; count += 1) {
      if (host.driver.asked.includes('lock')) host.driver.granted();
      host.driver.pass(MINUTE, 10_000);
    }
    expect(host.ran.filter((event) => event === 'pre-reboot').length).toBeLessThan(30);
  });

  test('that cannot be undone is tried three times, said loudly, and the slot goes back', () => {
    const host = arrived({ hooks: [...ALL] }, {}, IN_FLEET);
    host.answers['pre-reboot'] = NOT_NOW;
    host.answers['reboot-cancelled'] = FAILED;
    host.driver.granted();
    host.driver.pass(INTERVAL);
    expect(host.ran.filter((event) => event === 'reboot-cancelled').length).toBeGreaterThanOrEqual(3);
    expect(host.driver.said.join('\n')).toMatch(/error: what the pre-reboot hooks did was not undone: 10-drain/);
  });

  test('are run ever more rarely for a finalize that is refused for ever, and the slot is taken as rarely', () => {
    const host = arrived({ hooks: [...ALL] }, {}, IN_FLEET);
    let grants = 0;
    host.driver.auto.lock = () => {
      grants += 1;
      host.driver.granted();
    };
    host.driver.auto.finalize = () => host.driver.fails('finalize', 'transient', 'denied by polkit');
    host.driver.pass(60 * MINUTE);
    expect(host.ran.filter((event) => event === 'pre-reboot').length).toBeLessThan(12);
    host.driver.pass(24 * 60 * MINUTE, 10_000);
    const drains = host.ran.filter((event) => event === 'pre-reboot').length;
    expect([drains < 36, grants]).toEqual([true, drains]);
  });

  test('that nobody can undo at the moment: the slot goes back after three tries, and it is undone when it can be', () => {
    const host = arrived({ hooks: [...ALL] }, {}, IN_FLEET);
    host.answers['pre-reboot'] = NOT_NOW;
    host.answers['reboot-cancelled'] = NOT_RUN;
    host.driver.granted();
    expect(host.driver.memory.slot).not.toBeNull();
    host.driver.pass(INTERVAL);
    expect([host.driver.memory.slot, host.driver.memory.owed]).toEqual([null, []]);
    expect(host.driver.said.join('\n')).toMatch(
      /error: what the pre-reboot hooks did could not be undone so far: 10-un/,
    );
    const before = host.ran.length;
    host.driver.pass(24 * 60 * MINUTE, 10_000);
    // Often enough, and no other reboot is begun meanwhile.
    expect(host.ran.length - before).toBeGreaterThan((24 * 60 * MINUTE) / INTERVAL - 2);
    expect(new Set(host.ran.slice(before))).toEqual(new Set(['reboot-cancelled']));
    expect([host.driver.asked, host.driver.written?.acted?.undo]).toEqual([[], true]);
    delete host.answers['reboot-cancelled'];
    host.driver.pass(INTERVAL);
    expect([host.driver.memory.acted, host.driver.asked]).toEqual([null, ['lock']]);
  });

  test('is not run any more after it has failed three times, those in which nobody could run it not among them', () => {
    const host = arrived({ hooks: [...ALL] }, {}, IN_FLEET);
    host.answers['pre-reboot'] = NOT_NOW;
    host.answers['reboot-cancelled'] = NOT_RUN;
    host.driver.granted();
    host.driver.pass(10 * INTERVAL);
    host.answers['reboot-cancelled'] = FAILED;
    const before = host.ran.length;
    for (let most = 0; most < 100 && host.driver.memory.acted !== null; most += 1) host.driver.tick();
    expect(host.ran.slice(before).filter((event) => event === 'reboot-cancelled')).toHaveLength(3);
    expect(host.driver.said.join('\n')).toMatch(/was not undone: 10-drain.*nothing tries it again/);
  });

  test('of an earlier boot that ended without finalize is undone in the next one, before the slot goes back', () => {
    const host = arrived({ hooks: [...ALL] }, {}, IN_FLEET);
    host.answers['pre-reboot'] = null;
    host.driver.granted();
    const next = host.driver.restarted({ bootId: 'boot-2' });
    next.send({ kind: 'started' });
    next.lookedAround({ hooks: [...ALL] });
    expect([next.question('hooks').event, next.asked.includes('report')]).toEqual(['reboot-cancelled', false]);
    next.hooked();
    expect([next.memory.acted, next.asked.includes('report')]).toEqual([null, true]);
  });

  test('of an earlier boot is forgotten where finalize was called: its reboot has come', () => {
    const host = arrived({ hooks: [...ALL] }, {}, IN_FLEET);
    host.driver.granted();
    host.driver.finalized();
    const next = host.driver.restarted({ bootId: 'boot-2' });
    next.send({ kind: 'started' });
    expect(next.memory.acted).toBeNull();
  });
});

describe('pre-stage', () => {
  test('comes before anything is fetched, once for each release', () => {
    const host = arrived({ hooks: ['pre-stage'] });
    expect([host.ran, host.driver.log.filter((kind) => kind === 'stage').length]).toEqual([['pre-stage'], 1]);
  });

  test('that says "not now" is asked again, and the state says why nothing is fetched', () => {
    const host = surrounded({ hooks: ['pre-stage'] });
    host.answers['pre-stage'] = NOT_NOW;
    host.driver.pass(INTERVAL);
    expect(host.driver.phase).toBe('staging');
    expect(host.driver.log).not.toContain('stage');
    const said = host.driver.said.filter((line) => line.includes('is not fetched yet: pre-stage hook 10-backup'));
    expect(said).toHaveLength(1);
    delete host.answers['pre-stage'];
    host.driver.pass(MINUTE);
    expect(host.driver.log).toContain('stage');
  });
});

describe('post-boot', () => {
  test('lets a release be fetched as soon as it has passed', () => {
    const host = surrounded({ hooks: ['post-boot'], boot: { kind: 'waiting', reason: 'it is slow' } });
    host.answers['post-boot'] = null;
    host.change({ boot: { kind: 'healthy' } });
    host.driver.pass(INTERVAL);
    expect([host.driver.phase, host.driver.log.includes('stage')]).toEqual(['staging', false]);
    host.hooked();
    host.driver.pass(SECOND);
    expect(host.driver.log).toContain('stage');
  });

  test('is not run before it is known what has booted', () => {
    const driver = new Driver({ settings: settings({ around: aroundRules() }) });
    driver.send({ kind: 'started' });
    driver.lookedAround({ hooks: ['post-boot'] });
    expect(driver.asked).toEqual(['look']);
    driver.looked(reading(driver.mono, 1));
    expect(driver.asked).toContain('hooks');
  });
});

describe('a metered network', () => {
  test('keeps a release from being fetched until it is none', () => {
    const host = surrounded({ metered: true });
    host.driver.pass(INTERVAL);
    expect([host.driver.phase, host.driver.log.includes('stage')]).toEqual(['staging', false]);
    host.change({ metered: false });
    expect(host.driver.log).toContain('stage');
  });

  test('does not keep a host from rebooting into what is staged', () => {
    const host = arrived({}, {}, IN_FLEET);
    host.silently({ metered: true });
    host.driver.granted();
    expect(host.driver.asked).toEqual(['finalize']);
  });
});

test('a newer release while the hooks run is not taken before they have ended and were undone', () => {
  const host = arrived({ hooks: ['pre-reboot', 'reboot-cancelled'] }, {}, IN_FLEET);
  host.answers['pre-reboot'] = null;
  host.driver.granted();
  host.driver.send({ kind: 'hostChanged' });
  expect(host.driver.phase).toBe('releasing');
  host.staged = null;
  host.driver.auto.look = () => host.driver.looked(reading(host.driver.mono, 1, stagedDeployment(9)));
  host.driver.auto.fetchGraph = () => host.driver.graphRead(graph([1, 2, 3]));
  host.driver.send({ kind: 'hostChanged' });
  expect([host.driver.phase, host.driver.memory.slot !== null]).toEqual(['watching', true]);
  delete host.driver.auto.report;
  host.hooked();
  expect([host.ran.at(-1), host.driver.asked, host.driver.memory.slot]).toEqual(['reboot-cancelled', ['report'], null]);
});

test('hooks that act are not run again at once where what they do is what closes a gate', () => {
  const host = arrived({ hooks: ['may-reboot', 'pre-reboot', 'reboot-cancelled'] }, {}, IN_FLEET);
  const { driver } = host;
  const isDrained = (): boolean => host.ran.lastIndexOf('pre-reboot') > host.ran.lastIndexOf('reboot-cancelled');
  host.answers['pre-reboot'] = null;
  for (const end = driver.mono + 6 * HOUR; driver.mono < end;) {
    driver.pass(5 * SECOND);
    if (isDrained()) host.answers['may-reboot'] = { kind: 'not-now', text: 'check: the service is not there' };
    else delete host.answers['may-reboot'];
    if (driver.state.running?.event === 'pre-reboot') host.hooked();
    if (driver.asked.includes('lock')) driver.granted();
  }
  const drains = host.ran.filter((event) => event === 'pre-reboot').length;
  expect(drains).toBeGreaterThan(5);
  expect(drains).toBeLessThan(20);
});

describe('the consent of the may-reboot hooks', () => {
  const times = ({ ran }: ReturnType<typeof arrived>): number => ran.filter((event) => event === 'may-reboot').length;

  test.each([
    ['counts for a minute', 30 * SECOND, 1],
    ['is asked for again after a minute', 2 * MINUTE, 2],
  ])('%s', (_, wait, expected) => {
    const host = arrived({ hooks: ['may-reboot'] }, {}, IN_FLEET);
    host.driver.refused('HTTP 409: slots_full', wait);
    host.driver.pass(wait);
    expect([host.driver.asked, times(host)]).toEqual([['lock'], expected]);
  });

  test('does not count when they were asked before the slot was granted, whenever they answer', () => {
    const host = arrived({ hooks: ['may-reboot'] }, {}, IN_FLEET);
    host.driver.pass(SECOND);
    host.answers['may-reboot'] = null;
    host.driver.granted();
    expect(times(host)).toBe(2);
    // They are still being asked while the reboot is called off, and wanted again.
    host.change({ blockers: [{ who: 'dnf', why: 'installs' }] });
    expect(host.driver.memory.slot).toBeNull();
    host.change({ blockers: [] });
    host.driver.granted();
    delete host.answers['may-reboot'];
    host.driver.pass(SECOND);
    host.answers['may-reboot'] = NOT_NOW;
    host.hooked();
    expect([host.driver.phase, times(host), host.driver.asked.includes('finalize')]).toEqual(['holding', 3, false]);
  });

  test.each([
    ['after those that act', ['may-reboot', 'pre-reboot'] as const],
    ['without any that act', ['may-reboot'] as const],
  ])('may take longer than the slot is taken for ours: %s', (_, hooks) => {
    const host = arrived({ hooks: [...hooks] }, {}, IN_FLEET);
    host.driver.pass(SECOND);
    host.answers['pre-reboot'] = null;
    host.answers['may-reboot'] = null;
    host.driver.granted();
    if (host.driver.state.running?.event === 'pre-reboot') {
      host.driver.pass(SECOND);
      host.hooked();
    }
    for (let rounds = 0; rounds < 3 && !host.driver.asked.includes('finalize'); rounds += 1) {
      host.driver.pass(70 * SECOND);
      if (host.driver.asked.includes('hooks')) host.hooked();
      if (host.driver.asked.includes('lock')) host.driver.granted();
    }
    expect([host.driver.phase, host.driver.asked, times(host)]).toEqual(['rebooting', ['finalize'], 2]);
  });
});

test('a newer release is fetched with the consent of the pre-stage hooks for it, and not for the one before', () => {
  const host = arrived({
    hooks: ['pre-stage'],
    holds: [{ name: 'ansible', reason: 'runs', since: 0, until: null }],
  });
  const { driver } = host;
  host.answers['pre-stage'] = null;
  driver.auto.fetchGraph = () => driver.graphRead(graph([1, 2, 3]));
  driver.pass(2 * INTERVAL);
  host.staged = null;
  driver.discarded(reading(driver.mono, 1));
  expect([driver.phase, driver.question('hooks')]).toMatchObject(['staging', { event: 'pre-stage', version: '42.3' }]);
  expect(driver.log.filter((kind) => kind === 'stage')).toHaveLength(1);
});

test('reboot-cancelled is tried again after a pause, and not at once', () => {
  const host = arrived({ hooks: ['pre-reboot', 'reboot-cancelled'] }, {}, IN_FLEET);
  const undos = (): number => host.ran.filter((event) => event === 'reboot-cancelled').length;
  host.answers['pre-reboot'] = NOT_NOW;
  host.answers['reboot-cancelled'] = FAILED;
  host.driver.granted();
  expect(undos()).toBe(1);
  host.driver.pass(4 * SECOND);
  expect([undos(), host.driver.memory.slot === null]).toEqual([1, false]);
  host.driver.pass(2 * SECOND);
  expect(undos()).toBe(2);
});

test('the host is looked at anew after the hooks that act, however short they were', () => {
  const host = arrived({ hooks: ['pre-reboot', 'reboot-cancelled'] }, {}, IN_FLEET);
  const { driver } = host;
  host.answers['pre-reboot'] = null;
  driver.granted();
  // They have staged something else.
  driver.auto.look = () => driver.looked(reading(driver.mono, 1, stagedDeployment(9)));
  driver.pass(SECOND);
  host.hooked();
  expect([driver.log.includes('finalize'), host.ran.at(-1)]).toEqual([false, 'reboot-cancelled']);
});

describe('hooks that have acted do not act again and again', () => {
  /** How often they act in an hour; the slot is granted whenever it is asked for, unless they have acted. */
  function drainsInAnHour(change: (host: Surrounded, isDrained: () => boolean) => void): number {
    const host = arrived({ hooks: ['pre-reboot', 'reboot-cancelled'] }, {}, IN_FLEET);
    const { driver } = host;
    driver.auto.lock = () => driver.granted();
    change(host, () => host.ran.lastIndexOf('pre-reboot') > host.ran.lastIndexOf('reboot-cancelled'));
    driver.auto.lock();
    driver.pass(HOUR, 100_000);
    return host.ran.filter((event) => event === 'pre-reboot').length;
  }

  test('where the host cannot be read afterwards', () => {
    const drains = drainsInAnHour(({ driver }, isDrained) => {
      const looked = driver.auto.look;
      driver.auto.look = () => (isDrained() ? driver.fails('look') : looked?.());
    });
    expect(drains).toBeGreaterThan(2);
    expect(drains).toBeLessThan(12);
  });

  test('where rpm-ostree refuses the reboot', () => {
    const drains = drainsInAnHour(({ driver }) => {
      driver.auto.finalize = () => driver.fails('finalize', 'transient', 'denied by polkit');
    });
    expect(drains).toBeGreaterThan(2);
    expect(drains).toBeLessThan(12);
  });

  test('where the lock server takes the slot back meanwhile', () => {
    const host = arrived({ hooks: ['pre-reboot', 'reboot-cancelled'] }, {}, IN_FLEET);
    const { driver } = host;
    host.answers['pre-reboot'] = null;
    for (const end = driver.mono + HOUR; driver.mono < end;) {
      const isDrained = host.ran.lastIndexOf('pre-reboot') > host.ran.lastIndexOf('reboot-cancelled');
      if (driver.asked.includes('lock')) {
        if (isDrained) driver.refused('HTTP 409: slots_full', SECOND);
        else driver.granted();
      }
      // They take longer than a grant counts without being confirmed.
      const { running } = driver.state;
      if (running?.event === 'pre-reboot' && driver.mono - running.since > 61 * SECOND) host.hooked();
      driver.pass(SECOND);
    }
    expect(host.ran.filter((event) => event === 'pre-reboot').length).toBeLessThan(12);
  });
});

test('reboots that came to nothing long ago do not make the next try wait', () => {
  const host = arrived({ hooks: ['pre-reboot', 'reboot-cancelled'] }, {}, IN_FLEET);
  const { driver } = host;
  driver.auto.lock = () => driver.granted();
  let tries = 0;
  driver.auto.finalize = () => {
    tries += 1;
    driver.fails('finalize', 'transient', 'Transaction in progress: upgrade');
  };
  driver.auto.lock();
  driver.pass(90 * MINUTE, 100_000);
  driver.send({ kind: 'pause', by: 'root', until: null, reason: '' });
  driver.pass(72 * HOUR, 1_000_000);
  driver.send({ kind: 'resume', by: 'root' });
  const before = tries;
  driver.pass(40 * MINUTE, 100_000);
  expect(tries - before).toBeGreaterThan(2);
});

test('pre-stage hooks that were asked about one release do not consent to another', () => {
  const host = surrounded({ hooks: ['pre-stage'] });
  host.answers['pre-stage'] = null;
  while (host.driver.state.running === null) host.driver.tick();
  host.driver.auto.fetchGraph = () => host.driver.graphRead(graph([1, 2, 3]));
  host.driver.pass(2 * INTERVAL);
  host.hooked();
  expect([host.ran, host.driver.asked.includes('stage')]).toEqual([['pre-stage', 'pre-stage'], false]);
});

test('post-boot hooks that fail are run ever more rarely, and written down once', () => {
  const host = surrounded();
  host.answers['post-boot'] = { kind: 'failed', text: '10: no' };
  host.change({ hooks: ['post-boot'] });
  host.driver.pass(24 * HOUR, 100_000);
  const runs = host.ran.filter((event) => event === 'post-boot').length;
  expect([runs > 10, runs < 300]).toEqual([true, true]);
  expect(host.driver.log.filter((kind) => kind === 'persist').length).toBeLessThan(20);
});
