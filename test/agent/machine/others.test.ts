import { describe, expect, test } from 'vitest';
import { statusLine } from '../../../src/agent/machine/explain.ts';
import {
  HOUR,
  INTERVAL,
  MINUTE,
  deployment,
  found,
  graph,
  instant,
  keyOf,
  lockAt,
  reading,
  settings,
  stagedDeployment,
  target,
} from '../../support/agent-builders.ts';
import { Driver } from '../../support/agent-driver.ts';
import { held, REASONS_TO_LEAVE, rebooting, settled, staging } from '../../support/agent-situations.ts';

function change(driver: Driver, to: ReturnType<typeof reading>): void {
  driver.send({ kind: 'hostChanged' });
  driver.looked({ ...to, readAt: driver.mono });
}

describe("somebody else's deployment", () => {
  test.each([
    ['staged', stagedDeployment(9)],
    ['chosen for the next boot', deployment(9)],
  ])('%s is left alone: nothing is staged over it, nothing removed', (_, pending) => {
    const driver = settled();
    change(driver, reading(0, 1, pending));
    for (let count = 0; count < 4; count += 1) {
      driver.pass(2 * INTERVAL);
      driver.graphRead(graph([1, 2, 3]));
      expect([driver.phase, driver.asked]).toEqual(['watching', []]);
    }
    // When it is gone, the graph is asked at once.
    change(driver, reading(0, 1));
    driver.graphRead(graph([1, 2, 3]));
    expect(driver.question('stage').target).toEqual(target(3));
  });

  test('in place of ours is respected, and ours is forgotten', () => {
    const driver = held({}, { pause: true });
    change(driver, reading(0, 1, stagedDeployment(9)));
    expect([driver.phase, driver.asked]).toEqual(['watching', []]);
    expect(driver.written).toMatchObject({ target: null, discard: null });
    const next = driver.restarted();
    next.send({ kind: 'started' });
    next.looked(reading(next.mono, 1, stagedDeployment(9)));
    expect([next.phase, next.asked]).toEqual(['watching', []]);
  });

  test('that appears while ours is being tried again is respected', () => {
    const driver = staging();
    driver.fails('stage');
    driver.looked(reading(driver.mono, 1, stagedDeployment(9)));
    expect([driver.phase, driver.memory.target]).toEqual(['watching', null]);
    driver.pass(MINUTE);
    expect(driver.asked).toEqual([]);
  });

  test('of an old reading decides nothing while no new one can be had', () => {
    const driver = staging();
    change(driver, reading(0, 1, stagedDeployment(9)));
    driver.fails('stage');
    driver.fails('look');
    expect(driver.phase).toBe('staging');
    driver.pass(MINUTE);
    driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
    expect(driver.question('stage').target).toEqual(target(2));
  });

  test('between the slot and the last look gives the slot back', () => {
    const driver = held({ lock: lockAt('a') });
    driver.granted();
    driver.looked(reading(driver.mono, 1, stagedDeployment(9)));
    expect([driver.phase, driver.asked]).toEqual(['watching', ['report']]);
  });

  test('of our release, layered by an administrator, is our target', () => {
    const driver = held({}, { pause: true });
    change(driver, reading(0, 1, stagedDeployment(2, { layered: true, id: 'fedora-coreos-other.0' })));
    expect(driver.phase).toBe('holding');
    driver.send({ kind: 'resume', by: 'root' });
    expect(driver.question('finalize').target).toEqual(target(2));
  });

  test('that is the very target is adopted, and finalized even if it is not locked', () => {
    const driver = settled();
    change(driver, reading(0, 1, stagedDeployment(2)));
    driver.pass(2 * INTERVAL);
    driver.graphRead(graph([1, 2]));
    expect(driver.phase).toBe('holding');
    driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
    expect(driver.question('finalize').allowUnlocked).toBe(false);
    driver.fails('finalize', 'unlocked');
    expect(driver.question('finalize').allowUnlocked).toBe(true);
  });
});

