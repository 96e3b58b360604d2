const LONGEST_MS = 86_400_000;

/**
 * The header `Retry-After` (seconds or a date) as milliseconds from now, 0 to a day; undefined for none. `wall` is now,
 * in milliseconds since 1970.
 */
export function retryAfterMs(header: string | undefined, wall: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - wall;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_MS);
}
