import { parseDuration, parseMoment } from '../base/moment.ts';
import type { OffsetAt } from '../strategy/zone.ts';

const ZONED = /(?:Z|[+-]\d\d:\d\d)$/i;
const DAY_MS = 86_400_000;

/** What a moment on the command line may look like, for messages. */
export const MOMENT_EXAMPLES =
  'a moment such as 2026-07-24T02:30 or 2026-07-24T02:30Z, or a duration from now such as 2h';

/** The offset of the clocks of whoever runs this process, in ms. */
export const readersOffset: OffsetAt = (wall) => -new Date(wall).getTimezoneOffset() * 60_000;

/**
 * Milliseconds since 1970 of a moment on the command line: in the reader's own time where no zone is given; a duration is
 * as long after `now`. Null when it is neither.
 */
export function parseTime(written: string, now: number, offsetAt: OffsetAt = readersOffset): number | null {
  const duration = parseDuration(written);
  return duration === null ? parseReadersMoment(written, offsetAt) : now + duration;
}

/**
 * Milliseconds since 1970 of a moment as people write it, in the reader's own time where no zone is given. A time that
 * the reader's clocks show twice is the first of them; one that they leave out is as long after the gap as before.
 * Null when it is no moment.
 */
export function parseReadersMoment(written: string, offsetAt: OffsetAt): number | null {
  const wall = parseMoment(written);
  // A day alone ends like a zone (-24), but without minutes.
  if (wall === null || ZONED.test(written.trim())) return wall;
  const offsets = [offsetAt(wall - DAY_MS), offsetAt(wall + DAY_MS)];
  const fits = offsets.map((offset) => wall - offset).filter((at) => at + offsetAt(at) === wall);
  const found = fits.length > 0 ? Math.min(...fits) : wall - (offsets[0] ?? 0);
  return found < 0 ? null : found;
}
