import { describe, expect, test } from 'vitest';
import {
  EMPTY_GRAPH,
  INTERVAL,
  MINUTE,
  SECOND,
  commit,
  graph,
  keyOf,
  lockAt,
  reading,
  settings,
  stagedDeployment,
  target,
  version,
} from '../../support/agent-builders.ts';
import { Driver } from '../../support/agent-driver.ts';
import { held, settled, staging } from '../../support/agent-situations.ts';

describe('the happy path', () => {
  test('of a host that decides alone', () => {
    const driver = settled();
    driver.pass(INTERVAL);
    driver.graphRead(graph([1, 2]));
    expect(driver.phase).toBe('staging');
    expect(driver.question('stage')).toMatchObject({ target: target(2), allowDowngrade: false });
    driver.staged(reading(driver.mono, 1, stagedDeployment(2)));
    // Nothing is in the way, and the host was read this very moment.
    expect(driver.question('finalize')).toMatchObject({ target: target(2), allowUnlocked: false });
    expect(driver.written?.finalize).toMatchObject({ outcome: 'called', bootId: 'boot-1' });
    driver.finalized();
    expect(driver.written?.finalize).toMatchObject({ outcome: 'acknowledged' });
    const next = driver.restarted({ bootId: 'boot-2' });
    next.send({ kind: 'started' });
    next.looked(reading(next.mono, 2));
    expect(next.phase).toBe('watching');
    expect(next.memory).toMatchObject({ finalize: null, target: null, faults: [] });
    expect(next.memory.lastBoot).toEqual({
      key: keyOf(2),
      version: version(2),
      from: keyOf(1),
      proven: expect.any(Boolean) as boolean,
    });
  });

  test('of a host in a fleet: the slot is taken last, and given back by the next boot', () => {
    const driver = held({ lock: lockAt('a') });
    expect([driver.phase, driver.asked]).toEqual(['releasing', ['lock']]);
    expect(driver.written?.slot).toMatchObject({ ...lockAt('a'), state: 'asked' });
    driver.granted();
    expect(driver.asked).toEqual(['look']);
    driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
    expect([driver.phase, driver.asked]).toEqual(['rebooting', ['finalize']]);
    driver.finalized();
    const next = driver.restarted({ bootId: 'boot-2' });
    next.send({ kind: 'started' });
    expect(next.question('report').lock).toEqual(lockAt('a'));
    expect(next.written).toMatchObject({ slot: null, owed: [lockAt('a')] });
    next.looked(reading(next.mono, 2));
    next.reported();
    expect([next.phase, next.memory.owed]).toEqual(['watching', []]);
  });

  test('order: the memory is written before the effect that relies on it', () => {
    const driver = held({ lock: lockAt('a') });
    driver.granted();
    driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
    const { log } = driver;
    for (const kind of ['stage', 'lock', 'finalize']) expect(log[log.indexOf(kind) - 1], kind).toBe('persist');
  });
});

describe('a newer release', () => {
  test('replaces the staged one, which is removed first', () => {
    const driver = held({}, { pause: true });
    driver.pass(2 * INTERVAL);
    driver.graphRead(graph([1, 2, 3]));
    expect([driver.phase, driver.asked]).toEqual(['staging', ['discard']]);
    expect(driver.question('discard').key).toBe(keyOf(2));
    driver.discarded(reading(driver.mono, 1));
    expect(driver.question('stage').target).toEqual(target(3));
    expect(driver.memory.discard).toBeNull();
  });

  test('does not replace it once the slot is granted', () => {
    const driver = held({ lock: lockAt('a') }, { pollOpen: true });
    driver.granted();
    driver.graphRead(graph([1, 2, 3]));
    expect([driver.phase, driver.asked]).toEqual(['releasing', ['look']]);
    driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
    expect(driver.question('finalize').target).toEqual(target(2));
  });

  test('replaces it while nobody knows about the slot, which is then given back', () => {
    const driver = held({ lock: lockAt('a') });
    driver.fails('lock', 'unknown');
    expect([driver.phase, driver.memory.slot?.state]).toEqual(['holding', 'asked']);
    driver.dice = 0.99;
    driver.pass(2 * INTERVAL);
    if (driver.asked.includes('lock')) driver.fails('lock', 'unknown');
    driver.graphRead(graph([1, 2, 3]));
    expect(driver.phase).toBe('staging');
    expect(driver.memory).toMatchObject({ slot: null, owed: [lockAt('a')] });
    expect(driver.asked).toEqual(['report', 'discard']);
  });

  test('replaces one that is being tried again, but not one that is being staged', () => {
    const driver = staging();
    driver.pass(2 * INTERVAL);
    driver.graphRead(graph([1, 2, 3]));
    expect(driver.question('stage').target).toEqual(target(2));
    driver.dice = 0.99;
    driver.fails('stage');
    driver.looked(reading(driver.mono, 1));
    driver.send({ kind: 'unskip', by: 'root', version: 'none' });
    driver.graphRead(graph([1, 2, 3]));
    expect(driver.question('stage').target).toEqual(target(3));
  });

  test('replaces one that was staged although its answer was lost', () => {
    const driver = staging();
    driver.fails('stage');
    driver.send({ kind: 'unskip', by: 'root', version: 'none' });
    driver.graphRead(graph([1, 2, 3]));
    driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
    expect(driver.question('discard').key).toBe(keyOf(2));
  });

  test('in two steps still removes what was staged for the first', () => {
    const driver = held({}, { pause: true });
    driver.pass(2 * INTERVAL);
    driver.send({ kind: 'hostChanged' });
    driver.graphRead(graph([1, 2, 3]));
    driver.send({ kind: 'unskip', by: 'root', version: 'none' });
    driver.graphRead(graph([1, 2, 3, 4]));
    driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
    expect(driver.question('discard').key).toBe(keyOf(2));
    driver.discarded(reading(driver.mono, 1));
    expect(driver.question('stage').target).toEqual(target(4));
  });
});

