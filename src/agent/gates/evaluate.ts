import { pauseAt } from '../machine/memory.ts';
import { sameLock } from '../machine/slot.ts';
import { clockGate, freezeGate, postponedGate, uptimeGate, windowGate } from './calendar.ts';
import { closed, type GateVerdict, open } from './gate.ts';
import { hurryOf } from './hurry.ts';
import { type GateInputs, lookAgainFor } from './inputs.ts';
import { peopleGate } from './people.ts';
import { healthGate, holdsGate, hooksGate, inhibitorsGate, powerGate } from './surroundings.ts';

/** Asks every local gate, in the order of `GATES`. The fleet's slot is not among them: it is asked for when all are open. */
export function evaluateGates(inputs: GateInputs): readonly GateVerdict[] {
  const hurry = hurryOf(inputs);
  return [
    enabledGate(inputs),
    healthGate(inputs),
    hurry(freezeGate(inputs)),
    pauseGate(inputs),
    hurry(clockGate(inputs)),
    hurry(windowGate(inputs)),
    hurry(uptimeGate(inputs)),
    hurry(postponedGate(inputs)),
    inhibitorsGate(inputs),
    holdsGate(inputs),
    powerGate(inputs),
    hurry(peopleGate(inputs)),
    hooksGate(inputs),
    reportGate(inputs),
    refusalGate(inputs),
  ];
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

function pauseGate(inputs: GateInputs): GateVerdict {
  const pause = pauseAt(inputs.memory, inputs.at.wall);
  if (pause === null) return open('pause');
  const reason = `paused by ${pause.by}${pause.reason === '' ? '' : ` (${pause.reason})`}`;
  if (pause.until === null) return closed('pause', reason, 'the end of the pause');
  const verdict = closed('pause', reason, 'the end of the pause', lookAgainFor(inputs, pause.until));
  return { ...verdict, opensAt: pause.until };
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
      ? `the lock manager has not confirmed yet that this host is steady (group ${owed.group})`
      : `a slot of group ${owed.group} is still to be given back to a lock manager that is not configured any more ` +
        '(if it is gone for good: see "A lock server that is gone" in docs/operations.md)',
    lookAgain: null,
    opens: 'an answer from the lock manager',
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
