import { describe, expect, test } from 'vitest';
import { utc } from '../../../src/base/text.ts';
import { postponableMs, postponement } from '../../../src/agent/machine/people.ts';
import type { AgentState } from '../../../src/agent/machine/state.ts';
import type { Around } from '../../../src/agent/gates/around.ts';
import {
  INTERVAL,
  MINUTE,
  SECOND,
  aroundRules,
  instant,
  person,
  reading,
  stagedDeployment,
} from '../../support/agent-builders.ts';
import { IN_FLEET, type Surrounded, arrived, surrounded } from '../../support/agent-surrounded.ts';

const ANN = person('1');
const BOB = person('2', 'bob');
const NO_WINDOWS = { sources: [], placeIn: () => 0, days: new Map<never, never>() };

describe('people who are logged in', () => {
  test('get their time, a reminder and a last notice; then it reboots', () => {
    const { driver } = arrived({ people: [ANN] });
    expect([driver.phase, driver.told.length]).toEqual(['holding', 1]);
    expect(driver.told[0]).toMatch(/^pts\/1: .*42\.2.*waits for you for 10 min.*as soon as nothing else holds it back/);
    driver.pass(9 * MINUTE);
    expect(driver.told.length).toBe(2);
    driver.pass(MINUTE);
    expect([driver.phase, driver.told.length]).toEqual(['releasing', 3]);
    expect(driver.told[2]).toMatch(/not before 60 s from now/);
    driver.pass(59 * SECOND);
    expect(driver.phase).toBe('releasing');
    driver.pass(SECOND);
    expect([driver.phase, driver.asked]).toEqual(['rebooting', ['finalize']]);
  });

  test('who leave are not waited for', () => {
    const host = arrived({ people: [ANN] });
    host.change({ people: [] });
    expect(host.driver.asked).toEqual(['finalize']);
  });

  test('who leave during the last notice end it', () => {
    const host = arrived({ people: [ANN] });
    host.driver.pass(10 * MINUTE);
    host.change({ people: [] });
    expect(host.driver.asked).toEqual(['finalize']);
  });

  test('who come while others have their time are told, and get what is left of it', () => {
    const host = arrived({ people: [ANN] });
    host.driver.pass(5 * MINUTE);
    host.change({ people: [ANN, BOB] });
    expect(host.driver.told.at(-1)).toMatch(/^pts\/2: .*for 5 min/);
    host.driver.pass(6 * MINUTE);
    expect(host.driver.asked).toEqual(['finalize']);
  });

  test('after the time, get the last notice and no new time', () => {
    const host = arrived({ people: [ANN] }, {}, IN_FLEET);
    host.change({ people: [] });
    expect(host.driver.asked).toEqual(['lock']);
    host.driver.refused('HTTP 409: slots_full', 20 * MINUTE);
    host.driver.pass(10 * MINUTE);
    host.change({ people: [BOB] });
    host.driver.pass(9 * MINUTE);
    expect(host.driver.told.filter((line) => line.startsWith('pts/2: '))).toEqual([]);
    host.driver.pass(2 * MINUTE);
    host.driver.granted();
    expect(host.driver.told.at(-1)).toMatch(/^pts\/2: .*not before 60 s/);
    host.driver.pass(MINUTE);
    expect(host.driver.asked).toEqual(['finalize']);
  });

  test('the time is not given again for refusals that have nothing to do with them', () => {
    const host = arrived({ people: [ANN] }, {}, IN_FLEET);
    host.driver.pass(10 * MINUTE);
    host.driver.refused('HTTP 409: slots_full', MINUTE);
    host.change({ holds: [{ name: 'backup', reason: 'runs', since: 0, until: null }] });
    host.driver.pass(2 * MINUTE);
    host.change({ holds: [] });
    expect(host.driver.asked).toContain('lock');
  });

  test('keep no slot meanwhile: it is asked for when their time is over', () => {
    const host = arrived({ people: [ANN] }, {}, IN_FLEET);
    host.driver.pass(10 * MINUTE - 1);
    expect([host.driver.asked.includes('lock'), host.driver.memory.slot]).toEqual([false, null]);
    host.driver.pass(1);
    expect(host.driver.asked).toContain('lock');
  });

  test('who log in between the grant and finalize, where nobody was before, get their time: the slot goes back', () => {
    const host = arrived({}, {}, IN_FLEET);
    host.silently({ people: [BOB] });
    delete host.driver.auto.report;
    host.driver.granted();
    expect([host.driver.phase, host.driver.asked]).toEqual(['holding', ['report']]);
    expect(host.driver.told).toEqual([expect.stringMatching(/^pts\/2: .*for 10 min/)]);
  });

  test('who log in during the last seconds of the notice are waited for until they have had ten', () => {
    const host = arrived({ people: [ANN] }, {}, IN_FLEET);
    host.driver.pass(10 * MINUTE);
    host.driver.granted();
    host.driver.pass(55 * SECOND);
    host.change({ people: [ANN, BOB] });
    expect(host.driver.told.at(-1)).toMatch(/^pts\/2: .*not before 10 s from now/);
    host.driver.pass(9 * SECOND);
    expect(host.driver.asked).toEqual([]);
    host.driver.pass(SECOND);
    // The slot was granted more than a minute ago.
    host.driver.granted();
    expect(host.driver.asked).toEqual(['finalize']);
  });

  test('who come all the time are not waited for all the time: the slot goes back, and is asked for ever more rarely', () => {
    const host = arrived({ people: [ANN], hooks: ['pre-reboot'] }, {}, IN_FLEET);
    host.driver.pass(10 * MINUTE);
    const grants: number[] = [];
    for (let count = 0; host.driver.mono < 24 * 60 * MINUTE; count += 1) {
      if (host.driver.asked.includes('lock')) {
        grants.push(host.driver.mono);
        host.driver.granted();
      }
      host.change({ people: [ANN, person(`s${count}`)] });
      host.driver.pass(5 * SECOND);
    }
    expect(host.driver.log).not.toContain('finalize');
    // Nothing was drained for it, and after the first hours it is tried once an hour; but it is tried.
    expect([host.ran, grants.length > 20, grants.length < 40]).toEqual([[], true, true]);
  });

  test('that comes to nothing when a pause closes it, are told so, and get new time afterwards', () => {
    const host = arrived({ people: [ANN] });
    host.driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
    expect(host.driver.told.at(-1)).toMatch(/^pts\/1: .*put off: paused by root \(maintenance\)/);
    host.driver.pass(20 * MINUTE);
    host.driver.send({ kind: 'resume', by: 'root' });
    expect(host.driver.told.at(-1)).toMatch(/for 10 min/);
    host.driver.pass(9 * MINUTE);
    expect(host.driver.phase).toBe('holding');
  });

  test('is called off for who was told when updates are disabled', () => {
    const host = arrived({ people: [person('1')] });
    host.driver.send({ kind: 'configured', settings: { ...host.driver.state.settings, enabled: false } });
    expect(host.driver.told.at(-1)).toMatch(/^pts\/1: The reboot is put off: updates\.enabled is false/);
  });

  test('do not matter where it is configured so', () => {
    const { driver } = arrived({ people: [ANN] }, { people: null });
    expect([driver.asked, driver.told]).toEqual([['finalize'], []]);
  });

  test('without a grace period or notice are not waited for', () => {
    const rules = { graceMs: 0, finalNoticeMs: 0, unreadableMs: 0, postponeMs: 0 };
    expect(arrived({ people: [ANN] }, { people: rules }).driver.asked).toEqual(['finalize']);
  });
});