describe('a withdrawn release', () => {
  const GONE = graph([1, 2], [[1, 2]]);

  function poll(driver: Driver, next: ReturnType<typeof graph> | 'error'): void {
    driver.pass(2 * INTERVAL);
    if (next === 'error') driver.fails('fetchGraph');
    else driver.graphRead(next);
  }

  test('is removed after two good graphs in a row without it', () => {
    const driver = held({}, { pause: true });
    poll(driver, GONE);
    expect(driver.phase).toBe('holding');
    poll(driver, GONE);
    expect([driver.phase, driver.asked]).toEqual(['watching', ['discard']]);
    driver.discarded(reading(driver.mono, 1));
    expect(driver.memory).toMatchObject({ target: null, discard: null });
  });

  test('is given up after two good graphs in a row without it also while staging it is tried again', () => {
    const driver = staging();
    driver.dice = 0.999;
    const fail = (): void => {
      driver.fails('stage');
      driver.looked(reading(driver.mono, 1));
    };
    for (let count = 0; count < 7; count += 1) {
      fail();
      while (!driver.asked.includes('stage')) {
        driver.tick();
        if (driver.asked.includes('fetchGraph')) driver.graphRead(graph([1, 2]));
      }
    }
    fail();
    // An older release that the graph still leads to is not taken instead.
    const next = graph([0, 1, 2], [[1, 2]]);
    const ask = (): void => {
      driver.send({ kind: 'unskip', by: 'root', version: 'none' });
      driver.graphRead(next);
    };
    ask();
    expect(driver.state.phase).toMatchObject({ name: 'staging', target: target(2), missing: 1 });
    ask();
    expect(driver.phase).toBe('watching');
  });

  test('is kept when the graph leads to it again in between', () => {
    const driver = held({}, { pause: true });
    for (const next of [GONE, graph([1, 2]), GONE]) poll(driver, next);
    expect(driver.phase).toBe('holding');
  });

  test.each([
    ['an empty graph', EMPTY_GRAPH],
    ['a graph without the booted release', graph([2, 3])],
    ['an error', 'error'],
  ] as const)('%s withdraws nothing, and breaks no row', (_, silent) => {
    const driver = held({}, { pause: true });
    for (const next of [silent, silent, silent, GONE, silent]) poll(driver, next);
    expect(driver.phase).toBe('holding');
    poll(driver, GONE);
    expect(driver.phase).toBe('watching');
  });

  test('is counted also while the lock server refuses', () => {
    const driver = held({ lock: lockAt('a') });
    driver.refused('HTTP 409: slots_full', 3 * INTERVAL);
    poll(driver, GONE);
    driver.pass(INTERVAL);
    driver.refused('HTTP 409: slots_full', 3 * INTERVAL);
    poll(driver, GONE);
    expect(driver.phase).toBe('watching');
  });

  test('that comes back while it is being removed is staged anew', () => {
    const driver = held({}, { pause: true });
    for (const next of [GONE, GONE, graph([1, 2])]) poll(driver, next);
    expect([driver.phase, driver.asked]).toEqual(['staging', ['discard']]);
    driver.discarded(reading(driver.mono, 1));
    expect(driver.question('stage').target).toEqual(target(2));
  });
});

