import { describe, expect, test } from 'vitest';
import type { BootHealth } from '../../../src/host/systemd/health.ts';
import type { Around } from '../../../src/agent/gates/around.ts';
import { gatesOf, statusLine } from '../../../src/agent/machine/explain.ts';
import { rollbackWithdrawn } from '../../../src/agent/machine/health.ts';
import { type Order, answerOrder } from '../../../src/agent/machine/orders.ts';
import { postponement } from '../../../src/agent/machine/people.ts';
import {
  AROUND,
  INTERVAL,
  MINUTE,
  SECOND,
  aroundRules,
  deployment,
  graph,
  hourlyWindows,
  instant,
  keyOf,
  lockAt,
  person,
  reading,
  settings,
  stagedDeployment,
} from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { IN_FLEET, arrived, surrounded } from '../../support/agent-surrounded.ts';

const WAITING: BootHealth = { kind: 'waiting', reason: 'boot-complete.target is inactive' };
const UNHEALTHY: BootHealth = { kind: 'unhealthy', reason: 'boot-complete.target failed' };
const UNKNOWN: BootHealth = { kind: 'unknown', reason: 'systemd cannot be asked about it' };
const HEALTHY: BootHealth = AROUND.boot;
/** Until its time to become healthy is over, for the agent of `updated`. */
const OVERDUE = 10 * MINUTE - 20 * SECOND;

/** The boot after an update into release 2, whose slot is still held. */
function updated(rollback = false): Driver {
  const before = arrived({}, { rollback }, IN_FLEET).driver;
  before.granted();
  before.finalized();
  const after = before.restarted({ bootId: 'boot-2', mono: 20 * SECOND });
  after.send({ kind: 'started' });
  after.auto.look = () => after.looked(reading(after.mono, 2, null, [deployment(1)]));
  after.auto.fetchGraph = () => after.graphRead(graph([1, 2]));
  if (after.asked.includes('look')) after.looked(reading(after.mono, 2, null, [deployment(1)]));
  return after;
}

/** Reads that this is around the host, and that it stays. */
function stays(driver: Driver, around: Partial<Around>): void {
  driver.lookedAround(around);
  driver.auto.lookAround = () => driver.lookedAround();
}

/** The boot becomes healthy after all, and the agent hears that something has changed. */
function recovers(driver: Driver): void {
  driver.auto.lookAround = () => driver.lookedAround({ boot: HEALTHY });
  driver.send({ kind: 'aroundChanged' });
  driver.pass(SECOND);
}

describe('a boot after an update', () => {
  test('gives the slot back when it is healthy, and not before', () => {
    const driver = updated();
    stays(driver, { boot: WAITING });
    driver.pass(5 * MINUTE);
    expect(driver.asked).toEqual([]);
    recovers(driver);
    expect(driver.asked).toEqual(['report']);
  });

  test('that is unhealthy keeps the slot, for ever, and says so loudly', () => {
    const driver = updated();
    stays(driver, { boot: UNHEALTHY });
    driver.pass(24 * 60 * MINUTE, 10_000);
    expect([driver.memory.owed.map(({ slot }) => slot), driver.log.includes('report')]).toEqual([[true], false]);
    expect(driver.said.filter((line) => line.startsWith('error: this boot is not healthy'))).toHaveLength(1);
    const line = statusLine(driver.state, instant(driver.mono));
    expect(line).toMatch(
      'this boot is not healthy: boot-complete.target failed, and the slot of group workers is kept',
    );
  });

  test('that does not become healthy in time is said to be so; when it does after all, the slot goes back', () => {
    const driver = updated();
    stays(driver, { boot: WAITING });
    driver.pass(10 * MINUTE - 21 * SECOND);
    expect(driver.said.join('\n')).not.toMatch('not healthy');
    driver.pass(2 * SECOND);
    expect(driver.said.join('\n')).toMatch(/error: this boot is not healthy: boot-complete.target is inactive/);
    recovers(driver);
    expect(driver.asked).toEqual(['report']);
  });

  test('is not healthy before its post-boot hooks have passed', () => {
    const driver = updated();
    driver.lookedAround({ hooks: ['post-boot'] });
    expect(driver.asked).toEqual(['hooks']);
    driver.hooked({ kind: 'failed', text: '10-check: exit code 1' });
    expect(driver.asked).toEqual([]);
    driver.auto.lookAround = () => driver.lookedAround();
    driver.pass(MINUTE);
    expect(driver.asked).toEqual(['hooks']);
    driver.hooked();
    expect([driver.asked, driver.memory.postBoot.passed]).toEqual([['report'], true]);
  });

  test('whose post-boot hooks have passed does not run them again when the agent restarts', () => {
    const driver = updated();
    driver.lookedAround({ hooks: ['post-boot'] });
    driver.hooked();
    const next = driver.restarted();
    next.send({ kind: 'started' });
    next.lookedAround({ hooks: ['post-boot'] });
    expect(next.asked).not.toContain('hooks');
  });
});

