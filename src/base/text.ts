const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu;
/** Characters that show nothing: of no width, joiners, marks of direction, tags; but for accents and forms of others. */
const UNSEEN = /(?!\p{M})\p{Default_Ignorable_Code_Point}/gu;

/**
 * Makes text from outside (a server, the bus, a file) fit for one line of a log or terminal: no control characters,
 * no direction overrides, nothing that cannot be seen, so that two names which look the same are the same, at most
 * `max` characters.
 */
export function oneLine(text: string, max = 300): string {
  const clean = text.replace(CONTROL, ' ').replace(UNSEEN, '').trim();
  // The cut must not leave half of a character that JavaScript keeps as two.
  return clean.length <= max ? clean : `${clean.slice(0, max - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** The message of anything that was thrown, fit for one line. */
export function errorText(error: unknown, max = 300): string {
  if (!(error instanceof Error)) return oneLine(String(error), max);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const text = error.message === '' ? code || error.name : error.message;
  return oneLine(text, max);
}

/** A duration for people, at most two units: `45 s`, `5 min`, `2 h 10 min`, `3 d 4 h`. Milliseconds in. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const [hours, restMinutes] = [Math.floor(minutes / 60), minutes % 60];
  if (hours < 24) return restMinutes === 0 ? `${hours} h` : `${hours} h ${restMinutes} min`;
  const [days, restHours] = [Math.floor(hours / 24), hours % 24];
  return restHours === 0 ? `${days} d` : `${days} d ${restHours} h`;
}

/** A moment for people and logs, in UTC, to the second: `2026-07-23T14:00:00Z`. Milliseconds since 1970 in. */
export function utc(wall: number): string {
  const moment = new Date(wall);
  return Number.isNaN(moment.getTime()) ? 'an unknown time' : moment.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The candidate nearest to `word` by edit distance, or null when none is near enough to be what was meant. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      // Two letters in the wrong order are one slip of the finger.
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substituted, swapped));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