describe('a list of sessions that cannot be read', () => {
  test('is somebody for half an hour, then nobody', () => {
    const { driver } = arrived({ people: null });
    driver.pass(27 * MINUTE);
    expect(driver.phase).toBe('holding');
    driver.pass(3 * MINUTE);
    expect(driver.asked).toContain('finalize');
  });

  test('is warned of when it counts as nobody from then on', () => {
    const { driver } = arrived({ people: null }, { requireAc: true });
    const warning = 'warn: nobody knows who is logged in: from now on that counts as nobody';
    driver.auto.finalize = () => driver.fails('finalize');
    driver.pass(27 * MINUTE, 10_000);
    expect(driver.said).not.toContain(warning);
    driver.pass(20 * MINUTE, 10_000);
    expect(driver.said.filter((line) => line === warning)).toHaveLength(1);
  });

  test('that can be read again is what it says', () => {
    const host = arrived({ people: null });
    host.change({ people: [] });
    expect(host.driver.asked).toEqual(['finalize']);
  });
});

describe('postponing', () => {
  const rules = { graceMs: 10 * MINUTE, finalNoticeMs: MINUTE, unreadableMs: 0, postponeMs: 60 * MINUTE };

  test('puts the reboot off, and nobody can do it for longer than allowed', () => {
    const host = arrived({ people: [ANN] }, { people: rules });
    expect(host.driver.told[0]).toMatch('holdpoint postpone');
    host.driver.send({ kind: 'postpone', by: 'ann', forMs: 40 * MINUTE });
    host.driver.send({ kind: 'postpone', by: 'ann', forMs: 40 * MINUTE });
    expect(host.driver.memory.postponed?.until).toBe(instant(host.driver.mono).wall + 70 * MINUTE);
    host.driver.pass(69 * MINUTE);
    expect([host.driver.phase, host.driver.memory.graceUntil]).toEqual(['holding', host.driver.mono + MINUTE]);
    host.driver.pass(2 * MINUTE);
    expect(host.driver.asked).toContain('finalize');
  });

  test('by less than what is left of the time of people makes it later all the same, and says by how much', () => {
    const { driver } = arrived({ people: [ANN] }, { people: { ...rules, graceMs: 30 * MINUTE } });
    driver.pass(MINUTE);
    const wall = instant(driver.mono).wall + 29 * MINUTE;
    const answer = postponement(driver.state, 20 * MINUTE, instant(driver.mono));
    expect(answer.until).toBe(wall + 20 * MINUTE);
    expect(answer.text).toMatch(`waits until ${utc(wall + 20 * MINUTE)} at the least; 40 min more are allowed`);
    driver.send({ kind: 'postpone', by: 'ann', forMs: 20 * MINUTE });
    expect(driver.told.at(-1)).toMatch(`put off until ${utc(wall + 20 * MINUTE)} at the least`);
    expect([driver.memory.postponed?.spentMs, postponableMs(driver.state)]).toEqual([20 * MINUTE, 40 * MINUTE]);
    driver.pass(49 * MINUTE - 1);
    expect(driver.phase).toBe('holding');
    driver.pass(1);
    expect(driver.phase).toBe('releasing');
  });

  test('during the last notice gives the slot back', () => {
    const host = arrived({ people: [ANN] }, { people: rules }, IN_FLEET);
    host.driver.pass(10 * MINUTE);
    host.driver.granted();
    delete host.driver.auto.report;
    host.driver.send({ kind: 'postpone', by: 'ann', forMs: 5 * MINUTE });
    expect([host.driver.phase, host.driver.asked]).toEqual(['holding', ['report']]);
  });

  test('is not possible where the policy does not allow it', () => {
    const host = arrived({ people: [ANN] }, { people: { ...rules, postponeMs: 0 } });
    host.driver.send({ kind: 'postpone', by: 'ann', forMs: 5 * MINUTE });
    expect([host.driver.memory.postponed, host.driver.told[0]]).toEqual([null, expect.not.stringMatching('postpone')]);
  });

  test('says what came of it, and how much is left', () => {
    const host = arrived({ people: [ANN] }, { people: rules });
    const { driver } = host;
    const ask = (minutes: number): string => {
      const { text } = postponement(driver.state, minutes * MINUTE, instant(driver.mono));
      driver.send({ kind: 'postpone', by: 'ann', forMs: minutes * MINUTE });
      return text;
    };
    expect(ask(40)).toMatch(/^the reboot into 42\.2.* waits until 20.*Z at the least; 20 min more are allowed$/);
    expect(ask(40)).toMatch(/; that is all that is allowed$/);
    expect(ask(40)).toBe('it was postponed by 1 h already, which is all that is allowed');
    expect(postponableMs(driver.state)).toBe(0);
  });

  test('says why it is not done', () => {
    const why = (state: AgentState): string => postponement(state, MINUTE, instant(0)).text;
    const none = surrounded({}, { people: rules });
    expect(why(none.driver.state)).toBe('no reboot is waiting');
    expect(why(arrived({}, { people: rules }).driver.state)).toBe('it is too late: the reboot has begun');
    const host = arrived({ people: [ANN] }, { people: rules });
    expect(why({ ...host.driver.state, stopping: 'unclear' })).toBe('the agent is stopping');
    expect(why(arrived({ people: [ANN] }, { people: null }).driver.state)).toMatch('updates.sessions.postpone_secs');
  });
});