describe('an unhealthy boot', () => {
  test('fetches nothing and asks for no slot', () => {
    const host = surrounded({ boot: WAITING }, {}, IN_FLEET);
    host.driver.pass(2 * INTERVAL);
    expect([host.driver.phase, host.driver.log.includes('stage'), host.driver.memory.slot]).toEqual([
      'staging',
      false,
      null,
    ]);
    host.change({ boot: HEALTHY });
    expect(host.driver.log).toContain('stage');
  });

  test('goes back to the release before where that is wished, and keeps away from the bad one', () => {
    const driver = updated(true);
    stays(driver, { boot: UNHEALTHY });
    driver.pass(9 * MINUTE);
    expect(driver.asked).toEqual([]);
    driver.pass(MINUTE);
    expect(driver.asked).toEqual(['rollback']);
    expect(driver.written?.quarantine.map(({ key }) => key)).toEqual([keyOf(2)]);
    driver.send({ kind: 'rolledBack', id: driver.question('rollback').id });
    const back = driver.restarted({ bootId: 'boot-3', mono: 20 * SECOND });
    back.send({ kind: 'started' });
    back.looked(reading(back.mono, 1, null, [deployment(2)]));
    back.lookedAround({ boot: HEALTHY });
    expect(back.asked).toContain('report');
    back.reported();
    back.pass(INTERVAL);
    back.graphRead(graph([1, 2]));
    expect(back.phase).toBe('watching');
  });

  test('stays where it is when no update led there, or the release before is gone', () => {
    const fresh = surrounded({ boot: UNHEALTHY }, { rollback: true });
    fresh.driver.pass(60 * MINUTE);
    expect(fresh.driver.log).not.toContain('rollback');
    const driver = updated(true);
    driver.auto.look = () => driver.looked(reading(driver.mono, 2));
    driver.send({ kind: 'hostChanged' });
    stays(driver, { boot: UNHEALTHY });
    driver.pass(60 * MINUTE);
    expect(driver.log).not.toContain('rollback');
    expect(driver.said.join('\n')).toMatch(/error: going back to the release before: .*no longer on this host/);
  });

  test('stays where it is when it was healthy once: what goes wrong later is not the fault of the update', () => {
    const driver = updated(true);
    driver.lookedAround({ boot: HEALTHY });
    driver.reported();
    driver.auto.lookAround = () =>
      driver.lookedAround({ boot: { kind: 'waiting', reason: 'systemd cannot be asked' } });
    driver.send({ kind: 'aroundChanged' });
    driver.pass(24 * 60 * MINUTE, 100_000);
    expect(driver.log).not.toContain('rollback');
    const next = driver.restarted();
    next.send({ kind: 'started' });
    next.auto.look = () => next.looked(reading(next.mono, 2, null, [deployment(1)]));
    next.looked(reading(next.mono, 2, null, [deployment(1)]));
    stays(next, { boot: UNHEALTHY });
    next.pass(60 * MINUTE, 10_000);
    expect(next.log).not.toContain('rollback');
  });

  test('is watched for a minute at the least, by an agent that starts late, and its hooks run first', () => {
    const driver = updated(true);
    const late = driver.restarted({ bootId: 'boot-2', mono: 20 * MINUTE });
    late.send({ kind: 'started' });
    // The surroundings answer before rpm-ostree does.
    late.lookedAround({ boot: HEALTHY, hooks: ['post-boot'] });
    expect(late.asked).not.toContain('rollback');
    late.looked(reading(late.mono, 2, null, [deployment(1)]));
    late.auto.look = () => late.looked(reading(late.mono, 2, null, [deployment(1)]));
    late.auto.lookAround = () => late.lookedAround();
    late.pass(59 * SECOND);
    expect(late.asked).toEqual(['hooks']);
    late.pass(10 * MINUTE);
    expect(late.log).not.toContain('rollback');
    late.hooked();
    expect(late.asked).toContain('report');
  });

  test('does not go forward again from a boot that it went back to', () => {
    const driver = updated(true);
    stays(driver, { boot: UNHEALTHY });
    driver.pass(10 * MINUTE);
    driver.send({ kind: 'rolledBack', id: driver.question('rollback').id });
    const back = driver.restarted({ bootId: 'boot-3', mono: 20 * MINUTE });
    back.send({ kind: 'started' });
    stays(back, { boot: UNHEALTHY });
    back.pass(10 * MINUTE);
    back.looked(reading(back.mono, 1, null, [deployment(2)]));
    back.auto.look = () => back.looked(reading(back.mono, 1, null, [deployment(2)]));
    back.pass(60 * MINUTE, 10_000);
    expect(back.log).not.toContain('rollback');
  });

  test.each([
    ['a pause', { pause: true }, {}],
    ['a marker', {}, { holds: [{ name: 'debug', reason: 'somebody looks', since: 0, until: null }] }],
    ['an inhibitor', {}, { blockers: [{ who: 'ann', why: 'looks' }] }],
  ] as const)('does not go back past %s', (_, { pause = false }: { readonly pause?: boolean }, change) => {
    const driver = updated(true);
    if (pause) driver.send({ kind: 'pause', by: 'root', until: null, reason: 'debugging' });
    stays(driver, { boot: UNHEALTHY, ...change });
    driver.pass(60 * MINUTE, 10_000);
    expect(driver.log).not.toContain('rollback');
    if (pause) driver.send({ kind: 'resume', by: 'root' });
    driver.auto.lookAround = () => driver.lookedAround({ holds: [], blockers: [] });
    driver.pass(2 * MINUTE);
    expect(driver.asked).toContain('rollback');
  });

  test('that becomes healthy while rpm-ostree is being asked stays', () => {
    const driver = updated(true);
    stays(driver, { boot: UNHEALTHY });
    driver.pass(OVERDUE);
    expect(rollbackWithdrawn(driver.state, instant(driver.mono))).toBeNull();
    recovers(driver);
    expect(rollbackWithdrawn(driver.state, instant(driver.mono))).toMatch('healthy after all');
  });

  test('tells people before it goes back', () => {
    const driver = updated(true);
    stays(driver, { boot: UNHEALTHY, people: [person('1')] });
    driver.pass(10 * MINUTE);
    expect([driver.told.length, driver.log.includes('rollback')]).toEqual([1, false]);
    driver.pass(MINUTE);
    expect(driver.asked).toContain('rollback');
  });

  const HELD = [{ name: 'debug', reason: 'somebody looks', since: 0, until: null }];

  test('looks around a moment before it goes back, and heeds what it sees', () => {
    const driver = updated(true);
    let around: Partial<Around> = { boot: UNHEALTHY, people: [person('1')] };
    driver.lookedAround(around);
    driver.auto.lookAround = () => driver.lookedAround(around);
    driver.pass(10 * MINUTE);
    // Nobody says a word about it.
    around = { ...around, holds: HELD };
    driver.pass(60 * MINUTE);
    expect(driver.log).not.toContain('rollback');
  });

  test('lets nobody be taken by surprise who came without a word', () => {
    const driver = updated(true);
    let people = [person('1')];
    driver.lookedAround({ boot: UNHEALTHY, people });
    driver.auto.lookAround = () => driver.lookedAround({ people });
    driver.pass(OVERDUE + 59 * SECOND);
    people = [...people, person('2', 'bob')];
    driver.pass(SECOND);
    expect([driver.told.at(-1), driver.log.includes('rollback')]).toEqual([
      expect.stringMatching(/^pts\/2: .*10 s from now/),
      false,
    ]);
    driver.pass(10 * SECOND);
    expect(driver.asked).toContain('rollback');
  });

  test('past what holds it back for a while tells everybody anew', () => {
    const driver = updated(true);
    stays(driver, { boot: UNHEALTHY, people: [person('1')] });
    driver.pass(10 * MINUTE);
    driver.auto.lookAround = () => driver.lookedAround({ holds: HELD, people: [person('1'), person('2', 'bob')] });
    driver.send({ kind: 'aroundChanged' });
    driver.pass(60 * MINUTE);
    expect([driver.told.slice(1), driver.log.includes('rollback')]).toEqual([
      ['pts/1: The reboot into 42.1 is put off: held by debug (somebody looks).'],
      false,
    ]);
    driver.auto.lookAround = () => driver.lookedAround({ holds: [] });
    driver.send({ kind: 'aroundChanged' });
    driver.pass(59 * SECOND);
    expect([driver.told.at(-1), driver.log.includes('rollback')]).toEqual([
      expect.stringMatching(/^pts\/1,pts\/2: This host is about to reboot into 42\.1/),
      false,
    ]);
    driver.pass(SECOND);
    expect(driver.asked).toContain('rollback');
  });

  test.each([
    ['becomes healthy', recovers, 'this boot is healthy after all'],
    [
      'is to be left no more',
      (driver: Driver) =>
        driver.send({ kind: 'configured', settings: { ...driver.state.settings, around: aroundRules() } }),
      'health.rollback is off',
    ],
  ] as const)('of which people were told that it is left, and which %s, is said to stay', (_, happens, why) => {
    const driver = updated(true);
    stays(driver, { boot: UNHEALTHY, people: [person('1')] });
    driver.pass(10 * MINUTE + 30 * SECOND);
    happens(driver);
    driver.pass(SECOND);
    expect(driver.told.slice(1)).toEqual([`pts/1: The reboot is put off: ${why}.`]);
    driver.pass(60 * MINUTE);
    expect(driver.told).toHaveLength(2);
  });

  test('is not left any more by a rollback that is on its way when it should not', () => {
    const driver = updated(true);
    stays(driver, { boot: UNHEALTHY });
    driver.pass(OVERDUE);
    const withdrawn = (): string | null => rollbackWithdrawn(driver.state, instant(driver.mono));
    expect([driver.asked, withdrawn()]).toEqual([['rollback'], null]);
    driver.mono += 5 * SECOND + 1;
    expect(withdrawn()).toMatch('more than 5 s ago');
    driver.auto.lookAround = () => driver.lookedAround({ people: [person('1')] });
    driver.send({ kind: 'aroundChanged' });
    driver.pass(SECOND);
    expect(withdrawn()).toMatch('ann has logged in a moment ago');
  });

  test('a rollback that is refused is tried again', () => {
    const driver = updated(true);
    stays(driver, { boot: UNHEALTHY });
    driver.pass(10 * MINUTE);
    driver.fails('rollback', 'transient', 'Transaction in progress');
    driver.pass(MINUTE);
    expect(driver.asked).toContain('rollback');
  });
});

