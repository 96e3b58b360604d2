import { describe, expect, test } from 'vitest';
import { type GateVerdict, openFor } from '../../../src/agent/gates/gate.ts';

const OPEN: GateVerdict = { gate: 'enabled', open: true };
const until = (end: number): GateVerdict => ({ gate: 'window', open: true, until: end });
const CLOSED: GateVerdict = { gate: 'pause', open: false, reason: 'paused', lookAgain: null, opens: 'its end' };

describe('openFor', () => {
  test.each([
    ['nothing closes it', [OPEN, OPEN], Infinity],
    ['there is no gate', [], Infinity],
    ['the first that closes counts', [OPEN, until(9_000), until(3_500), OPEN], 2_500],
    ['one closes just now', [until(1_000)], 0],
    ['one has closed', [until(400)], 0],
    ['one is closed', [until(9_000), CLOSED], 0],
  ] as const)('%s', (_, verdicts, ms) => {
    expect(openFor(verdicts, 1_000)).toBe(ms);
  });
});