describe('the very target, staged by somebody else', () => {
  const OTHERS = stagedDeployment(2);
  const status = (driver: Driver): string => statusLine(driver.state, instant(driver.mono));

  /** Adopted, and held by a pause. */
  function adopted(): Driver {
    const driver = settled();
    driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
    change(driver, reading(0, 1, OTHERS));
    driver.pass(2 * INTERVAL);
    driver.graphRead(graph([1, 2]));
    return driver;
  }

  test('is not said to be left alone before the graph has been asked about it', () => {
    const driver = settled();
    change(driver, reading(0, 1, OTHERS));
    expect(status(driver)).toMatch(/was staged by somebody else.*; the update graph is asked whether it leads there/);
    expect(status(driver)).not.toMatch('left alone');
    driver.pass(2 * INTERVAL);
    driver.graphRead(graph([1]));
    expect(status(driver)).toMatch('it is left alone until it is booted or removed');
    expect(driver.said.at(-1)).toMatch('it is left alone until it is booted or removed');
    // Another one in its place is asked about again.
    change(driver, reading(0, 1, stagedDeployment(3)));
    expect(status(driver)).not.toMatch('left alone');
  });

  test('is adopted with a line in the log, and the status tells that it may apply at any reboot', () => {
    const driver = adopted();
    expect(driver.phase).toBe('holding');
    expect(driver.written?.target).toEqual({ release: target(2), staged: true, ours: false, deployment: null });
    const said = driver.said.filter((line) => line.includes('adopted'));
    expect(said).toEqual(['info: 42.2, which somebody else staged, is what the update graph leads to: it is adopted']);
    expect(status(driver)).toMatch('it was staged by somebody else: if unlocked, it applies at any reboot');
  });

  test.each(REASONS_TO_LEAVE)('is left where it is when it is %s, also after a restart', (_, happens) => {
    const first = adopted().restarted();
    first.send({ kind: 'started' });
    first.looked(reading(first.mono, 1, OTHERS));
    expect(first.phase).toBe('holding');
    happens(first);
    const second = first.restarted();
    second.send({ kind: 'started' });
    second.looked(reading(second.mono, 1, OTHERS));
    for (const driver of [first, second]) {
      driver.pass(2 * INTERVAL);
      if (driver.asked.includes('fetchGraph')) driver.graphRead(graph([1, 2, 3], [[1, 2]]));
      expect([driver.phase, driver.asked, driver.memory.discard]).toEqual(['watching', [], null]);
      expect(status(driver)).toMatch(/42\.2 was staged by somebody else.*left alone until it is booted or removed/);
    }
  });

  test('is ours from the moment at which it was removed and we staged it again', () => {
    const driver = adopted();
    change(driver, reading(0, 1));
    driver.pass(MINUTE);
    if (driver.asked.includes('fetchGraph')) driver.graphRead(graph([1, 2]));
    driver.staged(reading(driver.mono, 1, OTHERS));
    expect(driver.memory.target).toEqual({ release: target(2), staged: true, ours: true, deployment: OTHERS.id });
    driver.send({ kind: 'skip', by: 'root', version: '42.2' });
    expect(driver.question('discard').key).toBe(keyOf(2));
  });
});

test('what is removed by somebody is staged again, after a pause, and said', () => {
  const driver = held({}, { pause: true });
  change(driver, reading(0, 1));
  expect([driver.phase, driver.asked]).toEqual(['staging', []]);
  expect(driver.state.troubles.stage?.text).toBe('the staged release was removed by somebody else');
  driver.pass(MINUTE);
  expect(driver.question('stage').target).toEqual(target(2));
  driver.staged(reading(driver.mono, 1, stagedDeployment(2)));
  expect(driver.state.troubles.stage).toBeUndefined();
});

test('a deployment with the key of one to be removed, but past being staged, is not ours to remove', () => {
  const driver = held({}, { pause: true });
  driver.send({ kind: 'skip', by: 'root', version: '42.2' });
  driver.discarded(reading(driver.mono, 1, deployment(2)));
  expect([driver.phase, driver.asked, driver.memory.discard]).toEqual(['watching', [], null]);
});