describe('new settings', () => {
  const ELSEWHERE = { ...settings(), graphQuestion: 'elsewhere' };

  test('that shorten the interval bring the next poll forward', () => {
    const driver = new Driver({ settings: settings({ steadyIntervalMs: 1000 * INTERVAL }) });
    driver.send({ kind: 'started' });
    driver.looked(reading(driver.mono, 1));
    expect(driver.sleeps).toBe(500 * INTERVAL);
    driver.send({ kind: 'configured', settings: settings() });
    expect(driver.sleeps).toBeLessThanOrEqual(INTERVAL);
    driver.pass(INTERVAL);
    driver.graphRead(graph([1]));
    driver.send({ kind: 'configured', settings: settings({ steadyIntervalMs: 10 * INTERVAL }) });
    expect(driver.sleeps).toBeLessThanOrEqual(2 * INTERVAL);
  });

  test('that ask another graph ask it soon, and the answer of the one before is ignored', () => {
    const driver = settled();
    driver.pass(INTERVAL);
    const { id } = driver.question('fetchGraph');
    driver.send({ kind: 'configured', settings: ELSEWHERE });
    expect(driver.send({ kind: 'graphRead', id, graph: graph([1, 2]) }).ignored).not.toBeNull();
    expect([driver.phase, driver.state.check]).toEqual(['watching', null]);
    expect(driver.sleeps).toBeLessThanOrEqual(INTERVAL / 30);
    driver.open.length = 0;
    driver.tick();
    driver.graphRead(graph([1, 2]));
    expect(driver.phase).toBe('staging');
  });

  test('that ask another graph forget what the one before said', () => {
    const driver = held({}, { pause: true });
    driver.pass(2 * INTERVAL);
    driver.graphRead(graph([1, 2], [[1, 2]]));
    driver.send({ kind: 'configured', settings: ELSEWHERE });
    driver.pass(INTERVAL / 30);
    driver.graphRead(graph([1, 2], [[1, 2]]));
    expect(driver.phase).toBe('holding');
  });

  test('that change neither leave the next poll where it was', () => {
    const driver = settled();
    const { sleeps } = driver;
    driver.dice = 0;
    driver.send({ kind: 'configured', settings: settings({ allowDowngrade: true }) });
    expect(driver.sleeps).toBe(sleeps);
  });
});

describe('staging that fails', () => {
  test('for a while is tried again, with growing pauses that are capped', () => {
    const driver = staging();
    driver.dice = 0.999;
    const pauses: number[] = [];
    for (let count = 0; count < 9; count += 1) {
      driver.fails('stage', 'transient', 'Transaction in progress: upgrade');
      if (driver.asked.includes('look')) driver.looked(reading(driver.mono, 1));
      pauses.push((driver.state.due.work ?? 0) - driver.mono);
      while (!driver.asked.includes('stage')) {
        driver.tick();
        if (driver.asked.includes('fetchGraph')) driver.graphRead(graph([1, 2]));
      }
    }
    expect(pauses.slice(0, 4).map((ms) => Math.round(ms / SECOND))).toEqual([10, 20, 40, 80]);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(3 * INTERVAL);
    expect(driver.state.troubles.stage).toMatchObject({ count: 9, text: 'Transaction in progress: upgrade' });
    expect(driver.memory.quarantine).toEqual([]);
  });

  test('three times by its own fault puts the release in quarantine for a day, across restarts', () => {
    const driver = staging();
    for (let count = 0; count < 3; count += 1) {
      driver.fails('stage', 'release', 'Checksum not found');
      driver.looked(reading(driver.mono, 1));
      if (count < 2) driver.pass(MINUTE);
    }
    expect(driver.phase).toBe('watching');
    const [entry] = driver.written?.quarantine ?? [];
    expect(entry).toMatchObject({ key: keyOf(2), version: '42.2', reason: 'Checksum not found (3 times)' });
    expect((entry?.until ?? 0) - (entry?.since ?? 0)).toBe(24 * 60 * MINUTE);

    const next = driver.restarted();
    next.send({ kind: 'started' });
    next.looked(reading(next.mono, 1));
    next.pass(INTERVAL);
    next.graphRead(graph([1, 2]));
    expect(next.phase).toBe('watching');
    expect(next.state.check?.verdict).toMatchObject({ kind: 'denied', denied: [{ version: '42.2' }] });
    next.pass(24 * 60 * MINUTE, 2);
    next.graphRead(graph([1, 2]));
    expect(next.phase).toBe('staging');
  });

  test('counts faults across restarts, and a quarantine can be lifted by hand', () => {
    let driver = staging();
    for (let count = 0; count < 2; count += 1) {
      driver.fails('stage', 'release');
      driver = driver.restarted();
      driver.send({ kind: 'started' });
      driver.looked(reading(driver.mono, 1));
    }
    driver.fails('stage', 'release');
    expect(driver.phase).toBe('watching');
    driver.looked(reading(driver.mono, 1));
    driver.send({ kind: 'unskip', by: 'root', version: '42.2' });
    driver.graphRead(graph([1, 2]));
    expect(driver.phase).toBe('staging');
  });

  test('a second quarantine leaves the first alone', () => {
    const driver = staging();
    for (const count of [1, 2, 3, 4, 5, 6]) {
      driver.fails('stage', 'release');
      driver.looked(reading(driver.mono, 1));
      if (count === 3) {
        driver.pass(INTERVAL);
        driver.graphRead(graph([1, 2, 3]));
      } else if (count < 6) driver.pass(MINUTE);
    }
    expect(driver.memory.quarantine.map((entry) => entry.version)).toEqual(['42.2', '42.3']);
  });
});

