/** The last moment whose year has four digits. */
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * A moment in UTC to the millisecond, `2026-07-23T14:00:00.000Z`, of milliseconds since 1970. What lies beyond the years
 * 1970 to 9999 (a store may hold anything) becomes the nearest moment within.
 */
export function utcMs(wall: number): string {
  return new Date(Math.min(Math.max(0, wall), LAST)).toISOString();
}

const MOMENT = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d(?:\.\d{1,3})?))?)?(Z|[+-]\d\d:\d\d)?$/i;

/**
 * Milliseconds since 1970 of a moment as people write it: `2026-07-23T14:00Z`, with another zone (`+02:00`), in UTC when
 * there is none; a day alone means its beginning. Null when it is no such moment, or not in the years 1970 to 9999.
 */
export function parseMoment(written: string): number | null {
  const [whole, day = '', minute = '00:00', second = '00', zone = 'Z'] = MOMENT.exec(written.trim()) ?? [];
  if (whole === undefined) return null;
  const local = Date.parse(`${day}T${minute}:${second}Z`);
  // Some engines take the 30th of February for the 2nd of March.
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 10) !== day) return null;
  const ms = Date.parse(`${day}T${minute}:${second}${zone.toUpperCase()}`);
  return Number.isNaN(ms) || ms < 0 || ms > LAST ? null : ms;
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const DURATION = /^(?:\d{1,9}[smhdw])+$/;

/** Ten years of 365 days. */
const LONGEST_MS = 3650 * 86_400_000;

/**
 * Milliseconds of a duration as people write it: `30m`, `2h`, `1d`, `1h30m`; at most ten years. Null when it is none, or
 * nothing at all.
 */
export function parseDuration(written: string): number | null {
  const short = written.trim();
  if (!DURATION.test(short)) return null;
  let sum = 0;
  for (const [, amount, unit = ''] of short.matchAll(/(\d+)([smhdw])/g)) sum += Number(amount) * (UNITS[unit] ?? 0);
  return sum > 0 && sum <= LONGEST_MS ? sum : null;
}
