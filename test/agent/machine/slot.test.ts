import { describe, expect, test } from 'vitest';
import type { Driver } from '../../support/agent-driver.ts';
import {
  INTERVAL,
  MINUTE,
  graph,
  instant,
  lockAt,
  reading,
  settings,
  stagedDeployment,
  target,
} from '../../support/agent-builders.ts';
import { Driver as NewDriver } from '../../support/agent-driver.ts';
import { held, rebooting, settled } from '../../support/agent-situations.ts';
import { statusLine } from '../../../src/agent/machine/explain.ts';
import { type Lock, type OwedReport, freshMemory } from '../../../src/agent/machine/memory.ts';

const [A, B] = [lockAt('a'), lockAt('b')];
const IN_FLEET = { lock: A };

function shown(driver: Driver): ReturnType<typeof reading> {
  return reading(driver.mono, 1, stagedDeployment(2));
}

const slotAt = (lock: Lock): OwedReport => ({ ...lock, slot: true });
const introTo = (lock: Lock): OwedReport => ({ ...lock, slot: false });

function reconfigure(driver: Driver, change: Parameters<typeof settings>[0]): void {
  driver.send({ kind: 'configured', settings: { ...driver.state.settings, ...change } });
}

describe('a slot that is refused', () => {
  test('is asked for again when the server says so', () => {
    const driver = held(IN_FLEET);
    driver.refused('HTTP 409: slots_full: 2 of 2 slots are taken', 7 * MINUTE);
    expect([driver.phase, driver.memory.slot]).toEqual(['holding', null]);
    expect(driver.state.phase).toMatchObject({ refusal: { by: 'lock' } });
    driver.pass(7 * MINUTE - 1);
    expect(driver.asked).not.toContain('lock');
    driver.pass(1);
    expect(driver.asked).toContain('lock');
  });

  test('is asked for again after an interval where the server says nothing', () => {
    const driver = held(IN_FLEET);
    driver.refused('HTTP 409: slots_full');
    driver.pass(INTERVAL - 1);
    expect(driver.asked).not.toContain('lock');
    driver.pass(INTERVAL / 10);
    expect(driver.asked).toContain('lock');
  });
});

describe('a lock server that does not answer', () => {
  test('leaves the slot recorded, and is asked again', () => {
    const driver = held(IN_FLEET);
    driver.fails('lock', 'unknown', 'connect ECONNREFUSED');
    expect(driver.phase).toBe('holding');
    expect(driver.written?.slot).toMatchObject({ ...A, state: 'asked' });
    driver.pass(MINUTE);
    expect(driver.asked).toEqual(['lock']);
    driver.granted();
    expect(driver.state.troubles.slot).toBeUndefined();
  });

  test('gets the slot back when a gate closes: it may have given it', () => {
    const driver = held(IN_FLEET);
    driver.fails('lock', 'unknown');
    driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
    expect(driver.written).toMatchObject({ slot: null, owed: [A] });
    expect(driver.asked).toEqual(['report']);
  });

  test('for ever stops neither polling nor staging', () => {
    const driver = held(IN_FLEET);
    const staged: string[] = [];
    for (let newest = 2, count = 0; count < 400; count += 1) {
      if (driver.asked.includes('lock')) driver.fails('lock', 'unknown');
      else if (driver.asked.includes('report')) driver.fails('report', 'unknown');
      else if (driver.asked.includes('fetchGraph')) {
        newest += count % 5 === 0 ? 1 : 0;
        driver.graphRead(graph(Array.from({ length: newest }, (_, n) => n + 1)));
      } else if (driver.asked.includes('discard')) driver.discarded(reading(driver.mono, 1));
      else if (driver.asked.includes('stage')) {
        const { version } = driver.question('stage').target;
        staged.push(version);
        driver.staged(reading(driver.mono, 1, stagedDeployment(Number(version.slice(3)))));
      } else driver.tick();
    }
    expect(staged.length).toBeGreaterThan(5);
    expect(driver.phase).toBe('holding');
  });
});

