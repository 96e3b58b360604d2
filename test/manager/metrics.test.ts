import { spawnSync } from 'node:child_process';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { FleetStatus, GroupStatus } from '../../src/manager/api.ts';
import type { Freeze } from '../../src/manager/document.ts';
import { createMetrics, type Metrics } from '../../src/manager/metrics.ts';
import { AT, fleet, group } from '../support/manager-status.ts';

const FREEZE: Freeze = { since: AT - 1000, until: null, by: 'admin:a', reason: '' };

function metricsOf(...groups: readonly string[]): Metrics {
  return createMetrics({ version: '1.0.0', isGroup: (name) => groups.includes(name) });
}

/** Samples by name and labels. */
async function scrape(metrics: Metrics, status: FleetStatus | Error = fleet([])): Promise<Record<string, number>> {
  const answer = (): Promise<FleetStatus> =>
    status instanceof Error ? Promise.reject(status) : Promise.resolve(status);
  return samples(await metrics.text({ status: answer, connections: 3 }));
}

function samples(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
}

function holder(id: string, age: number, stale = false): GroupStatus['holders'][number] {
  return { id, since: AT - age, soakUntil: null, stale, lastSeen: null };
}

const WORKERS = group('workers', {
  slots: 3,
  wanted: '2',
  resized: true,
  holders: [holder('a', 5000), holder('b', 90_000, true)],
  waiters: [
    { id: 'c', since: AT, lastAsked: AT, connected: true },
    { id: 'd', since: AT, lastAsked: AT, connected: false },
    { id: 'e', since: AT, lastAsked: AT, connected: false },
  ],
  halted: true,
});

describe('the fleet', () => {
  it("is told with airlock's names and with ours", async () => {
    const all = await scrape(metricsOf(), fleet([WORKERS, group('old', { configured: false, freeze: FREEZE })]));
    expect(all).toMatchObject({
      airlock_config_groups: 1,
      'airlock_config_semaphore_slots{group="workers"}': 2,
      'airlock_database_semaphore_slots{group="workers"}': 3,
      'airlock_database_semaphore_lock_holders{group="workers"}': 2,
      'airlock_database_semaphore_slots{group="old"}': 1,
      'holdpoint_manager_oldest_holder_age_seconds{group="workers"}': 90,
      'holdpoint_manager_oldest_holder_age_seconds{group="old"}': 0,
      'holdpoint_manager_stale_holders{group="workers"}': 1,
      'holdpoint_manager_waiters{group="workers",connected="true"}': 1,
      'holdpoint_manager_waiters{group="workers",connected="false"}': 2,
      'holdpoint_manager_frozen{group="workers"}': 0,
      'holdpoint_manager_frozen{group="old"}': 1,
      'holdpoint_manager_halted{group="workers"}': 1,
      'holdpoint_manager_halted{group="old"}': 0,
      holdpoint_manager_store_up: 1,
      holdpoint_manager_http_connections: 3,
    });
    expect(all).not.toHaveProperty(['airlock_config_semaphore_slots{group="old"}']);
  });

  it('is frozen where all groups are, as long as that lasts', async () => {
    const frozen = async (freeze: Freeze): Promise<number | undefined> =>
      (await scrape(metricsOf(), fleet([group('a')], { freeze })))['holdpoint_manager_frozen{group="a"}'];
    expect(await frozen(FREEZE)).toBe(1);
    expect(await frozen({ ...FREEZE, until: AT })).toBe(0);
  });

  it('has the slots of a percentage as they are, unless somebody has set others', async () => {
    const wanted = async (resized: boolean): Promise<number | undefined> =>
      (await scrape(metricsOf(), fleet([group('a', { slots: 7, wanted: '25%', resized })])))[
        'airlock_config_semaphore_slots{group="a"}'
      ];
    expect(await wanted(false)).toBe(7);
    expect(await wanted(true)).toBe(undefined);
  });

  it('loses groups that are gone, and says of unreadable ones only that', async () => {
    const metrics = metricsOf();
    await scrape(metrics, fleet([WORKERS, group('a')]));
    const all = await scrape(metrics, fleet([group('a', { problem: 'not JSON', slots: 0 })]));
    const told = Object.keys(all).filter((name) => name.includes('group='));
    expect(told).toEqual([
      'airlock_config_semaphore_slots{group="a"}',
      'holdpoint_manager_group_unreadable{group="a"}',
    ]);
    expect(all['holdpoint_manager_group_unreadable{group="a"}']).toBe(1);
  });

  it('is left out while the store is down; what was counted is not, nor what is configured', async () => {
    const metrics = metricsOf('workers');
    await scrape(metrics, fleet([WORKERS]));
    metrics.incoming('pre-reboot');
    metrics.decision('workers', 'pre-reboot', 'store_unavailable');
    const all = await scrape(metrics, new Error('down'));
    expect(all).toMatchObject({
      holdpoint_manager_store_up: 0,
      airlock_config_groups: 1,
      'airlock_config_semaphore_slots{group="workers"}': 2,
      airlock_v1_pre_reboot_incoming_requests_total: 1,
      'holdpoint_manager_decisions_total{group="workers",operation="pre-reboot",kind="store_unavailable"}': 1,
    });
    expect(Object.keys(all).filter((name) => name.startsWith('airlock_database'))).toEqual([]);
  });

  it('is not waited for longer than a scrape may take', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const text = metricsOf().text({ status: () => new Promise(() => undefined), connections: 0 });
    await vi.advanceTimersByTimeAsync(5000);
    expect(samples(await text)['holdpoint_manager_store_up']).toBe(0);
  });

  it('is asked for once for scrapes at the same time', async () => {
    const metrics = metricsOf();
    let asked = 0;
    const status = (): Promise<FleetStatus> => {
      asked += 1;
      return Promise.resolve(fleet([WORKERS]));
    };
    const [one, other] = await Promise.all([
      metrics.text({ status, connections: 0 }),
      metrics.text({ status, connections: 0 }),
    ]);
    expect([asked, one]).toEqual([1, other]);
  });
});

