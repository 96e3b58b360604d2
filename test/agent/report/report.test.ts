import { join } from 'node:path';
import { format } from 'prettier';
import { describe, expect, test } from 'vitest';
import { GATES } from '../../../src/agent/gates/gate.ts';
import { GATE_KEYS, originsOf } from '../../../src/agent/report/origins.ts';
import { REPORT_SCHEMA, readReport, writeReport } from '../../../src/agent/report/report.ts';
import { reportJson, reportOf } from '../../../src/agent/report/report-of.ts';
import { buildConfig } from '../../../src/config/load.ts';
import { HOUR, instant, lockAt } from '../../support/agent-builders.ts';
import { arrived } from '../../support/agent-surrounded.ts';
import { expectGolden } from '../../support/golden.ts';
import { SITUATIONS, originsFor, situation } from '../../support/report-situations.ts';

describe('a report', () => {
  test.each(Object.keys(SITUATIONS))('of %s is the same after it was written and read', (name) => {
    const { state, mono } = situation(name);
    const report = reportOf(state, instant(mono), originsFor(state.settings));
    expect(readReport(writeReport(report))).toEqual(report);
    expect(report.gates.map(({ gate }) => gate)).toEqual([...GATES, 'slot']);
  });

  test('is about now, unless another moment is asked for', () => {
    const { state, mono } = situation('outside-the-window');
    const now = instant(mono);
    const origins = originsFor(state.settings);
    const plain = readReport(reportJson(state, now, origins, null));
    expect([plain.at, plain.gates.some(({ asNow }) => asNow)]).toEqual([now.wall, false]);
    const later = readReport(reportJson(state, now, origins, instant(12 * HOUR).wall));
    expect([later.now, later.at]).toEqual([now.wall, instant(12 * HOUR).wall]);
    expect(later.gates.find(({ gate }) => gate === 'window')).toMatchObject({ verdict: 'open', asNow: false });
    expect(later.gates.find(({ gate }) => gate === 'power')).toMatchObject({ asNow: true });
  });

  test('foresees nothing of what is past', () => {
    const { state, mono } = situation('uptime');
    const now = instant(mono);
    const at = (wall: number): unknown => readReport(reportJson(state, now, new Map(), wall)).reboot;
    expect(at(now.wall - 1_000)).toBeNull();
    expect(at(now.wall)).not.toBeNull();
  });

  test.each([0, 1, 253_402_300_799_000])('can be about %d', (wall) => {
    for (const name of ['several-gates', 'uptime', 'people-with-grace', 'slot-refused', 'newest']) {
      const { state, mono } = situation(name);
      const json = reportJson(state, instant(mono), originsFor(state.settings), wall);
      expect(readReport(json).at).toBe(wall);
      // What is beyond the year 9999 is no moment.
      expect(json).not.toContain('9999-12-31T23:59:59.999Z');
    }
  });

  test('says where a gate was configured, and shows no password', () => {
    const text = '[updates]\nstrategy = "fleet_lock"\nfleet_lock.base_url = "https://me:secret@locks.example/"\n';
    const { values } = buildConfig([{ path: '/etc/50.toml', text }]);
    const { state, mono } = situation('slot-refused');
    const report = reportOf(state, instant(mono), originsOf(values));
    const slot = report.gates.find(({ gate }) => gate === 'slot');
    expect(slot?.from.map(({ key, set }) => [key, set])).toContainEqual([
      'updates.fleet_lock.base_url',
      ['/etc/50.toml:3'],
    ]);
    expect(JSON.stringify(report)).not.toContain('secret');
  });

  test('shows no password of a lock manager that something is owed to', () => {
    const lock = { ...lockAt('old'), baseUrl: 'https://me:secret@old.example/' };
    const { driver } = arrived({}, {}, { lock });
    driver.fails('lock', 'unknown', 'no answer');
    delete driver.auto.report;
    driver.send({ kind: 'configured', settings: { ...driver.state.settings, lock: lockAt('new') } });
    expect(driver.memory.owed.map(({ baseUrl }) => baseUrl)).toContain(lock.baseUrl);
    const report = reportOf(driver.state, instant(driver.mono), originsFor(driver.state.settings));
    expect(report.owed.find(({ server }) => server.includes('old.example'))?.slot).toBe(true);
    expect(JSON.stringify(report)).not.toContain('secret');
  });

  test('shows what is kept away as long as it is', () => {
    const { state, mono } = situation('quarantined');
    const shown = (at: number): number => reportOf(state, instant(at), new Map()).quarantine.length;
    const ends = state.memory.quarantine[0]?.until ?? 0;
    expect([shown(mono), shown(ends - 1 - instant(0).wall), shown(ends - instant(0).wall)]).toEqual([1, 1, 0]);
  });

  test('says when a release is fetched, while that is to come', () => {
    const { state, mono } = situation('rollout-not-reached');
    const said = (at: number): string => reportOf(state, instant(at), new Map()).answer;
    expect(said(mono)).toMatch(/; it is fetched then\.$/);
    expect(said(mono + HOUR)).not.toContain('it is fetched then');
  });

  test('is not taken for one where a field is missing', () => {
    const { state, mono } = situation('newest');
    const json = writeReport(reportOf(state, instant(mono), new Map()));
    const fields = Object.entries(JSON.parse(json) as Record<string, unknown>);
    const rest = Object.fromEntries(fields.filter(([name]) => name !== 'gates'));
    expect(() => readReport(JSON.stringify(rest))).toThrow('gates');
  });
});

test('every key that a gate goes by is one of the configuration', () => {
  const known = new Set(buildConfig([]).values.keys());
  expect(
    Object.values(GATE_KEYS)
      .flat()
      .filter((key) => !known.has(key)),
  ).toEqual([]);
});

test('the JSON is documented', async () => {
  const text = await format(JSON.stringify(REPORT_SCHEMA), { parser: 'json', printWidth: 120 });
  expectGolden(text, join(import.meta.dirname, '../../../docs/status.schema.json'));
});