describe('a report that is owed', () => {
  test('is delivered in the background, from every phase', () => {
    const watching = settled(IN_FLEET);
    reconfigure(watching, { lock: B });
    expect(watching.question('report').lock).toEqual(B);

    const disabled = settled({ ...IN_FLEET, enabled: false });
    reconfigure(disabled, { lock: B });
    expect([disabled.phase, disabled.question('report').lock]).toEqual(['disabled', B]);

    const holding = held(IN_FLEET, { pause: true });
    reconfigure(holding, { lock: B });
    expect([holding.phase, holding.question('report').lock]).toEqual(['holding', B]);
  });

  test('holds back the next slot until it is delivered', () => {
    const driver = held(IN_FLEET, { pause: true });
    reconfigure(driver, { lock: B });
    driver.send({ kind: 'resume', by: 'root' });
    expect([driver.phase, driver.asked]).toEqual(['holding', ['report']]);
    driver.fails('report', 'unknown');
    driver.pass(MINUTE);
    driver.reported();
    expect(driver.question('lock').lock).toEqual(B);
  });

  test('to one server does not wait for another', () => {
    const driver = new NewDriver({
      memory: { ...freshMemory('boot-1'), owed: [slotAt(B)] },
      settings: settings(IN_FLEET),
    });
    driver.send({ kind: 'started' });
    reconfigure(driver, { lock: lockAt('c') });
    driver.fails('report', 'unknown');
    driver.pass(MINUTE);
    expect(driver.question('report').lock).toEqual(lockAt('c'));
    driver.reported();
    expect(driver.memory.owed).toEqual([slotAt(B)]);
  });

  test('is not lost while another is on its way, however many servers there were', () => {
    const owed = Array.from({ length: 8 }, (_, n) => slotAt(lockAt(`s${n}`)));
    const driver = new NewDriver({ memory: { ...freshMemory('boot-1'), owed }, settings: settings() });
    driver.send({ kind: 'started' });
    expect(driver.question('report').lock).toEqual(lockAt('s0'));
    reconfigure(driver, { lock: A });
    driver.reported();
    expect(driver.memory.owed).toEqual([...[2, 3, 4, 5, 6, 7].map((n) => slotAt(lockAt(`s${n}`))), introTo(A)]);
  });

  test('because the server was configured, and no slot asked for there, is dropped with its configuration', () => {
    const driver = settled(IN_FLEET);
    const before = driver.said.length;
    reconfigure(driver, { lock: B });
    driver.fails('report', 'unknown', 'connect ECONNREFUSED');
    expect(driver.written?.owed).toEqual([introTo(B)]);
    reconfigure(driver, { lock: null });
    expect([driver.memory.owed, driver.written?.owed]).toEqual([[], []]);
    driver.pass(INTERVAL);
    driver.graphRead(graph([1, 2]));
    driver.staged(shown(driver));
    expect(driver.phase).toBe('rebooting');
    const said = driver.said.slice(before).join('\n');
    expect(said).toMatch('a lock manager that is no longer configured need not know that this host is steady');
    expect(said).not.toMatch(/the lock manager knows|reporting to the lock manager: over/);
  });

  test('that is on its way is dropped when it fails', () => {
    const driver = settled(IN_FLEET);
    reconfigure(driver, { lock: B });
    reconfigure(driver, { lock: null });
    expect([driver.asked, driver.memory.owed]).toEqual([['report'], [introTo(B)]]);
    driver.fails('report', 'unknown');
    expect(driver.memory.owed).toEqual([]);
  });

  test('is not dropped before it is known which server is configured', () => {
    const driver = settled();
    reconfigure(driver, IN_FLEET);
    driver.fails('report', 'unknown');
    // The address of the lock is known once the host has been read.
    const next = driver.restarted({ settings: settings() });
    next.send({ kind: 'started' });
    next.fails('report', 'unknown');
    expect(next.memory.owed).toEqual([introTo(A)]);
    reconfigure(next, IN_FLEET);
    next.looked(reading(next.mono, 1));
    expect(next.memory.owed).toEqual([introTo(A)]);
  });

  test('for a slot that was asked for stays, whatever is configured, and the way out is said', () => {
    const driver = held(IN_FLEET);
    driver.fails('lock', 'unknown', 'connect ECONNREFUSED');
    reconfigure(driver, { lock: null });
    driver.fails('report', 'unknown', 'connect ECONNREFUSED');
    expect([driver.phase, driver.memory.owed]).toEqual(['holding', [slotAt(A)]]);
    expect(statusLine(driver.state, instant(driver.mono))).toMatch(
      '"A lock server that is gone" in docs/operations.md',
    );
  });

  test('waits while a reboot may be under way', () => {
    const record = {
      target: target(2),
      bootId: 'boot-1',
      from: { key: 'checksum:1', version: '42.1' },
      since: { wall: 0, mono: 0 },
      outcome: 'acknowledged',
      allowUnlocked: false,
    } as const;
    const memory = { ...freshMemory('boot-1'), finalize: record, owed: [slotAt(A)] };
    const driver = new NewDriver({ memory, settings: settings(IN_FLEET) });
    driver.send({ kind: 'started' });
    driver.pass(INTERVAL);
    expect([driver.phase, driver.asked]).toEqual(['rebooting', ['look']]);
  });
});

