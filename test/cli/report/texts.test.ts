import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { reportOf } from '../../../src/agent/report/report-of.ts';
import { type Report, readReport, writeReport } from '../../../src/agent/report/report.ts';
import { explainLines } from '../../../src/cli/report/explain-text.ts';
import type { Look } from '../../../src/cli/report/layout.ts';
import { localTime } from '../../../src/cli/report/local-time.ts';
import { statusLines } from '../../../src/cli/report/status-text.ts';
import { instant } from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { expectGolden } from '../../support/golden.ts';
import { AT_OTHER_MOMENTS, SITUATIONS, originsFor } from '../../support/report-situations.ts';

const PLAIN: Look = { width: 100, mark: (text) => text };
const GOLDEN = join(import.meta.dirname, 'golden');

/** As a client reads it, with a later moment if one is asked for. */
function reported({ state, mono }: Driver, later = 0): Report {
  const now = instant(mono);
  return readReport(writeReport(reportOf(state, now, originsFor(state.settings), now.wall + later)));
}

function inUtc({ now }: Report): ReturnType<typeof localTime> {
  return localTime(now, () => 0);
}

function page(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

function expectReadable(lines: readonly string[], width: number): void {
  expect(lines.join('\n')).not.toMatch(/undefined|\bnull\b|NaN|\[object|Infinity|\.\.| {2,}[.;,]/);
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(width);
}

describe('what people read', () => {
  test.each(Object.keys(SITUATIONS))('in the situation %s', (name) => {
    const driver = SITUATIONS[name]?.();
    if (driver === undefined) throw new Error(name);
    const report = reported(driver);
    const status = statusLines(report, inUtc(report), PLAIN);
    const explain = explainLines(report, inUtc(report), PLAIN);
    expectReadable([...status, ...explain], 100);
    expectGolden(
      `$ holdpoint status\n${page(status)}\n$ holdpoint explain\n${page(explain)}`,
      join(GOLDEN, `${name}.txt`),
    );
  });

  test.each(Object.entries(AT_OTHER_MOMENTS))('of another moment, %s', (name, [situation, later]) => {
    const driver = SITUATIONS[situation]?.();
    if (driver === undefined) throw new Error(situation);
    const report = reported(driver, later);
    const explain = explainLines(report, inUtc(report), PLAIN);
    expectReadable(explain, 100);
    expectGolden(page(explain), join(GOLDEN, `at-${name}.txt`));
  });
});
