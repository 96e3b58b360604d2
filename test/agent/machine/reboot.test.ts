import { describe, expect, test } from 'vitest';
import { statusLine } from '../../../src/agent/machine/explain.ts';
import type { Settings } from '../../../src/agent/machine/state.ts';
import {
  INTERVAL,
  MINUTE,
  SECOND,
  deployment,
  graph,
  instant,
  keyOf,
  lockAt,
  reading,
  stagedDeployment,
  target,
} from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { held, rebooting, settled } from '../../support/agent-situations.ts';

const IN_FLEET = { lock: lockAt('a') };

/** What rpm-ostree shows while release 2 is staged. */
function shown(driver: Driver): ReturnType<typeof reading> {
  return reading(driver.mono, 1, stagedDeployment(2));
}

describe('consent', () => {
  test('needs a reading that is at most 5 s old', () => {
    const driver = held({}, { pause: true });
    driver.pass(5 * SECOND);
    driver.send({ kind: 'resume', by: 'root' });
    expect([driver.phase, driver.asked]).toEqual(['rebooting', ['finalize']]);

    const late = held({}, { pause: true });
    late.pass(5 * SECOND + 1);
    late.send({ kind: 'resume', by: 'root' });
    expect([late.phase, late.asked]).toEqual(['holding', ['look']]);
    late.looked(shown(late));
    expect(late.phase).toBe('rebooting');
  });

  test('waits for the look that a change asked for', () => {
    const driver = held({}, { pause: true });
    driver.send({ kind: 'hostChanged' });
    driver.send({ kind: 'resume', by: 'root' });
    expect([driver.phase, driver.asked]).toEqual(['holding', ['look']]);
    driver.looked(reading(driver.mono, 1, stagedDeployment(3)));
    expect(driver.phase).toBe('watching');
  });

  test('a gate that closes after the slot was taken gives it back', () => {
    const driver = held(IN_FLEET);
    driver.granted();
    driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
    driver.looked(shown(driver));
    expect([driver.phase, driver.asked]).toEqual(['holding', ['report']]);
    expect(driver.written).toMatchObject({ slot: null, owed: [lockAt('a')] });
  });

  test('a look that fails after the slot was taken gives it back', () => {
    const driver = held(IN_FLEET);
    driver.granted();
    driver.fails('look');
    expect([driver.phase, driver.asked]).toEqual(['holding', ['report']]);
  });
});

describe('a definite no of finalize', () => {
  test.each(['transient', 'release', 'gone'] as const)('(%s) gives the slot back, and is tried again later', (kind) => {
    const driver = rebooting(IN_FLEET);
    driver.fails('finalize', kind, 'denied by polkit');
    expect(driver.phase).toBe('holding');
    expect(driver.written).toMatchObject({ finalize: null, slot: null, owed: [lockAt('a')] });
    expect(driver.asked).toEqual(['report', 'look']);
    driver.looked(shown(driver));
    driver.reported();
    driver.pass(MINUTE);
    expect([driver.phase, driver.asked]).toEqual(['releasing', ['lock']]);
  });

  test('makes the pauses longer', () => {
    const driver = rebooting();
    driver.dice = 0.999;
    const pauses: number[] = [];
    for (let count = 0; count < 3; count += 1) {
      driver.fails('finalize');
      const before = driver.mono;
      while (driver.phase !== 'rebooting') {
        if (driver.asked.includes('look')) driver.looked(shown(driver));
        else driver.tick();
      }
      pauses.push(Math.round((driver.mono - before) / SECOND));
    }
    expect(pauses).toEqual([10, 20, 40]);
  });

  test('"already unlocked" on the first call means that somebody staged it so: it is said to be allowed', () => {
    for (const change of [IN_FLEET, {}]) {
      const driver = rebooting(change);
      driver.fails('finalize', 'unlocked');
      if (driver.asked.includes('look')) driver.looked(shown(driver));
      expect(driver.question('finalize')).toMatchObject({ target: target(2), allowUnlocked: true });
      expect(driver.memory.owed).toEqual([]);
      driver.fails('finalize', 'unlocked');
      expect(driver.phase).toBe('holding');
    }
  });
});

