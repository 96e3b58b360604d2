import { describe, expect, test } from 'vitest';
import type { Metric, Sample } from '../../../src/agent/metrics/metric.ts';
import { metricsOf } from '../../../src/agent/metrics/samples.ts';
import {
  INTERVAL,
  MINUTE,
  deployment,
  graph,
  hourlyWindows,
  instant,
  lockAt,
  person,
  reading,
  release,
} from '../../support/agent-builders.ts';
import { Driver } from '../../support/agent-driver.ts';
import { held, rebooting, settled, staging } from '../../support/agent-situations.ts';
import { arrived } from '../../support/agent-surrounded.ts';
import { expectGolden } from '../../support/golden.ts';

const IN_FLEET = { lock: lockAt('a') };

function after(driver: Driver, happens: (driver: Driver) => void): Driver {
  happens(driver);
  return driver;
}

const SITUATIONS: Readonly<Record<string, () => Driver>> = {
  'just started': () => after(new Driver(), (driver) => driver.send({ kind: 'started' })),
  'updates disabled': () => settled({ enabled: false, allowDowngrade: true, wariness: 0.25 }),
  'a dead end': () =>
    after(settled(), (driver) => {
      driver.pass(INTERVAL);
      driver.graphRead({ releases: [release(1, { deadEnd: 'no more kernels' })], edges: [[]], warnings: [] });
    }),
  'the update server is away': () =>
    after(settled(), (driver) => {
      for (let count = 0; count < 3; count += 1) {
        driver.pass(2 * INTERVAL);
        driver.fails('fetchGraph', 'transient', 'https://updates.example answered 503');
      }
    }),
  'a release is fetched': () => staging(),
  'paused until a moment, with a release staged': () =>
    after(held({}, { pause: true }), (driver) => {
      driver.send({ kind: 'pause', by: 'root', until: instant(driver.mono).wall + 2 * MINUTE, reason: 'backup' });
    }),
  'the slot was refused': () =>
    after(held({ ...IN_FLEET, schedule: hourlyWindows() }), (driver) => {
      driver.refused('HTTP 409: slots_full: 2 of 2 slots are taken');
    }),
  'finalize is called, under a slot': () => rebooting(IN_FLEET),
  'two people are here': () => arrived({ people: [person('0'), person('4', 'bob')] }).driver,
  'in quarantine, beside another driver': () =>
    after(staging(), (driver) => {
      for (let count = 0; count < 3; count += 1) {
        driver.fails('stage', 'release', 'staging 42.2: Checksum 00…02 not found');
        driver.looked(reading(driver.mono, 1));
        if (count < 2) driver.pass(MINUTE);
      }
      driver.send({ kind: 'skip', by: 'root', version: '42.7' });
      driver.send({ kind: 'driversSeen', drivers: [{ name: 'zincati.service', advice: '…' }] });
    }),
  'an unhealthy boot keeps its slot': () => {
    const before = arrived({}, {}, IN_FLEET).driver;
    before.granted();
    before.finalized();
    const driver = before.restarted({ bootId: 'boot-2', mono: 20_000 });
    driver.send({ kind: 'started' });
    driver.looked(reading(driver.mono, 2, null, [deployment(1)]));
    driver.lookedAround({ boot: { kind: 'unhealthy', reason: 'boot-complete.target was not reached' } });
    return driver;
  },
  'nobody can be asked whether the boot is still healthy': () => {
    const host = arrived({ power: 'battery' });
    host.change({ boot: { kind: 'unknown', reason: 'systemd cannot be asked about it' } });
    return host.driver;
  },
};

const HOST = { basearch: 'x86_64', stream: 'stable', platform: 'aws', osVersion: '42.1', osChecksum: '', oci: false };

function metrics(driver: Driver): readonly Metric[] {
  const { state, counts, mono } = driver;
  const at = instant(mono);
  const host = state.host?.booted === undefined ? null : HOST;
  return metricsOf({ state, counts, at, strategy: ['immediate'], host, version: '1.2.3' });
}

function value(driver: Driver, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const found = metrics(driver).find((metric) => metric.name === name);
  const isIt = (sample: Sample): boolean => Object.entries(labels).every(([key, text]) => sample.labels[key] === text);
  return found?.samples.find(isIt)?.value;
}

/** `name{label="value"} 1`, for people who read it; moments as such. */
function line({ name }: Metric, { labels, value: number }: Sample): string {
  const list = Object.entries(labels).map(([key, text]) => `${key}="${text}"`);
  const isMoment = /_timestamp(_seconds)?$/.test(name);
  return `  ${name}{${list.join(',')}} ${isMoment ? new Date(number * 1000).toISOString() : number}`;
}

/** Of gates those that are closed, of everything else what is not 0. */
function isTold({ name }: Metric, sample: Sample): boolean {
  return (sample.value === 0) === (name === 'holdpoint_gate_open');
}

test('what is scraped in each situation', () => {
  const pages = Object.entries(SITUATIONS).map(([title, situation]) => {
    const lines = metrics(situation()).flatMap((metric) =>
      metric.samples.filter((sample) => isTold(metric, sample)).map((sample) => line(metric, sample)),
    );
    return [`# ${title}`, ...lines, ''].join('\n');
  });
  expectGolden(pages.join('\n'), `${import.meta.dirname}/golden/samples.txt`);
});

