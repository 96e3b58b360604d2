import { describe, expect, test } from 'vitest';
import { INTERVAL, graph } from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { settled } from '../../support/agent-situations.ts';

/** The lines about the warnings of one more graph. */
function said(driver: Driver, warnings: readonly string[]): readonly string[] {
  driver.pass(2 * INTERVAL);
  const before = driver.said.length;
  driver.graphRead({ ...graph([1]), warnings });
  return driver.said.slice(before).filter((line) => line.includes('update graph:'));
}

const faults = (count: number, of = 'a'): readonly string[] =>
  Array.from({ length: count }, (_, n) => `node ${n} left out: ${of}`);

describe('what was left out of the graph', () => {
  test('is said when it is new, five lines of it, and the others counted', () => {
    const driver = settled();
    expect(said(driver, faults(2))).toEqual(faults(2).map((text) => `warn: update graph: ${text}`));
    expect(said(driver, faults(20))).toEqual([
      ...faults(5).map((text) => `warn: update graph: ${text}`),
      'warn: update graph: and 15 more of the kind',
    ]);
  });

  test('is not repeated for as long as it is as much', () => {
    const driver = settled();
    said(driver, faults(7));
    for (const next of [faults(7), faults(7).toReversed(), faults(7, 'another text')]) {
      expect(said(driver, next)).toEqual([]);
    }
  });

  test('is said again when it comes back', () => {
    const driver = settled();
    said(driver, faults(1));
    expect(said(driver, [])).toEqual([]);
    expect(said(driver, faults(1))).toHaveLength(1);
  });
});