describe('an outcome that nobody knows', () => {
  test('keeps the slot, and finalizes again under fresh consent', () => {
    const driver = rebooting(IN_FLEET);
    driver.fails('finalize', 'unknown', 'no answer');
    expect(driver.phase).toBe('rebooting');
    expect(driver.written).toMatchObject({ slot: { state: 'held' }, finalize: { outcome: 'unknown' }, owed: [] });
    driver.pass(MINUTE);
    expect(driver.asked).toEqual(['look']);
    driver.looked(shown(driver));
    expect(driver.asked).toEqual(['finalize']);
  });

  test('waits for the gates, and for nothing while one is closed', () => {
    const driver = rebooting(IN_FLEET);
    driver.fails('finalize', 'unknown');
    driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
    driver.pass(MINUTE);
    driver.looked(shown(driver));
    driver.pass(10 * INTERVAL, 1);
    expect(driver.asked).toEqual([]);
    driver.send({ kind: 'resume', by: 'root' });
    driver.granted();
    driver.looked(shown(driver));
    expect(driver.asked).toEqual(['finalize']);
  });

  test.each([
    [
      'updates are disabled',
      (driver: Driver) => driver.send({ kind: 'configured', settings: { ...driver.state.settings, enabled: false } }),
    ],
    ['the release is skipped', (driver: Driver) => driver.send({ kind: 'skip', by: 'root', version: '42.2' })],
  ])('is not finalized again while %s', (_, happens) => {
    const driver = rebooting(IN_FLEET);
    driver.fails('finalize', 'unknown');
    happens(driver);
    driver.pass(MINUTE);
    driver.looked(shown(driver));
    driver.pass(INTERVAL, 1);
    expect([driver.phase, driver.asked]).toEqual(['rebooting', []]);
    expect(driver.memory.slot).not.toBeNull();
  });

  test('"underway" to the next call means that it is happening', () => {
    const driver = rebooting(IN_FLEET);
    driver.fails('finalize', 'unknown');
    driver.pass(MINUTE);
    driver.looked(shown(driver));
    driver.fails('finalize', 'underway');
    expect(driver.phase).toBe('rebooting');
    expect(driver.written).toMatchObject({ finalize: { outcome: 'acknowledged' }, slot: { state: 'held' }, owed: [] });
  });

  test('"already unlocked" to the next call leaves open whether the reboot was asked for: it is finalized as it is', () => {
    const driver = rebooting(IN_FLEET);
    driver.fails('finalize', 'unknown');
    driver.pass(MINUTE);
    driver.looked(shown(driver));
    driver.fails('finalize', 'unlocked');
    expect(driver.phase).toBe('rebooting');
    expect(driver.written).toMatchObject({ finalize: { outcome: 'unknown' }, slot: { state: 'held' }, owed: [] });
    driver.pass(20 * SECOND);
    driver.looked(shown(driver));
    driver.granted();
    driver.looked(shown(driver));
    expect(driver.question('finalize').allowUnlocked).toBe(true);
  });

  test('stays unknown when the next call comes to nothing: the slot stays too', () => {
    const driver = rebooting(IN_FLEET);
    driver.fails('finalize', 'unknown');
    driver.pass(MINUTE);
    driver.looked(shown(driver));
    driver.fails('finalize', 'transient', 'the daemon went away');
    expect(driver.phase).toBe('rebooting');
    expect(driver.written).toMatchObject({ finalize: { outcome: 'unknown' }, slot: { state: 'held' }, owed: [] });
  });

  test('ends when the deployment is gone', () => {
    const driver = rebooting(IN_FLEET);
    driver.fails('finalize', 'unknown');
    driver.pass(MINUTE);
    driver.looked(shown(driver));
    driver.fails('finalize', 'gone');
    expect(driver.written).toMatchObject({ finalize: null, slot: null, owed: [lockAt('a')] });
  });

  test('is what a restart finds when the answer had not come', () => {
    const next = rebooting(IN_FLEET).restarted();
    next.send({ kind: 'started' });
    expect([next.phase, next.asked]).toEqual(['rebooting', ['look']]);
    expect(next.written?.finalize?.outcome).toBe('unknown');
    next.send({ kind: 'configured', settings: { ...next.state.settings, lock: lockAt('b') } });
    next.looked(shown(next));
    expect(next.asked).toEqual(['lock']);
  });
});