describe('a boot whose post-boot hooks cannot be run', () => {
  const REASON = '10-check: its unit was not started: masked';

  /** Until they can be. */
  function masked(): Driver {
    const driver = updated(true);
    driver.auto.hooks = () => driver.hooked({ kind: 'not-run', text: REASON });
    stays(driver, { hooks: ['post-boot'] });
    driver.pass(60 * MINUTE, 10_000);
    return driver;
  }

  test('keeps the slot, and is neither left nor kept away from', () => {
    const driver = masked();
    expect([driver.log.includes('rollback'), driver.log.includes('report'), driver.memory.quarantine]).toEqual([
      false,
      false,
      [],
    ]);
    expect(gatesOf(driver.state, instant(driver.mono)).find(({ gate }) => gate === 'health')).toMatchObject({
      reason: `this boot is not complete yet: post-boot hook ${REASON}`,
    });
    expect(driver.said.join('\n')).toMatch(`error: this boot is not healthy: post-boot hook ${REASON}`);
  });

  test('is healthy as soon as they have been run', () => {
    const driver = masked();
    driver.auto.hooks = () => driver.hooked();
    driver.pass(3 * INTERVAL);
    expect(driver.asked).toContain('report');
  });

  test('is left when they are run at last, and fail', () => {
    const driver = masked();
    driver.auto.hooks = () => driver.hooked({ kind: 'failed', text: '10-check: exit code 1' });
    driver.pass(3 * INTERVAL);
    expect(driver.asked).toContain('rollback');
  });
});