test('nothing of the surroundings is read more than once a minute while nothing happens', () => {
  const { driver } = arrived(
    { people: [ANN] },
    { people: { graceMs: 60 * MINUTE, finalNoticeMs: 0, unreadableMs: 0, postponeMs: 0 } },
  );
  const before = driver.log.filter((kind) => kind === 'lookAround').length;
  driver.pass(2 * INTERVAL);
  expect(driver.log.filter((kind) => kind === 'lookAround').length - before).toBeLessThanOrEqual(10);
});

test('a change that is told of while the surroundings are being read is read as well', () => {
  const host = arrived({}, {}, IN_FLEET);
  delete host.driver.auto.lookAround;
  host.driver.pass(SECOND);
  host.driver.granted();
  expect(host.driver.asked).toContain('lookAround');
  host.driver.send({ kind: 'aroundChanged' });
  host.driver.lookedAround({ people: [] });
  expect(host.driver.asked).not.toContain('finalize');
  host.driver.pass(SECOND);
  host.driver.lookedAround({ people: [BOB] });
  expect([host.driver.phase, host.driver.told.length]).toEqual(['holding', 1]);
});

test('people who came while nobody knew what had become of finalize are told before it is repeated', () => {
  const host = arrived({ people: [ANN] });
  host.driver.pass(11 * MINUTE);
  host.driver.fails('finalize', 'unknown', 'no answer');
  host.change({ people: [ANN, BOB] });
  host.driver.pass(20 * MINUTE, 10_000);
  expect(host.driver.told.some((line) => line.startsWith('pts/1,pts/2: '))).toBe(true);
  expect(host.driver.asked).toContain('finalize');
});

