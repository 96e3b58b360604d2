import { beforeEach, expect, test, vi } from 'vitest';
import type * as Evaluate from '../../../src/agent/gates/evaluate.ts';
import { lockAt, MINUTE, SECOND } from '../../support/agent-builders.ts';
import { held } from '../../support/agent-situations.ts';

/** Milliseconds for which one gate that is open stays so. */
const gate = vi.hoisted(() => ({ openForMs: Infinity }));

// Whatever gates there are, one of them closes by itself at a moment that the test says.
vi.mock('../../../src/agent/gates/evaluate.ts', async (original) => {
  const { evaluateGates, ...rest } = await original<typeof Evaluate>();
  return {
    ...rest,
    evaluateGates: (inputs: Evaluate.GateInputs) =>
      evaluateGates(inputs).map((verdict, index) =>
        index === 0 && verdict.open ? { ...verdict, until: inputs.at.mono + gate.openForMs } : verdict,
      ),
  };
});

beforeEach(() => {
  gate.openForMs = Infinity;
});

test.each([
  ['no longer than until a gate closes by itself', 20 * SECOND, 20 * SECOND],
  ['as long as configured when the gates stay open for longer', 10 * MINUTE, 50 * SECOND],
])('a slot is waited for %s', (_, openForMs, waitMs) => {
  gate.openForMs = openForMs;
  expect(held({ lock: lockAt('a'), lockWaitMs: 50 * SECOND }).question('lock').waitMs).toBe(waitMs);
});
