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
import { AT_OTHER_MOMENTS, SITUATIONS, originsFor, situation } from '../../support/report-situations.ts';

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

/** The gates beside a label and below it, up to the next one. */
function gatesBeside(label: string, lines: readonly string[]): readonly string[] {
  const begin = lines.findIndex((line) => line.startsWith(label));
  if (begin < 0) return [];
  const rest = lines.slice(begin + 1);
  const end = rest.findIndex((line) => !line.startsWith(' '));
  const rows = [lines[begin] ?? '', ...rest.slice(0, end < 0 ? rest.length : end)].map((line) => line.slice(11));
  // Of the closed ones each has a line of its own, and the reason beside it.
  if (label === 'Closed') return rows.flatMap((row) => /^[a-z, ]*[a-z](?= {2})/.exec(row)?.[0].split(', ') ?? []);
  return rows
    .join(' ')
    .replace(/ \([^)]*\)/g, '')
    .split(', ');
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

  test.each(Object.keys(SITUATIONS))('status shows each gate once, where explain has it: %s', (name) => {
    const report = reported(situation(name));
    const status = statusLines(report, inUtc(report), PLAIN);
    const explain = explainLines(report, inUtc(report), PLAIN);
    const [closed, open, notAsked] = ['Closed', 'Open', 'Not asked'].map((label) => gatesBeside(label, status));
    const shown = explain.flatMap(
      (line) => /^ {2}(open|CLOSED|not asked) +([a-z]+)/.exec(line)?.slice(1).join(' ') ?? [],
    );
    const wanted = [
      ...(closed ?? []).map((gate) => `CLOSED ${gate}`),
      ...(open ?? []).map((gate) => `open ${gate}`),
      ...(notAsked ?? []).map((gate) => `not asked ${gate}`),
    ];
    expect(wanted.toSorted()).toEqual(shown.toSorted());
    expect(shown.length).toBe(name === 'not-an-ostree-host' ? 0 : report.gates.length);
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