describe('the source "staged"', () => {
  const STAGED = { source: 'staged' } as const;

  test('follows whatever is staged, without any graph, and may take it unlocked', () => {
    const driver = settled(STAGED);
    driver.pass(20 * INTERVAL, 1);
    expect(driver.asked).toEqual([]);
    change(driver, reading(0, 1, stagedDeployment(9)));
    expect(driver.question('finalize')).toMatchObject({ target: found(9), allowUnlocked: true });
    driver.finalized();
    const next = driver.restarted({ bootId: 'boot-2' });
    next.send({ kind: 'started' });
    next.looked(reading(next.mono, 9));
    expect(next.phase).toBe('watching');
  });

  test('follows one that takes the place of another, and removes neither', () => {
    const driver = settled(STAGED);
    driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
    for (const pending of [stagedDeployment(8), stagedDeployment(9), null, stagedDeployment(7)]) {
      change(driver, reading(0, 1, pending));
      expect(driver.phase).toBe(pending === null ? 'watching' : 'holding');
      expect([driver.asked, driver.memory.target]).toEqual([[], null]);
    }
    driver.send({ kind: 'skip', by: 'root', version: '42.7' });
    expect([driver.phase, driver.asked, driver.memory.discard]).toEqual(['watching', [], null]);
    driver.send({ kind: 'unskip', by: 'root', version: '42.7' });
    expect(driver.phase).toBe('holding');
  });

  test('does not follow a release in quarantine', () => {
    const driver = settled(STAGED);
    change(driver, reading(0, 1, stagedDeployment(9)));
    let current = driver;
    for (const boot of ['boot-2', 'boot-3']) {
      current.finalized();
      current = current.restarted({ bootId: boot });
      current.send({ kind: 'started' });
      current.looked(reading(current.mono, 1));
      change(current, reading(0, 1, stagedDeployment(9)));
    }
    expect(current.memory.quarantine).toMatchObject([{ key: keyOf(9) }]);
    expect([current.phase, current.asked]).toEqual(['watching', []]);
  });

  test('goes on with what this agent staged; back at the graph it is still its own', () => {
    const driver = held({}, { pause: true });
    driver.send({ kind: 'configured', settings: settings(STAGED) });
    expect(driver.state.phase).toMatchObject({ name: 'holding', allowUnlocked: true });
    driver.send({ kind: 'configured', settings: settings() });
    expect(driver.state.phase).toMatchObject({ name: 'holding', allowUnlocked: false });
    driver.pass(2 * INTERVAL);
    driver.graphRead(graph([1, 2, 3]));
    expect(driver.question('discard').key).toBe(keyOf(2));
  });

  test('ignores a graph that was asked for before', () => {
    const driver = settled();
    driver.pass(INTERVAL);
    driver.send({ kind: 'configured', settings: settings(STAGED) });
    driver.graphRead(graph([1, 2]));
    expect([driver.phase, driver.asked]).toEqual(['watching', []]);
  });
});

describe('disabled', () => {
  test('does nothing, and says why', () => {
    const driver = settled({ enabled: false });
    expect(driver.state.phase).toEqual({
      name: 'disabled',
      reason: 'updates.enabled is false in the configuration',
    });
    driver.pass(20 * INTERVAL, 1);
    expect(driver.asked).toEqual([]);
  });

  test('is what a host is that was not booted from ostree, until it is', () => {
    const driver = new Driver();
    driver.send({ kind: 'started' });
    driver.looked(reading(driver.mono, null));
    expect(driver.phase).toBe('disabled');
    change(driver, reading(0, 1));
    expect(driver.phase).toBe('watching');
  });

  test('ends every phase before finalize, and each is taken up again', () => {
    for (const before of [settled(), staging(), held({}, { pause: true })]) {
      const { phase } = before;
      before.send({ kind: 'configured', settings: settings({ enabled: false }) });
      expect(before.phase).toBe('disabled');
      if (before.asked.includes('stage')) before.staged(reading(before.mono, 1, stagedDeployment(2)));
      expect([before.phase, before.asked]).toEqual(['disabled', []]);
      before.send({ kind: 'configured', settings: settings() });
      expect(before.phase).toBe(phase);
    }
  });

  test('while finalize was refused ends in `disabled`, too', () => {
    const driver = rebooting();
    driver.send({ kind: 'configured', settings: settings({ enabled: false }) });
    driver.fails('finalize');
    expect(driver.phase).toBe('disabled');
  });
});