describe('an agent that stops while the post-boot hooks run', () => {
  const KILLED = { kind: 'failed', text: '10-check: killed: it is no longer wanted' } as const;

  test.each([false, 'unknown', true] as const)('says nothing of the boot (the host goes down: %s)', (hostGoesDown) => {
    const driver = updated(true);
    stays(driver, { hooks: ['post-boot'] });
    driver.send({ kind: 'stop', hostGoesDown });
    driver.hooked(KILLED);
    expect(driver.written?.postBoot).toEqual({ passed: false, problem: null, notRun: false });
    const next = driver.restarted();
    next.send({ kind: 'started' });
    next.auto.look = () => next.looked(reading(next.mono, 2, null, [deployment(1)]));
    next.auto.look();
    stays(next, { hooks: ['post-boot'] });
    expect([next.asked.includes('hooks'), next.state.troubles.health]).toEqual([true, undefined]);
    expect(next.said.join('\n')).not.toMatch('not healthy');
  });

  test('knows that they have passed when they have', () => {
    const driver = updated(true);
    stays(driver, { hooks: ['post-boot'] });
    driver.send({ kind: 'stop', hostGoesDown: false });
    driver.hooked();
    expect(driver.written?.postBoot.passed).toBe(true);
  });
});

describe('a boot of whose health nobody can be asked', () => {
  test('is waited for while it was never healthy, and not left', () => {
    const driver = updated(true);
    stays(driver, { boot: UNKNOWN });
    driver.pass(5 * MINUTE);
    expect(driver.asked).toEqual([]);
    driver.pass(60 * MINUTE, 10_000);
    expect(driver.said.join('\n')).toMatch(/error: this boot is not healthy: systemd cannot be asked about it/);
    expect([driver.log.includes('rollback'), driver.log.includes('report')]).toEqual([false, false]);
    driver.auto.lookAround = () => driver.lookedAround({ boot: UNHEALTHY });
    driver.send({ kind: 'aroundChanged' });
    driver.pass(SECOND);
    expect(driver.asked).toEqual(['rollback']);
  });

  test.each([
    [WAITING, 'this boot is not complete yet: boot-complete.target is inactive'],
    [UNHEALTHY, 'this boot is not healthy: boot-complete.target failed'],
    [UNKNOWN, 'whether this boot is still healthy is not known at the moment: systemd cannot be asked about it'],
  ])('fetches nothing, and says what is true of it (%o)', (boot, waits) => {
    const host = surrounded();
    host.change({ boot });
    host.driver.pass(2 * INTERVAL);
    expect(host.driver.state.phase).toMatchObject({ name: 'staging', waits });
  });

  test('and which was healthy is not said to be unhealthy, and reboots when that is known again', () => {
    const host = surrounded({ boot: UNKNOWN }, {}, IN_FLEET);
    host.change({ boot: HEALTHY });
    host.change({ boot: UNKNOWN });
    host.driver.pass(24 * 60 * MINUTE, 10_000);
    expect(host.driver.said.filter((line) => line.startsWith('error'))).toEqual([]);
    expect(host.driver.state.troubles.health).toBeUndefined();
    expect(host.driver.log).not.toContain('lock');
    host.change({ boot: HEALTHY });
    host.driver.pass(SECOND);
    expect(host.driver.log).toContain('stage');
  });

  test('does not reboot, and says why', () => {
    const host = arrived({ holds: [{ name: 'x', reason: 'y', since: 0, until: null }] }, {}, IN_FLEET);
    host.change({ boot: UNKNOWN, holds: [] });
    host.driver.pass(60 * MINUTE);
    expect([host.driver.phase, host.driver.log.includes('lock')]).toEqual(['holding', false]);
    expect(statusLine(host.driver.state, instant(host.driver.mono))).toMatch(
      'waiting: whether this boot is still healthy is not known at the moment: systemd cannot be asked about it',
    );
  });

  test('keeps the slot, and what the hooks did, while that passes within a minute', () => {
    const host = arrived({ hooks: ['pre-reboot', 'reboot-cancelled'] }, {}, IN_FLEET);
    host.answers['pre-reboot'] = null;
    host.driver.granted();
    host.change({ boot: UNKNOWN });
    host.hooked();
    host.driver.pass(40 * SECOND);
    expect([host.driver.phase, host.driver.memory.slot?.state, host.driver.asked]).toEqual(['releasing', 'held', []]);
    // It is read again by itself, and soon.
    host.silently({ boot: HEALTHY });
    host.driver.pass(6 * SECOND);
    expect([host.driver.asked, host.ran]).toEqual([['finalize'], ['pre-reboot']]);
  });

  test('gives the slot back, and undoes what the hooks did, when that takes longer', () => {
    const host = arrived({ hooks: ['pre-reboot', 'reboot-cancelled'] }, {}, IN_FLEET);
    host.answers['pre-reboot'] = null;
    host.driver.granted();
    host.change({ boot: UNKNOWN });
    host.hooked();
    host.driver.pass(70 * SECOND);
    expect([host.driver.phase, host.driver.memory.slot, host.ran]).toEqual([
      'holding',
      null,
      ['pre-reboot', 'reboot-cancelled'],
    ]);
    expect(host.driver.said.filter((line) => line.startsWith('error'))).toEqual([]);
  });
});