describe('a changed configuration', () => {
  test('gives the slot back where it was taken, and asks at the new server', () => {
    const driver = held(IN_FLEET);
    driver.granted();
    reconfigure(driver, { lock: B });
    expect(driver.phase).toBe('holding');
    expect(driver.written).toMatchObject({ slot: null, owed: [B, A] });
    driver.reported();
    driver.reported();
    if (driver.asked.includes('look')) driver.looked(shown(driver));
    expect(driver.question('lock').lock).toEqual(B);
  });

  test('waits for the answer of the old server', () => {
    const driver = held(IN_FLEET);
    reconfigure(driver, { lock: B });
    driver.reported();
    expect([driver.asked, driver.memory.slot]).toMatchObject([['lock'], A]);
    driver.granted();
    expect(driver.question('report').lock).toEqual(A);
  });

  test('is not held up by a refusal of the old server', () => {
    const driver = held(IN_FLEET);
    reconfigure(driver, { lock: B });
    driver.reported();
    driver.refused('HTTP 409: slots_full', 60 * MINUTE);
    expect(driver.question('lock').lock).toEqual(B);
  });

  test('is not held up by what the old server said before', () => {
    for (const lock of [null, B]) {
      const driver = held(IN_FLEET);
      driver.refused('HTTP 503: frozen', 24 * 60 * MINUTE);
      reconfigure(driver, { lock });
      if (driver.asked.includes('report')) driver.reported();
      if (driver.asked.includes('look')) driver.looked(shown(driver));
      expect(driver.asked).toContain(lock === null ? 'finalize' : 'lock');
    }
  });

  test('ends what was wrong with the old server, without calling it over', () => {
    const driver = held(IN_FLEET);
    driver.fails('lock', 'unknown', 'HTTP 503: frozen');
    const before = driver.said.length;
    reconfigure(driver, { lock: null });
    expect(driver.state.troubles.slot).toBeUndefined();
    expect(driver.said.slice(before).join('\n')).not.toMatch('asking the lock manager: over');
  });

  test('leaves a refusal of the same server, and one of rpm-ostree', () => {
    const driver = held(IN_FLEET);
    driver.refused('HTTP 503: frozen', 24 * 60 * MINUTE);
    reconfigure(driver, { allowDowngrade: true });
    expect(driver.state.phase).toMatchObject({ refusal: { by: 'lock' } });

    const other = rebooting(IN_FLEET);
    other.fails('finalize', 'transient', 'an inhibitor');
    reconfigure(other, { lock: null });
    expect(other.state.phase).toMatchObject({ refusal: { by: 'rpm-ostree' } });
  });

  test('that ends the phase before the old server refuses stays as it is', () => {
    const driver = held(IN_FLEET);
    reconfigure(driver, { enabled: false });
    driver.refused('HTTP 409: slots_full');
    expect([driver.phase, driver.memory.slot, driver.memory.owed]).toEqual(['disabled', null, []]);
  });

  test('gives back the slot where the lock is no longer used', () => {
    const driver = held(IN_FLEET);
    driver.granted();
    reconfigure(driver, { lock: null });
    expect(driver.question('report').lock).toEqual(A);
    expect(driver.memory.slot).toBeNull();
  });

  test('gives the slot back when updates are disabled', () => {
    const driver = held(IN_FLEET);
    driver.granted();
    reconfigure(driver, { enabled: false });
    expect(driver.phase).toBe('disabled');
    expect(driver.question('report').lock).toEqual(A);
  });

  test('keeps the slot while a reboot may be under way', () => {
    const driver = rebooting(IN_FLEET);
    driver.finalized();
    for (const change of [{ lock: B }, { enabled: false }, { source: 'staged' }, { lock: null }] as const) {
      reconfigure(driver, change);
      expect([driver.phase, driver.asked]).toEqual(['rebooting', []]);
      expect(driver.memory).toMatchObject({ slot: A, owed: [] });
    }
  });

  test('between two runs gives back the slot of the old server', () => {
    const driver = held(IN_FLEET);
    driver.granted();
    const next = driver.restarted({ settings: settings({ lock: B }) });
    next.send({ kind: 'started' });
    next.looked(shown(next));
    expect(next.question('report').lock).toEqual(A);
    expect(next.memory).toMatchObject({ slot: null, owed: [A] });
    next.reported();
    expect(next.question('lock').lock).toEqual(B);
  });
});

