const MINUTE = 60_000;
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** How far a zone is ahead of UTC, `+02:00`. Milliseconds in. */
export function offsetText(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / MINUTE);
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${ms < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** A date and time as clocks show it (as if it were in UTC, milliseconds since 1970): `Sat 2026-10-24 22:00`. */
export function clockText(local: number): string {
  return `${dayText(local)} ${timeText(local)}`;
}

/** Its time alone: `22:00`, with seconds where there are some. */
export function timeText(local: number): string {
  return new Date(local).toISOString().slice(11, local % MINUTE === 0 ? 16 : 19);
}

/** Its day alone: `Sat 2026-10-24`. */
export function dayText(local: number): string {
  const date = new Date(local);
  return `${DAYS[date.getUTCDay()] ?? ''} ${date.toISOString().slice(0, 10)}`;
}
