import { expect, test } from 'vitest';
import { NOBODY_TOLD } from '../../../src/agent/gates/around.ts';
import { evaluateGates } from '../../../src/agent/gates/evaluate.ts';
import type { GateInputs } from '../../../src/agent/gates/inputs.ts';
import { GATES, isClosed } from '../../../src/agent/gates/gate.ts';
import { freshMemory } from '../../../src/agent/machine/memory.ts';
import { MINUTE, instant, lockAt, settings } from '../../support/agent-builders.ts';

const AT = instant(60 * MINUTE);
const OPEN: GateInputs = {
  at: AT,
  memory: freshMemory('boot-1'),
  settings: settings(),
  refusal: null,
  around: null,
  courtesy: NOBODY_TOLD,
  hooks: null,
};

function closed(change: Partial<GateInputs>): readonly (readonly [string, number | null])[] {
  return evaluateGates({ ...OPEN, ...change })
    .filter(isClosed)
    .map(({ gate, lookAgain }) => [gate, lookAgain]);
}

function paused(until: number | null): Partial<GateInputs> {
  return { memory: { ...OPEN.memory, pause: { until, reason: 'maintenance', by: 'root', since: 0 } } };
}

test('all are open when nothing is in the way, and each is asked', () => {
  const verdicts = evaluateGates(OPEN);
  expect(verdicts.every(({ open }) => open)).toBe(true);
  expect(verdicts.map(({ gate }) => gate)).toEqual([...GATES]);
});

test.each<readonly [string, Partial<GateInputs>, readonly (readonly [string, number | null])[]]>([
  ['updates are disabled', { settings: settings({ enabled: false }) }, [['enabled', null]]],
  ['paused for good', paused(null), [['pause', null]]],
  ['paused until later', paused(AT.wall + MINUTE), [['pause', AT.mono + MINUTE]]],
  ['paused until now', paused(AT.wall), []],
  ['a report is owed', { memory: { ...OPEN.memory, owed: [{ ...lockAt('a'), slot: true }] } }, [['report', null]]],
  [
    'a refusal lasts',
    { refusal: { by: 'lock', text: 'no', until: AT.mono + 1, since: 0 } },
    [['refusal', AT.mono + 1]],
  ],
  ['a refusal is over', { refusal: { by: 'lock', text: 'no', until: AT.mono, since: 0 } }, []],
  [
    'several things are in the way',
    { ...paused(null), settings: settings({ minUptimeMs: 2 * 60 * MINUTE }) },
    [
      ['pause', null],
      ['uptime', 120 * MINUTE],
    ],
  ],
])('%s', (_, change, expected) => {
  expect(closed(change)).toEqual(expected);
});

test('every closed gate says why, and what would open it', () => {
  const verdicts = evaluateGates({
    ...OPEN,
    settings: settings({ enabled: false, minUptimeMs: 2 * 60 * MINUTE }),
    memory: {
      ...OPEN.memory,
      owed: [{ ...lockAt('a'), slot: true }],
      pause: { until: null, reason: 'maintenance', by: 'root', since: 0 },
    },
    refusal: { by: 'rpm-ostree', text: 'denied by polkit', until: AT.mono + 1, since: 0 },
  }).filter(isClosed);
  expect(verdicts).toHaveLength(5);
  for (const { reason, opens } of verdicts) expect([reason, opens]).not.toContain('');
});