test('a host where nothing of this is read is healthy', () => {
  const driver = arrived({}, {}, { around: null, lock: lockAt('a') }).driver;
  expect([settings({ around: aroundRules() }).around === null, driver.asked]).toEqual([false, ['lock']]);
});

describe('people who are told that the host goes back', () => {
  /** Outside of the windows for updates, with release 3 staged by somebody else. */
  function holding(): Driver {
    const before = arrived({}, { rollback: true }, IN_FLEET).driver;
    before.granted();
    before.finalized();
    const around = aroundRules({ rollback: true });
    const change = { source: 'staged', lock: lockAt('a'), around, schedule: hourlyWindows() } as const;
    const after = before.restarted({ bootId: 'boot-2', mono: 31 * MINUTE, settings: settings(change) });
    after.send({ kind: 'started' });
    after.auto.look = () => after.looked(reading(after.mono, 2, stagedDeployment(3), [deployment(1)]));
    after.auto.look();
    stays(after, { boot: UNHEALTHY, people: [person('1')] });
    return after;
  }

  function told(): Driver {
    const driver = updated(true);
    stays(driver, { boot: UNHEALTHY, people: [person('1')] });
    driver.pass(OVERDUE);
    return driver;
  }

  test('are not told to postpone it', () => {
    expect(told().told).toEqual([expect.stringMatching(/into 42\.1: not before 60 s from now, and then .* back\.$/)]);
  });

  test('hear of it once while another release waits for its window, and then it comes', () => {
    const driver = holding();
    driver.pass(15 * MINUTE, 10_000);
    expect([driver.phase, driver.told]).toEqual(['holding', [expect.stringMatching(/about to reboot into 42\.1/)]]);
    expect(driver.asked).toContain('rollback');
  });

  test('cannot postpone it, whatever else waits', () => {
    const driver = holding();
    while (driver.told.length === 0) driver.tick();
    expect(postponement(driver.state, MINUTE, instant(driver.mono))).toEqual({
      until: null,
      text: expect.stringMatching(/goes back to the release before, which cannot be postponed/) as string,
    });
    driver.send({ kind: 'postpone', by: 'ann', forMs: MINUTE });
    driver.pass(2 * MINUTE);
    expect([driver.memory.postponed, driver.asked.includes('rollback')]).toEqual([null, true]);
  });

  test('hear that a pause puts it off, and hear of it anew afterwards', () => {
    const driver = told();
    driver.send({ kind: 'pause', by: 'root', until: null, reason: 'debugging' });
    expect(driver.told.slice(1)).toEqual(['pts/1: The reboot into 42.1 is put off: paused by root (debugging).']);
    driver.pass(60 * MINUTE);
    expect([driver.told.length, driver.log.includes('rollback')]).toEqual([2, false]);
    driver.send({ kind: 'resume', by: 'root' });
    expect(driver.told.slice(2)).toEqual([expect.stringMatching(/about to reboot into 42\.1: not before 60 s/)]);
    driver.pass(MINUTE);
    expect(driver.asked).toContain('rollback');
  });

  test('hear of a pause also between two tries', () => {
    const driver = told();
    driver.pass(MINUTE);
    driver.fails('rollback');
    driver.send({ kind: 'pause', by: 'root', until: null, reason: '' });
    expect(driver.told.slice(1)).toEqual(['pts/1: The reboot into 42.1 is put off: paused by root.']);
    driver.pass(60 * MINUTE);
    expect(driver.log.filter((kind) => kind === 'rollback')).toHaveLength(1);
  });

  test('and who come after one that did not come have their notice, too', () => {
    const driver = updated(true);
    stays(driver, { boot: UNHEALTHY });
    driver.pass(OVERDUE);
    driver.send({ kind: 'rolledBack', id: driver.question('rollback').id });
    driver.open.splice(0);
    driver.auto.lookAround = () => driver.lookedAround({ people: [person('1')] });
    driver.pass(15 * MINUTE);
    expect([driver.told.length, driver.asked.includes('rollback')]).toEqual([1, true]);
  });
});