test('a configuration that asks nobody any more does not say that the reboot is put off', () => {
  const host = arrived({ people: [ANN] });
  host.driver.send({
    kind: 'configured',
    settings: { ...host.driver.state.settings, around: aroundRules({ people: null }) },
  });
  expect([host.driver.told.length, host.driver.asked]).toEqual([1, ['finalize']]);
});

test('a postponement moves with a clock that is set', () => {
  const host = arrived({ people: [ANN] });
  host.driver.send({ kind: 'postpone', by: 'ann', forMs: 60 * MINUTE });
  const before = host.driver.memory.postponed?.until ?? 0;
  host.driver.clockOffset = -365 * 24 * 60 * MINUTE;
  host.driver.send({ kind: 'tick' });
  expect(host.driver.memory.postponed?.until).toBe(before - 365 * 24 * 60 * MINUTE);
});

describe('whoever makes something change all the time', () => {
  /** For so long, something changes during each reading, which takes a while. */
  function noise({ driver, around }: Surrounded, ms: number, until = (): boolean => false): void {
    delete driver.auto.lookAround;
    for (const end = driver.mono + ms; driver.mono < end && !until();) {
      driver.send({ kind: 'aroundChanged' });
      driver.pass(300);
      driver.send({ kind: 'aroundChanged' });
      if (driver.asked.includes('lookAround')) driver.lookedAround(around, 300);
    }
  }

  test('does not keep a reboot back that has its slot', () => {
    const host = arrived({}, {}, IN_FLEET);
    noise(host, SECOND);
    host.driver.granted();
    noise(host, 15 * SECOND, () => host.driver.asked.includes('finalize'));
    expect(host.driver.asked).toContain('finalize');
  });

  test('does not hide what closes a gate meanwhile', () => {
    const host = arrived({}, {}, IN_FLEET);
    noise(host, SECOND);
    host.driver.granted();
    noise(host, 2 * SECOND);
    host.driver.send({ kind: 'pause', by: 'root', until: null, reason: '' });
    expect([host.driver.phase, host.driver.memory.slot]).toEqual(['holding', null]);
  });
});