describe('an administrator', () => {
  test('pauses for a time: the gate opens when it is over', () => {
    const driver = held({}, { pause: true });
    driver.send({ kind: 'pause', by: 'root', until: instant(driver.mono).wall + 2 * MINUTE, reason: 'maintenance' });
    driver.pass(2 * MINUTE - 1);
    expect(driver.asked).toEqual([]);
    driver.pass(1);
    expect(driver.asked).toEqual(['look']);
  });

  test('skips a version: what is staged of it is removed, and unskips it', () => {
    const driver = held({}, { pause: true });
    driver.send({ kind: 'skip', by: 'root', version: '42.2' });
    expect(driver.question('discard').key).toBe(keyOf(2));
    driver.discarded(reading(driver.mono, 1));
    driver.graphRead(graph([1, 2]));
    expect(driver.state.check?.verdict).toMatchObject({ denied: [{ denial: { kind: 'skipped' } }] });
    driver.send({ kind: 'unskip', by: 'root', version: '42.2' });
    driver.graphRead(graph([1, 2]));
    expect(driver.question('stage').target).toEqual(target(2));
  });

  test('skips a version while it is staged, which is left then, or its slot asked for, which is given up', () => {
    const first = staging();
    first.send({ kind: 'skip', by: 'root', version: '42.2' });
    expect(first.phase).toBe('staging');
    first.staged(reading(first.mono, 1, stagedDeployment(2)));
    expect([first.phase, first.asked]).toEqual(['watching', ['discard']]);

    const second = held({ lock: lockAt('a') });
    const { id } = second.question('lock');
    second.send({ kind: 'skip', by: 'root', version: '42.2' });
    expect([second.phase, second.asked, second.cancelled]).toEqual(['watching', ['lock', 'discard'], [id]]);
    second.granted();
    expect(second.asked).toEqual(['discard', 'report']);
  });

  test('keeps a host that is not up for long enough from rebooting', () => {
    const driver = held({ minUptimeMs: 90 * 24 * HOUR });
    driver.pass(10 * INTERVAL);
    expect(driver.phase).toBe('holding');
  });
});

describe('a memory that cannot be written', () => {
  test('begins nothing that relies on it, and is tried again', () => {
    const driver = settled();
    driver.diskFails = true;
    driver.pass(INTERVAL);
    driver.graphRead(graph([1, 2]));
    expect([driver.phase, driver.open.some(({ kind }) => kind === 'stage')]).toEqual(['staging', false]);
    if (driver.asked.includes('look')) driver.looked(reading(driver.mono, 1));
    driver.pass(10 * MINUTE);
    expect(driver.asked).not.toContain('stage');
    expect(driver.state.troubles.memory?.count).toBeGreaterThan(2);
    driver.diskFails = false;
    if (driver.asked.includes('look')) driver.looked(reading(driver.mono, 1));
    if (driver.asked.includes('fetchGraph')) driver.graphRead(graph([1, 2]));
    driver.pass(30 * MINUTE);
    if (driver.asked.includes('look')) driver.looked(reading(driver.mono, 1));
    expect(driver.asked).toContain('stage');
    expect(driver.state.troubles.memory).toBeUndefined();
    expect(driver.written?.target).toMatchObject({ release: target(2) });
  });

  test.each(['lock', 'finalize'] as const)('holds back %s', (kind) => {
    const driver = held(kind === 'lock' ? { lock: lockAt('a') } : {}, { pause: true });
    driver.diskFails = true;
    driver.send({ kind: 'resume', by: 'root' });
    expect(driver.phase).toBe('holding');
    expect(driver.asked.filter((one) => one === kind)).toEqual([]);
    expect(driver.written).toMatchObject({ slot: null, finalize: null });
  });

  test('is written again also where nothing else happens', () => {
    const driver = settled({ source: 'staged' });
    driver.diskFails = true;
    driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
    driver.diskFails = false;
    driver.pass(MINUTE);
    expect(driver.written?.pause).toMatchObject({ until: null, reason: 'maintenance' });
    expect([driver.state.troubles.memory, driver.sleeps]).toEqual([undefined, null]);
  });
});

test('late, foreign and repeated answers change nothing', () => {
  const driver = held({ lock: lockAt('a') });
  const { id } = driver.question('lock');
  driver.refused('no');
  const { state } = driver;
  for (const other of [id, id + 7, 0]) {
    expect(driver.send({ kind: 'slotGranted', id: other }).ignored).toMatch('not awaited');
    expect(driver.state).toEqual(state);
  }
});

test('a host that cannot be read is asked again, with growing pauses', () => {
  const driver = new Driver();
  driver.dice = 0.999;
  driver.send({ kind: 'started' });
  const pauses: number[] = [];
  for (let count = 0; count < 4; count += 1) {
    driver.fails('look');
    pauses.push(Math.round((driver.sleeps ?? 0) / 1000));
    driver.tick();
  }
  expect(pauses).toEqual([10, 20, 40, 80]);
  expect(driver.phase).toBe('starting');
});