describe('what was staged is checked', () => {
  test.each([
    ['stream', { stream: 'next' }, 'the staged release belongs to the stream next, this host to stable'],
    ['version', { version: '42.9' }, 'the staged release calls itself 42.9, the graph calls it 42.2'],
    ['checksum', { baseChecksum: commit(9) }, `staged ${keyOf(9)} where ${keyOf(2)} was asked for`],
  ])('a wrong %s is removed and counted', (_, change, text) => {
    const driver = staging();
    const wrong = stagedDeployment(2, change);
    driver.staged(reading(driver.mono, 1, wrong));
    expect(driver.phase).toBe('staging');
    expect(driver.state.troubles.stage?.text).toBe(text);
    expect(driver.question('discard').key).toBe(`checksum:${wrong.baseChecksum}`);
    expect(driver.written?.discard?.reason).toBe(text);
    expect(driver.memory.faults).toMatchObject([{ key: keyOf(2), staging: 1 }]);
    driver.discarded(reading(driver.mono, 1));
    driver.pass(MINUTE);
    expect(driver.question('stage').target).toEqual(target(2));
  });

  test('success with nothing staged is a fault, and removes nothing', () => {
    const driver = staging();
    driver.staged(reading(driver.mono, 1));
    expect(driver.state.troubles.stage?.text).toBe('rpm-ostree reported success, but nothing is staged');
    expect(driver.asked).toEqual([]);
  });

  test('the configured stream counts where there is one', () => {
    const driver = staging({ stream: 'next' });
    driver.staged(reading(driver.mono, 1, stagedDeployment(2, { stream: 'next' })));
    expect(driver.phase).toBe('rebooting');
  });

  test('a removal that fails, or removes nothing, is tried again later', () => {
    const driver = staging();
    const wrong = stagedDeployment(2, { stream: 'next' });
    driver.staged(reading(driver.mono, 1, wrong));
    driver.fails('discard');
    driver.looked(reading(driver.mono, 1, wrong));
    expect(driver.asked).toEqual([]);
    driver.pass(MINUTE);
    driver.discarded(reading(driver.mono, 1, wrong));
    expect(driver.asked).toEqual([]);
    // A look that takes its time is waited for, not asked after every millisecond.
    driver.send({ kind: 'hostChanged' });
    driver.pass(MINUTE, 3);
    driver.looked(reading(driver.mono, 1, wrong));
    expect(driver.state.troubles.discard).toMatchObject({ count: 2 });
    driver.discarded(reading(driver.mono, 1));
    expect(driver.state.troubles.discard).toBeUndefined();
  });
});

test('progress is kept while it is awaited', () => {
  const driver = staging();
  const { id } = driver.question('stage');
  driver.send({ kind: 'stageProgress', id, text: '40 %' });
  expect(driver.state.phase).toMatchObject({ progress: '40 %' });
  expect(driver.send({ kind: 'stageProgress', id: id + 1, text: '80 %' }).ignored).not.toBeNull();
});

test('a graph is polled for ever, spread over the interval at first', () => {
  const driver = new Driver({ settings: settings() });
  driver.dice = 0.25;
  driver.send({ kind: 'started' });
  driver.looked(reading(driver.mono, 1));
  expect(driver.sleeps).toBe(INTERVAL / 4);
  for (let count = 0; count < 20; count += 1) {
    driver.tick();
    driver.graphRead(graph([1]));
  }
  expect(driver.state.check?.verdict).toMatchObject({ kind: 'newest' });
  expect(driver.sleeps).toBeGreaterThanOrEqual(INTERVAL);
});