describe('a reboot that is postponed again and again', () => {
  const people = { graceMs: 10 * MINUTE, finalNoticeMs: MINUTE, unreadableMs: 30 * MINUTE, postponeMs: 10 * SECOND };

  test('comes when what is allowed has been used up: nobody gets new time for it', () => {
    const { driver } = arrived({ people: [ANN] }, { people });
    for (let times = 0; times < 10; times += 1) {
      driver.pass(10 * MINUTE - 500);
      driver.send({ kind: 'postpone', by: 'ann', forMs: SECOND });
      if (driver.phase !== 'holding') break;
    }
    driver.pass(12 * MINUTE);
    expect(driver.asked).toContain('finalize');
    expect(driver.mono).toBeLessThan(60 * MINUTE);
  });

  test('waits until the moment that people were told, reminds them, and tells who comes', () => {
    const host = arrived({ people: [ANN] }, { people: { ...people, postponeMs: 60 * MINUTE } });
    const { driver } = host;
    driver.pass(5 * MINUTE);
    driver.send({ kind: 'postpone', by: 'ann', forMs: 30 * MINUTE });
    const until = driver.mono + 35 * MINUTE;
    expect(driver.told.at(-1)).toMatch(/^pts\/1: The reboot into 42\.2 is put off until .*: postponed by ann\.$/);
    host.change({ people: [ANN, BOB] });
    expect(driver.told.at(-1)).toMatch(/^pts\/2: .*waits for you for 35 min/);
    driver.pass(until - driver.mono - MINUTE);
    expect(driver.told.at(-1)).toMatch(/^pts\/1,pts\/2: .*waits for you for 60 s/);
    expect(driver.phase).toBe('holding');
    driver.pass(MINUTE);
    expect([driver.phase, driver.mono]).toEqual(['releasing', until]);
  });

  test('gives time once to who was not asked before it was put off', () => {
    const { driver } = arrived(
      { people: [ANN] },
      { people: { ...people, postponeMs: 60 * MINUTE } },
      { minUptimeMs: 5 * MINUTE },
    );
    driver.send({ kind: 'postpone', by: 'ann', forMs: 30 * MINUTE });
    driver.pass(31 * MINUTE);
    expect(driver.told).toEqual([expect.stringMatching(/waits for you for 10 min/)]);
  });
});

describe('a restart of the agent', () => {
  test('gives people no new time, tells them what is left, and reminds them', () => {
    const host = arrived({ people: [ANN] });
    host.driver.pass(4 * MINUTE);
    const next = host.restart();
    next.driver.pass(SECOND);
    expect(next.driver.told).toEqual([expect.stringMatching(/^pts\/1: .*waits for you for (6 min|359 s|5 min 5\d s)/)]);
    next.driver.pass(5 * MINUTE);
    expect(next.driver.told).toHaveLength(2);
    next.driver.pass(MINUTE);
    expect(next.driver.phase).toBe('releasing');
  });

  test('after a reboot of the host nobody has been promised anything', () => {
    const host = arrived({ people: [ANN] });
    const next = host.driver.restarted({ bootId: 'boot-2' });
    next.send({ kind: 'started' });
    expect(next.memory.graceUntil).toBeNull();
  });
});