describe('a restart', () => {
  test('confirms a slot that was held, and goes on', () => {
    const driver = held(IN_FLEET);
    driver.granted();
    const next = driver.restarted();
    next.send({ kind: 'started' });
    next.looked(shown(next));
    expect([next.phase, next.asked]).toEqual(['releasing', ['lock']]);
    expect(next.memory).toMatchObject({ slot: { state: 'held' }, owed: [] });
  });

  test('that learns the address of the lock with the first look does not give the slot back', () => {
    const driver = held(IN_FLEET);
    driver.granted();
    const next = driver.restarted({ settings: settings() });
    next.send({ kind: 'started' });
    reconfigure(next, IN_FLEET);
    next.looked(shown(next));
    expect([next.phase, next.asked]).toEqual(['releasing', ['lock']]);
  });

  test('gives the slot back when the host cannot be read', () => {
    const driver = held(IN_FLEET);
    driver.granted();
    const next = driver.restarted();
    next.send({ kind: 'started' });
    next.fails('look');
    expect(next.question('report').lock).toEqual(A);
  });

  test('in a new boot reports to the server that had the slot, and to the configured one', () => {
    const driver = rebooting(IN_FLEET);
    driver.finalized();
    const next = driver.restarted({ bootId: 'boot-2', settings: settings({ lock: B }) });
    next.send({ kind: 'started' });
    expect(next.written).toMatchObject({ slot: null, owed: [A, B] });
    expect(next.question('report').lock).toEqual(A);
  });
});

describe('stop', () => {
  test('gives back a slot that nothing was finalized under', () => {
    const driver = held(IN_FLEET);
    driver.granted();
    driver.send({ kind: 'stop', hostGoesDown: false });
    expect(driver.question('report').lock).toEqual(A);
    driver.reported();
    expect(driver.written).toMatchObject({ slot: null, owed: [] });
    expect(driver.sleeps).toBeNull();
  });

  test('keeps it when the host goes down: the next boot gives it back', () => {
    const driver = held(IN_FLEET);
    driver.granted();
    driver.send({ kind: 'stop', hostGoesDown: true });
    driver.looked(shown(driver));
    expect([driver.asked, driver.written?.slot]).toMatchObject([[], A]);
    const next = driver.restarted({ bootId: 'boot-2' });
    next.send({ kind: 'started' });
    expect(next.question('report').lock).toEqual(A);
  });

  test('while the question is open gives it back with the answer', () => {
    for (const answer of ['granted', 'lost'] as const) {
      const driver = held(IN_FLEET);
      driver.send({ kind: 'stop', hostGoesDown: false });
      expect(driver.asked).toEqual(['lock']);
      if (answer === 'granted') driver.granted();
      else driver.fails('lock', 'unknown');
      expect(driver.question('report').lock).toEqual(A);
    }
  });

  test('keeps it until it is known whether the host goes down, and decides nothing meanwhile', () => {
    const driver = held(IN_FLEET);
    driver.send({ kind: 'stop', hostGoesDown: 'unknown' });
    driver.granted();
    driver.pass(INTERVAL);
    expect([driver.asked, driver.memory.slot]).toMatchObject([[], { ...A, state: 'held' }]);
    driver.send({ kind: 'stop', hostGoesDown: false });
    expect(driver.question('report').lock).toEqual(A);
  });

  test('before the host is known gives it back as well', () => {
    const driver = held(IN_FLEET);
    driver.granted();
    const next = driver.restarted();
    next.send({ kind: 'started' });
    next.send({ kind: 'stop', hostGoesDown: false });
    expect(next.question('report').lock).toEqual(A);
  });

  test('keeps it while a reboot may be under way, and begins nothing', () => {
    const driver = rebooting(IN_FLEET);
    driver.send({ kind: 'stop', hostGoesDown: false });
    driver.finalized();
    driver.pass(10 * INTERVAL);
    expect([driver.asked, driver.written?.slot]).toMatchObject([[], A]);

    const watching = settled();
    watching.send({ kind: 'stop', hostGoesDown: false });
    watching.pass(10 * INTERVAL);
    expect(watching.asked).toEqual([]);
  });
});

test('a finalize that is refused while nobody knows whether the host goes down gives no slot back', () => {
  const driver = rebooting({ lock: lockAt('a') });
  driver.send({ kind: 'stop', hostGoesDown: 'unknown' });
  driver.fails('finalize', 'gone', 'the transaction was cancelled');
  expect([driver.memory.slot !== null, driver.memory.owed]).toEqual([true, []]);
  driver.send({ kind: 'stop', hostGoesDown: true });
  expect([driver.memory.slot !== null, driver.asked.includes('report')]).toEqual([true, false]);
});

test('the slot goes back when it turns out that only the agent stops', () => {
  const driver = rebooting({ lock: lockAt('a') });
  driver.send({ kind: 'stop', hostGoesDown: 'unknown' });
  driver.fails('finalize', 'gone', 'the transaction was cancelled');
  driver.send({ kind: 'stop', hostGoesDown: false });
  expect([driver.memory.slot, driver.asked]).toEqual([null, ['report']]);
});