describe('a finalize that is repeated under a slot', () => {
  /** An agent that comes up in the boot in which an earlier one finalized, and has seen the host. */
  function resumed(driver = rebooting(IN_FLEET), change: Partial<Settings> = {}): Driver {
    const next = driver.restarted({ settings: { ...driver.state.settings, ...change } });
    next.send({ kind: 'started' });
    next.looked(shown(next));
    return next;
  }

  test('has it confirmed first, and looks again after that', () => {
    const driver = resumed();
    expect([driver.phase, driver.asked]).toEqual(['rebooting', ['lock']]);
    expect(driver.question('lock').lock).toEqual(lockAt('a'));
    driver.granted();
    expect(driver.asked).toEqual(['look']);
    driver.looked(shown(driver));
    expect(driver.asked).toEqual(['finalize']);
  });

  test.each([
    ['refuses', (driver: Driver) => driver.refused('HTTP 409: slots_full'), 'the lock manager refused: HTTP 409'],
    ['does not answer', (driver: Driver) => driver.fails('lock', 'unknown', 'connect ECONNREFUSED'), 'ECONNREFUSED'],
  ])('is not finalized while the lock server %s: the slot stays on record, and that is said', (_, answers, said) => {
    const driver = resumed();
    answers(driver);
    expect([driver.phase, driver.asked]).toEqual(['rebooting', []]);
    expect(driver.written).toMatchObject({ slot: lockAt('a'), owed: [], finalize: { outcome: 'unknown' } });
    expect(statusLine(driver.state, instant(driver.mono))).toMatch(said);
    driver.pass(2 * INTERVAL, 10);
    expect(driver.asked).toEqual(['lock']);
    driver.granted();
    driver.looked(shown(driver));
    expect([driver.asked, driver.state.troubles.slot]).toEqual([['finalize'], undefined]);
  });

  test('asks where the slot was taken, not at the server that is configured by now', () => {
    const driver = resumed(rebooting(IN_FLEET), { lock: lockAt('b') });
    expect(driver.question('lock').lock).toEqual(lockAt('a'));
  });

  test('asks for one where a lock has been configured since', () => {
    const driver = resumed(rebooting(), IN_FLEET);
    expect(driver.question('lock').lock).toEqual(lockAt('a'));
    expect(driver.written?.slot).toMatchObject({ ...lockAt('a'), state: 'asked' });
  });

  test('needs no other confirmation within 60 s', () => {
    const driver = rebooting(IN_FLEET);
    driver.fails('finalize', 'unknown');
    driver.pass(60 * SECOND);
    driver.looked(shown(driver));
    expect(driver.asked).toEqual(['finalize']);
    driver.fails('finalize', 'unknown');
    driver.dice = 0.999;
    driver.pass(MINUTE);
    driver.looked(shown(driver));
    expect(driver.asked).toEqual(['lock']);
  });

  test('waits for the gates before it asks', () => {
    const driver = rebooting(IN_FLEET);
    driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
    expect(resumed(driver).asked).toEqual([]);
  });
});

describe('a reboot that does not come', () => {
  test('is reported loudly, tried again with what is there, and the slot is never given back', () => {
    const driver = rebooting(IN_FLEET);
    driver.finalized();
    driver.pass(2 * INTERVAL - 1);
    expect([driver.asked, driver.state.troubles.reboot]).toEqual([[], undefined]);
    for (let count = 1; count < 5; count += 1) {
      driver.pass(2 * INTERVAL);
      expect(driver.state.troubles.reboot).toMatchObject({ count });
      driver.granted();
      driver.looked(shown(driver));
      expect(driver.question('finalize')).toMatchObject({ allowUnlocked: true });
      driver.finalized();
      expect(driver.memory).toMatchObject({ slot: { state: 'held' }, owed: [] });
    }
  });

  test('is waited for after a restart as well', () => {
    const driver = rebooting(IN_FLEET);
    driver.finalized();
    driver.pass(INTERVAL);
    const next = driver.restarted();
    next.send({ kind: 'started' });
    next.looked(shown(next));
    next.pass(INTERVAL - 2 * SECOND);
    expect([next.phase, next.asked]).toEqual(['rebooting', []]);
    next.pass(2 * SECOND);
    expect(next.asked).toEqual(['lock']);
  });

  test("of somebody else's is waited for, and then said", () => {
    const driver = rebooting(IN_FLEET);
    driver.fails('finalize', 'underway');
    expect(driver.written?.finalize?.outcome).toBe('unknown');
    driver.pass(2 * INTERVAL);
    driver.granted();
    driver.looked(shown(driver));
    driver.fails('finalize', 'underway');
    driver.pass(2 * INTERVAL);
    expect(driver.state.troubles.reboot?.text).toMatch('has not rebooted');
    expect(driver.memory.slot).not.toBeNull();
  });
});

