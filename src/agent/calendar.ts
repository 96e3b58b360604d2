import { resolveTimeZone } from '../base/time-zone.ts';
import { graceMs } from '../config/holding.ts';
import type { Config } from '../config/schema.ts';
import { createFreezes, type Freezes } from '../strategy/freeze.ts';
import { createSchedule, type Schedule } from '../strategy/schedule.ts';

/** When the configuration lets this host reboot, ready for `scheduleAt` and `freezeAt`. */
export interface RebootCalendar {
  /** Null when windows do not matter. */
  readonly schedule: Schedule | null;
  readonly freezes: Freezes;
}

/**
 * Prepares the windows and freezes of a configuration. Loads Node's time zone data where they need it; throws a
 * RangeError where a host calls its own zone by a name that Node does not know.
 */
export function calendarOf({ updates }: Config, nodeId: string): RebootCalendar {
  const { periodic, sessions, freezes, strategy } = updates;
  const windows = strategy.includes('periodic') ? periodic.windows : [];
  const zones = [...windows, ...freezes].map(({ timeZone }) => timeZone ?? periodic.timeZone);
  const hostZone = zones.includes('localtime') ? resolveTimeZone('localtime') : 'UTC';
  const options = { ...periodic, nodeId, graceMs: sessions.enabled ? graceMs(sessions) : 0 };
  return {
    schedule: strategy.includes('periodic') ? createSchedule(options, hostZone) : null,
    freezes: createFreezes(freezes, periodic.timeZone, hostZone),
  };
}