describe('going back to the release before', () => {
  /** The boot after an update, where nothing but its health speaks for leaving it, at the time at which it is left. */
  function overdue(change: Partial<Around>, before: (driver: Driver) => void = () => undefined): Driver {
    const driver = updated(true);
    before(driver);
    stays(driver, { boot: UNHEALTHY, ...change });
    driver.pass(60 * MINUTE, 10_000);
    return driver;
  }

  test('comes no sooner than after a minute of an agent that starts late', () => {
    const driver = updated(true);
    const late = driver.restarted({ bootId: 'boot-2', mono: 20 * MINUTE });
    late.send({ kind: 'started' });
    late.looked(reading(late.mono, 2, null, [deployment(1)]));
    late.auto.look = () => late.looked(reading(late.mono, 2, null, [deployment(1)]));
    stays(late, { boot: WAITING });
    late.pass(MINUTE - 1);
    expect([late.log.includes('rollback'), late.said.join('\n')]).toEqual([
      false,
      expect.not.stringMatching('error: '),
    ]);
    late.pass(1);
    expect(late.asked).toContain('rollback');
  });

  test('waits while updates are disabled', () => {
    const driver = overdue({}, (one) => {
      one.send({ kind: 'configured', settings: { ...one.state.settings, enabled: false } });
    });
    expect(driver.log).not.toContain('rollback');
    driver.send({ kind: 'configured', settings: { ...driver.state.settings, enabled: true } });
    expect(driver.asked).toContain('rollback');
  });

  test('waits while the host runs on battery', () => {
    const driver = overdue({ power: 'battery' });
    expect(driver.log).not.toContain('rollback');
    driver.auto.lookAround = () => driver.lookedAround({ power: 'ac' });
    driver.pass(2 * MINUTE);
    expect(driver.asked).toContain('rollback');
  });

  test('does not take a release that is only staged for the one before', () => {
    const driver = overdue({}, (one) => {
      one.auto.look = () => one.looked(reading(one.mono, 2, stagedDeployment(1)));
      one.send({ kind: 'hostChanged' });
    });
    expect(driver.log).not.toContain('rollback');
    expect(driver.said.join('\n')).toMatch(/error: going back to the release before: .*no longer on this host/);
  });

  test('does not leave a release that is not the one that came up', () => {
    const driver = overdue({}, (one) => {
      one.auto.look = () => one.looked(reading(one.mono, 3, null, [deployment(1)]));
      one.send({ kind: 'hostChanged' });
    });
    expect(driver.log).not.toContain('rollback');
  });
});