describe('what is counted', () => {
  it('are requests by operation, decisions by group, operation and kind', async () => {
    const metrics = metricsOf('workers');
    metrics.incoming('steady-state');
    metrics.incoming('steady-state');
    metrics.decision('workers', 'pre-reboot', 'granted');
    metrics.decision('workers', 'pre-reboot', 'granted');
    metrics.decision('workers', 'steady-state', 'released');
    expect(await scrape(metrics)).toMatchObject({
      airlock_v1_pre_reboot_incoming_requests_total: 0,
      airlock_v1_steady_state_incoming_requests_total: 2,
      'holdpoint_manager_decisions_total{group="workers",operation="pre-reboot",kind="granted"}': 2,
      'holdpoint_manager_decisions_total{group="workers",operation="steady-state",kind="released"}': 1,
    });
    metrics.decision('workers', 'pre-reboot', 'granted');
    const all = await scrape(metrics);
    expect(all['holdpoint_manager_decisions_total{group="workers",operation="pre-reboot",kind="granted"}']).toBe(3);
  });

  it('makes no labels of groups that do not exist', async () => {
    const metrics = metricsOf('workers');
    for (let i = 0; i < 1000; i += 1) metrics.decision(`made-up-${i}`, 'pre-reboot', 'unknown_group');
    metrics.decision('', 'pre-reboot', 'unknown_group');
    const told = Object.entries(await scrape(metrics)).filter(([name]) => name.includes('decisions_total'));
    expect(told).toEqual([
      ['holdpoint_manager_decisions_total{group="other",operation="pre-reboot",kind="unknown_group"}', 1001],
    ]);
  });

  it('is the store', async () => {
    const metrics = metricsOf();
    metrics.storeTime('commit', 0.004);
    metrics.storeTime('commit', 20);
    metrics.storeError('ambiguous');
    expect(await scrape(metrics)).toMatchObject({
      'holdpoint_manager_store_seconds_bucket{le="0.0025",operation="commit"}': 0,
      'holdpoint_manager_store_seconds_bucket{le="0.005",operation="commit"}': 1,
      'holdpoint_manager_store_seconds_bucket{le="+Inf",operation="commit"}': 2,
      'holdpoint_manager_store_seconds_count{operation="commit"}': 2,
      'holdpoint_manager_store_errors_total{kind="ambiguous"}': 1,
    });
  });

  it('is the process', async () => {
    const all = await scrape(metricsOf());
    expect(all['process_cpu_seconds_total']).toBeGreaterThan(0);
    expect(all['process_resident_memory_bytes']).toBeGreaterThan(1e6);
    expect(all['process_start_time_seconds']).toBeLessThanOrEqual(Date.now() / 1000);
    expect(all['holdpoint_build_info{version="1.0.0"}']).toBe(1);
  });
});

describe('the text', () => {
  async function fullText(): Promise<string> {
    const metrics = metricsOf('workers');
    metrics.decision('workers', 'pre-reboot', 'granted');
    metrics.storeTime('refresh', 0.1);
    metrics.storeError('broken');
    return metrics.text({ status: () => Promise.resolve(fleet([WORKERS])), connections: 1 });
  }

  it('is in the exposition format', async () => {
    const text = await fullText();
    expect(text.endsWith('\n')).toBe(true);
    const families = text.trimEnd().split(/\n(?=# HELP)|\n\n(?=# HELP)/);
    const names = families.map((family) => {
      const [help = '', type = '', ...rest] = family.trimEnd().split('\n');
      const name = /^# HELP ([a-z_0-9]+) \S.*\.$/.exec(help)?.[1] ?? help;
      expect(type).toMatch(new RegExp(`^# TYPE ${name} (counter|gauge|histogram)$`));
      if (type.endsWith('counter')) expect(name).toMatch(/_total$/);
      for (const line of rest) {
        expect(line).toMatch(
          new RegExp(`^${name}(_bucket|_sum|_count)?(\\{([a-z_]+="[^"\\\\\\n]*",?)+\\})? (\\d[\\d.e+-]*|\\+Inf)$`),
        );
      }
      return name;
    });
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^(airlock|holdpoint|process)_/.test(name))).toEqual([]);
  });

  it('satisfies promtool, where it is installed', async ({ skip }) => {
    if (spawnSync('promtool', ['--version']).error !== undefined) skip('promtool is not installed');
    const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: await fullText(),
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });
});
