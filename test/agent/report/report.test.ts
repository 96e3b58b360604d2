import { join } from 'node:path';
import { format } from 'prettier';
import { describe, expect, test } from 'vitest';
import { GATES } from '../../../src/agent/gates/gate.ts';
import { GATE_KEYS, originsOf } from '../../../src/agent/report/origins.ts';
import { REPORT_SCHEMA, readReport, writeReport } from '../../../src/agent/report/report.ts';
import { reportJson, reportOf } from '../../../src/agent/report/report-of.ts';
import { buildConfig } from '../../../src/config/load.ts';
import { HOUR, instant } from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { expectGolden } from '../../support/golden.ts';
import { SITUATIONS, originsFor } from '../../support/report-situations.ts';

function situation(name: string): Driver {
  const driver = SITUATIONS[name]?.();
  if (driver === undefined) throw new Error(name);
  return driver;
}

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

  test.each([0, 1, 253_402_300_799_000])('can be about %d', (wall) => {
    for (const name of ['several-gates', 'uptime', 'people-with-grace', 'slot-refused', 'newest']) {
      const { state, mono } = situation(name);
      const json = reportJson(state, instant(mono), originsFor(state.settings), wall);
      expect(readReport(json).at).toBe(wall);
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