describe('while the way back is under way', () => {
  /** rpm-ostree has acknowledged it; the slot of the update is still owed. */
  function goingBack(): Driver {
    const driver = updated(true);
    driver.auto.lookAround = () => driver.lookedAround({ boot: UNHEALTHY });
    driver.lookedAround({ boot: UNHEALTHY });
    driver.pass(11 * MINUTE);
    driver.send({ kind: 'rolledBack', id: driver.question('rollback').id });
    driver.open.splice(0);
    return driver;
  }

  test('the slot stays, and nobody hears the contrary, also where the boot becomes healthy after all', () => {
    const driver = goingBack();
    const told = driver.told.length;
    driver.auto.lookAround = () => driver.lookedAround({ boot: { kind: 'healthy' }, people: [person('1')] });
    driver.send({ kind: 'aroundChanged' });
    driver.pass(20 * MINUTE);
    expect([driver.asked.includes('report'), driver.told.length]).toEqual([false, told]);
    expect(driver.said.some((line) => /^error: .*asked to go back, but the host has not rebooted/.test(line))).toBe(
      true,
    );
  });

  test('orders say that it cannot be taken back', () => {
    const { state } = goingBack();
    const say = (order: Order): string => answerOrder(state, order, instant(0)).text;
    expect(say({ kind: 'cancel' })).toMatch(/way back to 42\.1 has begun, nothing can be taken back/);
    expect(say({ kind: 'pause', until: null, reason: '' })).toMatch(/cannot be taken back/);
  });

  test('a new boot knows nothing of it', () => {
    const next = goingBack().restarted({ bootId: 'boot-9' });
    next.send({ kind: 'started' });
    expect(next.memory.goingBack).toBeNull();
  });
});