describe('the next boot', () => {
  /** Finalizes release 2, and comes up in `booted`. */
  function boots(driver: Driver, booted: number, boot: string): Driver {
    if (driver.open.some(({ kind }) => kind === 'finalize')) driver.finalized();
    const next = driver.restarted({ bootId: boot });
    next.send({ kind: 'started' });
    next.looked(reading(next.mono, booted));
    return next;
  }

  /** From watching to a finalize that was acknowledged. */
  function climbs(driver: Driver): void {
    driver.pass(INTERVAL);
    driver.graphRead(graph([1, 2]));
    driver.staged(shown(driver));
  }

  test('twice not in the acknowledged release puts it in quarantine', () => {
    let driver = boots(rebooting(), 1, 'boot-2');
    expect(driver.memory.faults).toMatchObject([{ key: keyOf(2), missedBoots: 1 }]);
    climbs(driver);
    driver = boots(driver, 1, 'boot-3');
    expect(driver.written?.quarantine).toMatchObject([{ key: keyOf(2), version: '42.2' }]);
    expect(driver.written?.quarantine[0]?.reason).toMatch('the next boot was not in it');
    driver.pass(INTERVAL);
    driver.graphRead(graph([1, 2]));
    expect(driver.phase).toBe('watching');
  });

  test('in it forgets the faults', () => {
    const driver = boots(rebooting(), 1, 'boot-2');
    climbs(driver);
    expect(boots(driver, 2, 'boot-3').memory.faults).toEqual([]);
  });

  test('not in a release whose finalize was lost counts nothing against it', () => {
    const driver = rebooting();
    driver.fails('finalize', 'unknown');
    const next = driver.restarted({ bootId: 'boot-2' });
    next.send({ kind: 'started' });
    next.looked(reading(next.mono, 1));
    expect(next.memory).toMatchObject({ faults: [], finalize: null });
  });

  test('is judged also when the agent dies before it has seen the host', () => {
    const first = rebooting(IN_FLEET);
    first.finalized();
    const second = first.restarted({ bootId: 'boot-2' });
    second.send({ kind: 'started' });
    const third = second.restarted();
    third.send({ kind: 'started' });
    expect(third.phase).toBe('starting');
    third.looked(reading(third.mono, 2));
    expect([third.phase, third.memory.finalize]).toEqual(['watching', null]);
    expect(third.memory.owed).toEqual([{ ...lockAt('a'), slot: true }]);
  });

  test('back in the release of before is a rollback: the one that was left is put in quarantine', () => {
    const updated = boots(rebooting(), 2, 'boot-2');
    const again = boots(updated, 2, 'boot-3');
    const back = boots(again, 1, 'boot-4');
    expect(back.memory.quarantine).toMatchObject([{ key: keyOf(2), version: '42.2' }]);
    expect(back.memory.quarantine[0]?.reason).toBe('the host was rolled back from it to 42.1');
  });

  test('in another release by an administrator is no rollback', () => {
    const updated = boots(rebooting(), 2, 'boot-2');
    expect(boots(updated, 3, 'boot-3').memory.quarantine).toEqual([]);
  });

  test('does not take again what is still installed', () => {
    const driver = settled();
    driver.send({ kind: 'hostChanged' });
    driver.looked(reading(driver.mono, 1, null, [deployment(2)]));
    driver.pass(2 * INTERVAL);
    driver.graphRead(graph([1, 2]));
    expect(driver.state.check?.verdict).toMatchObject({ denied: [{ denial: { kind: 'local' } }] });
  });
});
