import { parseMoment } from '../../base/moment.ts';
import type { OffsetAt } from './local-time.ts';

const ZONED = /(?:Z|[+-]\d\d:\d\d)$/i;
const MINUTE_MS = 60_000;

/**
 * Milliseconds since 1970 of a moment as people write it, in the reader's own time where no zone is given. A time that
 * the reader's clocks show twice is the first of them; one that they leave out is as long after the gap as before.
 * Null when it is no moment.
 */
export function parseReadersMoment(written: string, offsetAt: OffsetAt): number | null {
  const wall = parseMoment(written);
  // A day alone ends like a zone (-24), but without minutes.
  if (wall === null || ZONED.test(written.trim())) return wall;
  const day = 1_440 * MINUTE_MS;
  const offsets = [offsetAt(wall - day), offsetAt(wall + day)];
  const fits = offsets
    .map((minutes) => wall - minutes * MINUTE_MS)
    .filter((at) => at + offsetAt(at) * MINUTE_MS === wall);
  const found = fits.length > 0 ? Math.min(...fits) : wall - (offsets[0] ?? 0) * MINUTE_MS;
  return found < 0 ? null : found;
}