test.each(Object.keys(SITUATIONS))('%s: each state has exactly one value, each name one metric', (title) => {
  const all = metrics(SITUATIONS[title]?.() ?? new Driver());
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  for (const { name, samples } of all) {
    const keys = samples.map(({ labels }) => JSON.stringify(labels));
    expect(new Set(keys).size, name).toBe(keys.length);
    for (const sample of samples) expect(Number.isFinite(sample.value), name).toBe(true);
  }
  const states = all.find(({ name }) => name === 'holdpoint_state')?.samples ?? [];
  expect(states.reduce((sum, sample) => sum + sample.value, 0)).toBe(1);
});

test('of releases in quarantine those count whose time is not over', () => {
  const driver = SITUATIONS['in quarantine, beside another driver']?.() ?? new Driver();
  expect(value(driver, 'holdpoint_quarantined_releases')).toBe(1);
  driver.mono += 25 * 60 * MINUTE;
  expect(value(driver, 'holdpoint_quarantined_releases')).toBe(0);
});

describe('what is counted', () => {
  test('questions when they are begun, and their failures by class', () => {
    const driver = settled();
    expect(value(driver, 'zincati_cincinnati_update_checks_total')).toBe(0);
    driver.pass(2 * INTERVAL);
    expect(value(driver, 'zincati_cincinnati_update_checks_total')).toBe(1);
    driver.fails('fetchGraph', 'transient');
    driver.pass(2 * INTERVAL);
    driver.fails('fetchGraph', 'unknown');
    driver.pass(2 * INTERVAL);
    driver.fails('fetchGraph', 'transient');
    expect(value(driver, 'zincati_cincinnati_update_checks_errors_total', { kind: 'transient' })).toBe(2);
    expect(value(driver, 'zincati_cincinnati_update_checks_errors_total', { kind: 'unknown' })).toBe(1);
    expect(value(driver, 'holdpoint_operations_total', { operation: 'fetchGraph' })).toBe(3);
    expect(value(driver, 'holdpoint_trouble_failures', { source: 'graph' })).toBe(3);
  });

  test('what takes its time once, whatever is begun meanwhile', () => {
    const driver = staging();
    driver.pass(2 * INTERVAL);
    expect(driver.asked).toEqual(['stage', 'fetchGraph']);
    expect(value(driver, 'zincati_rpm_ostree_deploy_attempts_total')).toBe(1);
  });

  test('no answer that nobody waits for', () => {
    const driver = settled();
    const failure = { class: 'transient', text: 'late' } as const;
    driver.send({ kind: 'failed', effect: 'fetchGraph', id: 999, failure });
    driver.send({ kind: 'graphRead', id: 999, graph: graph([1, 2, 3]) });
    driver.send({ kind: 'finalized', id: 999 });
    driver.send({ kind: 'slotGranted', id: 999 });
    driver.send({ kind: 'slotRefused', id: 999, text: 'no' });
    expect(driver.counts).toMatchObject({
      failed: [],
      graph: null,
      finalized: 0,
      slots: { granted: 0, refused: 0 },
    });
  });

  test('the answers of lock servers, and the finalize calls', () => {
    const driver = held(IN_FLEET);
    driver.refused('HTTP 409: slots_full: 2 of 2 slots are taken');
    driver.pass(2 * INTERVAL);
    driver.granted();
    driver.looked(reading(driver.mono, 1, deployment(2, { staged: true })));
    driver.finalized();
    expect(value(driver, 'holdpoint_slot_answers_total', { answer: 'refused' })).toBe(1);
    expect(value(driver, 'holdpoint_slot_answers_total', { answer: 'granted' })).toBe(1);
    expect(value(driver, 'zincati_rpm_ostree_finalize_attempts_total')).toBe(1);
    expect(value(driver, 'zincati_update_agent_finalization_successes')).toBe(1);
  });
});

describe('since when an update waits', () => {
  const NAME = 'holdpoint_update_pending_since_timestamp_seconds';

  test('begins when it is staged, and goes on over the newer one that replaces it', () => {
    const driver = staging();
    expect(value(driver, NAME)).toBeUndefined();
    const fresh = held({}, { pause: true });
    const since = Math.floor(instant(fresh.mono).wall / 1000);
    expect(value(fresh, NAME)).toBe(since);
    fresh.pass(2 * INTERVAL);
    fresh.graphRead(graph([1, 2, 3]));
    expect(value(fresh, NAME)).toBe(since);
    fresh.discarded(reading(fresh.mono, 1));
    fresh.staged(reading(fresh.mono, 1, deployment(3, { staged: true })));
    expect(fresh.phase).toBe('holding');
    expect(value(fresh, NAME)).toBe(since);
  });

  test('ends when it is withdrawn', () => {
    const driver = held({}, { pause: true });
    for (let count = 0; count < 2; count += 1) {
      driver.pass(2 * INTERVAL);
      driver.graphRead(graph([1, 2], [[1, 2]]));
    }
    expect(driver.phase).toBe('watching');
    expect(value(driver, NAME)).toBeUndefined();
  });
});