describe('who is idle', () => {
  const IDLE = { ...ANN, idle: true };

  test('does not count', () => {
    expect(arrived({ people: [IDLE] }).driver.asked).toEqual(['finalize']);
  });

  test('counts for as long as time was promised', () => {
    const host = arrived({ people: [ANN] });
    host.change({ people: [IDLE] });
    host.driver.pass(9 * MINUTE);
    expect(host.driver.phase).toBe('holding');
    host.driver.pass(2 * MINUTE);
    expect(host.driver.asked).toContain('finalize');
  });
});

describe('who has become idle', () => {
  const IDLE = { ...ANN, idle: true };

  /** Somebody has become idle within the first minutes of their time; then the agent is restarted. */
  function restarted(): Surrounded {
    const host = arrived({ people: [ANN] });
    host.driver.pass(5 * MINUTE);
    host.change({ people: [IDLE] });
    return host.restart();
  }

  test('keeps the time that was promised when the agent is restarted, and no more', () => {
    const { driver } = restarted();
    driver.pass(4 * MINUTE);
    expect(driver.phase).toBe('holding');
    driver.pass(2 * MINUTE);
    expect(driver.asked).toContain('finalize');
  });

  test('is told what is left, and that it is put off', () => {
    const { driver } = restarted();
    driver.pass(SECOND);
    driver.send({ kind: 'pause', by: 'root', until: null, reason: '' });
    expect(driver.told).toEqual([
      expect.stringMatching(/^pts\/1: .*waits for you for (5 min|4 min|29\d s)/),
      'pts/1: The reboot into 42.2 is put off: paused by root.',
    ]);
  });
});

describe('what people are promised in the last moment', () => {
  test.each([
    [2, '2 s'],
    [60, '10 s'],
  ])('is kept where the last notice is %s s', (secs, promised) => {
    const host = arrived(
      { people: [ANN], hooks: ['pre-reboot'] },
      { people: { graceMs: 0, finalNoticeMs: secs * SECOND, unreadableMs: 0, postponeMs: 0 } },
    );
    host.answers['pre-reboot'] = null;
    host.driver.pass(secs * SECOND);
    expect(host.ran).toEqual(['pre-reboot']);
    host.change({ people: [ANN, BOB] });
    const told = host.driver.mono;
    expect(host.driver.told.at(-1)).toContain(`not before ${promised} from now`);
    host.hooked();
    while (!host.driver.asked.includes('finalize')) host.driver.pass(100);
    expect(host.driver.mono - told).toBeGreaterThanOrEqual(Math.min(10, secs) * SECOND - SECOND);
  });

  test('is nothing where there is no last notice', () => {
    const host = arrived(
      { people: [ANN], hooks: ['pre-reboot'] },
      { people: { graceMs: 0, finalNoticeMs: 0, unreadableMs: 0, postponeMs: 0 } },
    );
    host.answers['pre-reboot'] = null;
    host.driver.tick();
    host.change({ people: [ANN, BOB] });
    expect(host.driver.told).toEqual([]);
  });

  test('holds for who comes while the may-reboot hooks are asked a last time', () => {
    const host = arrived({ people: [ANN], hooks: ['pre-reboot', 'may-reboot'] }, {}, IN_FLEET);
    host.driver.pass(11 * MINUTE);
    host.answers['pre-reboot'] = null;
    host.driver.auto.lock = () => host.driver.granted();
    host.driver.auto.lock();
    host.driver.pass(MINUTE);
    host.answers['may-reboot'] = null;
    host.driver.pass(5 * SECOND);
    host.hooked();
    expect(host.ran.slice(-2)).toEqual(['pre-reboot', 'may-reboot']);
    host.driver.pass(70 * SECOND);
    host.change({ people: [ANN, BOB] });
    expect(host.driver.told.at(-1)).toMatch(/^pts\/2: .*not before 10 s/);
    host.hooked();
    host.driver.pass(9 * SECOND);
    expect(host.driver.asked).not.toContain('finalize');
    host.driver.pass(2 * SECOND);
    expect([host.driver.phase, host.driver.asked.includes('finalize')]).toEqual(['rebooting', true]);
  });
});