describe('a release that was healthy once', () => {
  /** Another boot of it, with what is on disk. */
  function again(driver: Driver): Driver {
    const next = driver.restarted({ bootId: 'boot-7' });
    next.send({ kind: 'started' });
    next.looked(reading(next.mono, 2, null, [deployment(1)]));
    next.auto.look = () => next.looked(reading(next.mono, 2, null, [deployment(1)]));
    next.auto.lookAround = () => next.lookedAround({ boot: UNHEALTHY });
    next.lookedAround({ boot: UNHEALTHY });
    return next;
  }

  test('is not left for a later boot that is not healthy', () => {
    const driver = updated(true);
    driver.lookedAround({ boot: { kind: 'healthy' } });
    expect(driver.memory.lastBoot?.proven).toBe(true);
    const next = again(driver);
    next.pass(30 * MINUTE, 10_000);
    expect([next.asked.includes('rollback'), next.memory.quarantine]).toEqual([false, []]);
  });

  test('one that never was is left at its second try as well', () => {
    const driver = updated(true);
    driver.lookedAround({ boot: UNHEALTHY });
    const next = again(driver);
    next.pass(11 * MINUTE, 10_000);
    expect(next.asked).toContain('rollback');
  });

  test('is not kept away for a way back that was withdrawn', () => {
    const driver = updated(true);
    driver.auto.lookAround = () => driver.lookedAround({ boot: UNHEALTHY });
    driver.lookedAround({ boot: UNHEALTHY });
    driver.pass(11 * MINUTE);
    expect(driver.memory.quarantine).toHaveLength(1);
    driver.fails('rollback', 'transient', 'not started: this boot is healthy after all');
    driver.auto.lookAround = () => driver.lookedAround({ boot: { kind: 'healthy' } });
    driver.send({ kind: 'aroundChanged' });
    driver.pass(MINUTE);
    expect([driver.memory.quarantine, driver.state.troubles.rollback]).toEqual([[], undefined]);
  });
});
