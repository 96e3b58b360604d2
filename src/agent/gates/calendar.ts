import { duration, utc } from '../../base/text.ts';
import { freezeAt } from '../../strategy/freeze.ts';
import { scheduleAt } from '../../strategy/schedule.ts';
import { closed, type GateVerdict, open } from './gate.ts';
import { type GateInputs, lookAgainFor } from './inputs.ts';

/** Dates that are kept free of reboots. */
export function freezeGate(inputs: GateInputs): GateVerdict {
  const { at, settings } = inputs;
  if (settings.freezes === null) return open('freeze');
  const verdict = freezeAt(settings.freezes, at.wall);
  if (!verdict.frozen) return openUntil('freeze', inputs, verdict.next);
  return closedUntil('freeze', inputs, `no reboots on these dates (${verdict.reason})`, verdict.until);
}

/** Windows and dates count once the clock is right; a clock that nobody synchronises is taken for right after a while. */
export function clockGate({ at, settings, around }: GateInputs): GateVerdict {
  const { around: rules, schedule, freezes } = settings;
  if (rules === null || (schedule === null && freezes === null) || at.mono >= rules.clockWaitMs) return open('clock');
  // Where nobody knows, it may be wrong as well.
  if (around?.clockSynced === true) return open('clock');
  const reason = `the clock is not synchronised yet, and windows go by it (for ${duration(rules.clockWaitMs - at.mono)} more at most)`;
  return closed('clock', reason, 'a synchronised clock', rules.clockWaitMs);
}

/** The windows of the strategy `periodic`. */
export function windowGate(inputs: GateInputs): GateVerdict {
  const { at, settings } = inputs;
  if (settings.schedule === null) return open('window');
  const verdict = scheduleAt(settings.schedule, at.wall);
  if (verdict.open) return openUntil('window', inputs, verdict.until);
  if (verdict.opens === null) {
    return closed('window', 'there is no reboot window', 'a window in updates.periodic.window');
  }
  return closedUntil('window', inputs, 'outside of the reboot windows', verdict.opens);
}

/** A host that has just come up is left to do what it came up for. */
export function uptimeGate({ at, settings }: GateInputs): GateVerdict {
  const { minUptimeMs } = settings;
  if (at.mono >= minUptimeMs) return open('uptime');
  const reason = `this host is up for less than ${duration(minUptimeMs)} (updates.min_uptime_secs)`;
  return {
    ...closed('uptime', reason, 'the time', minUptimeMs),
    opensAt: at.wall + minUptimeMs - at.mono,
  };
}

/** People have postponed the reboot. */
export function postponedGate(inputs: GateInputs): GateVerdict {
  const { at, memory } = inputs;
  const { postponed } = memory;
  if (postponed === null || postponed.until <= at.wall) return open('postponed');
  return closedUntil('postponed', inputs, `postponed by ${postponed.by}`, postponed.until);
}

/** `until` in ms since 1970. */
function openUntil(gate: GateVerdict['gate'], { at }: GateInputs, until: number | null): GateVerdict {
  return until === null || until === Infinity ? open(gate) : { gate, open: true, until: at.mono + (until - at.wall) };
}

function closedUntil(gate: GateVerdict['gate'], inputs: GateInputs, reason: string, until: number): GateVerdict {
  return { ...closed(gate, reason, utc(until), lookAgainFor(inputs, until)), opensAt: until };
}
