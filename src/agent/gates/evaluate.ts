import type { Instant } from '../../base/clock.ts';
import type { Memory } from '../machine/memory.ts';
import { sameLock } from '../machine/slot.ts';
import type { Refusal, Settings } from '../machine/state.ts';
import type { GateVerdict } from './gate.ts';

/** What the local gates look at. */
export interface GateInputs {
  readonly at: Instant;
  readonly memory: Memory;
  readonly settings: Settings;
  /** The last "not now" of the lock server or of rpm-ostree, while it lasts. */
  readonly refusal: Refusal | null;
}

/** Asks every local gate, cheap ones first. The fleet's slot is not among them: it is asked for when all are open. */
export function evaluateGates(inputs: GateInputs): readonly GateVerdict[] {
  return [enabledGate(inputs), pauseGate(inputs), reportGate(inputs), refusalGate(inputs)];
}

/** Matters after finalize only: before it, a disabled agent holds nothing. */
function enabledGate({ settings }: GateInputs): GateVerdict {
  if (settings.enabled) return { gate: 'enabled', open: true };
  return {
    gate: 'enabled',
    open: false,
    reason: 'updates.enabled is false in the configuration',
    lookAgain: null,
    opens: 'updates.enabled = true',
  };
}

function pauseGate({ at, memory }: GateInputs): GateVerdict {
  const { pause } = memory;
  if (pause === null || (pause.until !== null && pause.until <= at.wall)) return { gate: 'pause', open: true };
  return {
    gate: 'pause',
    open: false,
    reason: `paused by an administrator${pause.reason === '' ? '' : ` (${pause.reason})`}`,
    lookAgain: pause.until === null ? null : at.mono + (pause.until - at.wall),
    opens: 'the end of the pause',
  };
}

/** A slot still owed must be back before another one is asked for. */
function reportGate({ memory, settings }: GateInputs): GateVerdict {
  const [owed] = memory.owed;
  if (owed === undefined) return { gate: 'report', open: true };
  const { lock } = settings;
  const isConfigured = lock !== null && sameLock(lock, owed);
  return {
    gate: 'report',
    open: false,
    reason: isConfigured
      ? `the lock server has not confirmed yet that this host is steady (group ${owed.group})`
      : `a slot of group ${owed.group} is still to be given back to a lock server that is not configured any more ` +
        '(if it is gone for good: see "A lock server that is gone" in docs/operations.md)',
    lookAgain: null,
    opens: 'an answer from the lock server',
  };
}

function refusalGate({ at, refusal }: GateInputs): GateVerdict {
  if (refusal === null || refusal.until <= at.mono) return { gate: 'refusal', open: true };
  return {
    gate: 'refusal',
    open: false,
    reason: refusal.text,
    lookAgain: refusal.until,
    opens: 'the next try',
  };
}