test('no slot is asked for while the host cannot be read', () => {
  const host = arrived({}, {}, IN_FLEET);
  const { driver } = host;
  driver.refused('HTTP 409: slots_full', MINUTE);
  delete driver.auto.look;
  driver.send({ kind: 'hostChanged' });
  driver.fails('look');
  for (let minutes = 0; minutes < 10; minutes += 1) {
    driver.pass(MINUTE);
    if (driver.asked.includes('look')) driver.fails('look');
  }
  expect(driver.asked).not.toContain('lock');
});

test('a slot is not held for longer than one more notice for people who come all the time', () => {
  const host = arrived({ people: [ANN] }, {}, IN_FLEET);
  const { driver } = host;
  driver.pass(10 * MINUTE);
  driver.granted();
  const granted = driver.mono;
  for (let count = 0; driver.memory.slot !== null && driver.mono < granted + 60 * MINUTE; count += 1) {
    host.change({ people: [ANN, person(`s${count}`)] });
    driver.pass(5 * SECOND);
  }
  expect([driver.phase, driver.mono - granted > 2 * MINUTE - 10 * SECOND]).toEqual(['holding', true]);
  expect(driver.mono - granted).toBeLessThan(2 * MINUTE + 10 * SECOND);
});

test('a list of sessions that cannot be read counts as somebody no longer for a reboot that is called off meanwhile', () => {
  const host = arrived({ people: [ANN] });
  const { driver } = host;
  host.change({ people: null });
  driver.pass(20 * MINUTE);
  driver.send({ kind: 'pause', by: 'root', until: null, reason: '' });
  expect(driver.memory.graceUntil).toBeNull();
  driver.pass(5 * MINUTE);
  driver.send({ kind: 'resume', by: 'root' });
  expect(driver.phase).toBe('holding');
  driver.pass(6 * MINUTE);
  expect(driver.asked).toContain('finalize');
});

test('people get their time while a may-reboot hook keeps the reboot back; it is asked again after it', () => {
  const host = surrounded({ hooks: ['may-reboot'] });
  host.answers['may-reboot'] = { kind: 'not-now', text: '10-backup: a backup runs' };
  host.driver.pass(INTERVAL);
  expect([host.driver.phase, host.driver.told]).toEqual(['holding', []]);
  host.change({ people: [ANN] });
  expect(host.driver.told).toEqual([expect.stringMatching(/^pts\/1: .*waits for you for 10 min/)]);
  delete host.answers['may-reboot'];
  host.driver.pass(12 * MINUTE);
  expect(host.driver.asked).toContain('finalize');
});

test('what people have postponed is not put off any more in the next boot, and they can postpone as much as before', () => {
  const { driver } = arrived({ people: [ANN] });
  driver.send({ kind: 'postpone', by: 'ann', forMs: 120 * MINUTE });
  expect([driver.written?.postponed?.by, postponableMs(driver.state)]).toEqual(['ann', 0]);
  const next = driver.restarted({ bootId: 'boot-2' });
  next.send({ kind: 'started' });
  expect([next.written?.postponed, postponableMs(next.state)]).toEqual([null, 120 * MINUTE]);
});

describe('who was told of a reboot that is put off', () => {
  /** In the last notice of a reboot that an administrator has ordered: nobody was given time before. */
  function ordered(around: Partial<Around> = {}): Surrounded {
    const host = arrived({ people: [ANN], power: 'battery', ...around }, {}, IN_FLEET);
    host.driver.send({ kind: 'updateNow', by: 'root', forMs: 60 * MINUTE });
    host.change({ power: 'ac' });
    host.driver.granted();
    host.driver.pass(SECOND);
    expect(host.driver.told).toEqual([expect.stringMatching(/^pts\/1: This host is about to reboot into 42\.2/)]);
    return host;
  }

  test('hears so by a pause during the last notice, also where nobody was given time before', () => {
    const { driver } = ordered();
    driver.send({ kind: 'pause', by: 'root', until: null, reason: '' });
    expect(driver.told.slice(1)).toEqual(['pts/1: The reboot into 42.2 is put off: paused by root.']);
    driver.pass(60 * MINUTE);
    expect(driver.told).toHaveLength(2);
  });

  test('hears so at once, also while hooks that have acted are still to be undone', () => {
    const host = ordered({ hooks: ['pre-reboot', 'reboot-cancelled'] });
    host.answers['pre-reboot'] = null;
    host.driver.pass(MINUTE);
    host.driver.send({ kind: 'pause', by: 'root', until: null, reason: '' });
    expect(host.ran).toEqual(['pre-reboot']);
    expect(host.driver.told.slice(1)).toEqual(['pts/1: The reboot into 42.2 is put off: paused by root.']);
  });

  test('hears so when the release is not wanted any more during the last notice', () => {
    const { driver } = ordered();
    driver.send({ kind: 'skip', by: 'root', version: '42.2' });
    expect(driver.told.slice(1)).toEqual(['pts/1: The reboot is put off: the update is not there any more.']);
  });

  test('hears so from an agent that has started since, when their time was over by then', () => {
    const host = arrived({ people: [ANN] }, {}, IN_FLEET);
    host.driver.pass(10 * MINUTE);
    host.driver.refused('HTTP 409: slots_full', 20 * MINUTE);
    const next = host.restart();
    next.driver.pass(MINUTE);
    expect(next.driver.told).toEqual([]);
    next.driver.send({ kind: 'pause', by: 'root', until: null, reason: '' });
    expect(next.driver.told).toEqual(['pts/1: The reboot into 42.2 is put off: paused by root.']);
    next.driver.pass(60 * MINUTE);
    expect(next.driver.told).toHaveLength(1);
  });

  test('hears so from an agent under whose first look at the host it is off already', () => {
    const host = arrived({ people: [ANN] }, {}, IN_FLEET);
    const enabled = host.driver.state.settings;
    const next = host.driver.restarted({ settings: { ...enabled, schedule: NO_WINDOWS } });
    next.send({ kind: 'started' });
    next.looked(reading(next.mono, 1, stagedDeployment(2)));
    expect([next.phase, next.told]).toEqual(['holding', []]);
    next.lookedAround({ people: [ANN] });
    expect(next.told).toEqual(['pts/1: The reboot into 42.2 is put off: there is no reboot window.']);
  });

  test('hears nothing where no time is given: nobody was told', () => {
    const people = { graceMs: 0, finalNoticeMs: 0, unreadableMs: 0, postponeMs: 0 };
    const { driver } = arrived({ people: [ANN] }, { people }, IN_FLEET);
    driver.refused('HTTP 409: slots_full', 20 * MINUTE);
    driver.send({ kind: 'pause', by: 'root', until: null, reason: '' });
    expect(driver.told).toEqual([]);
  });
});

test('nobody hears that a reboot is put off which rpm-ostree has acknowledged', () => {
  const host = arrived({ people: [ANN] });
  host.driver.pass(11 * MINUTE);
  host.driver.finalized();
  const told = host.driver.told.length;
  host.change({ people: [ANN, BOB] });
  host.driver.send({ kind: 'pause', by: 'root', until: null, reason: '' });
  expect([host.driver.told.length, host.driver.phase]).toEqual([told, 'rebooting']);
});
