/** What is seen of a host. */
export type Sight =
  /** It would reboot now, and waits for a slot. */
  | 'asks'
  /** Its agent has called finalize: it goes down at any moment. */
  | 'calls'
  /** Its agent has nothing to reboot for. */
  | 'rests'
  | 'shuts'
  | 'boots'
  /** It has reported that it is steady: its slot was given back. */
  | 'steady';

type Standing = 'up' | 'wants' | 'called' | 'off' | 'back';

/** What was seen of a fleet so far, judged against the number of slots. */
export interface Watch {
  readonly slots: number;
  readonly standings: ReadonlyMap<string, Standing>;
  /** The most hosts that were down at once. */
  readonly most: number;
  /** Milliseconds from a slot that was given back while somebody waited for it to the next reboot. */
  readonly gaps: readonly number[];
  /** Moments at which such slots were given back, without a reboot since. */
  readonly freed: readonly number[];
  /** The first thing that must never happen, as a sentence without a full stop; null: it has not. */
  readonly fault: string | null;
}

/** A fleet of which nothing has been seen: all its hosts are up. */
export function newWatch(slots: number): Watch {
  return { slots, standings: new Map(), most: 0, gaps: [], freed: [], fault: null };
}

/** Hosts that are down: from the call of finalize until they have booted and were steady again. */
export function downIn({ standings }: Watch): readonly string[] {
  return [...standings].filter(([, standing]) => isDown(standing)).map(([host]) => host);
}

/** Takes one sight into account, seen at a moment in milliseconds. Sights come in the order in which they happened. */
export function see(watch: Watch, host: string, sight: Sight, at: number): Watch {
  const before = watch.standings.get(host) ?? 'up';
  const after = AFTER[sight][before] ?? before;
  const next = { ...watch, standings: new Map(watch.standings).set(host, after) };
  if (sight === 'steady' && before === 'off') return faulty(next, `${host} gave its slot back while it was down`);
  if (!isDown(before) && isDown(after)) return wentDown(next, at);
  if (isDown(before) && !isDown(after)) return cameUp(next, downIn(watch).length, at);
  return wanted(next) ? next : { ...next, freed: [] };
}

/** What each sight makes of a standing; of those that are missing it makes nothing. */
const AFTER: Readonly<Record<Sight, Readonly<Partial<Record<Standing, Standing>>>>> = {
  asks: { up: 'wants', called: 'wants' },
  calls: { up: 'called', wants: 'called' },
  rests: { wants: 'up', called: 'up' },
  shuts: { up: 'off', wants: 'off', called: 'off', back: 'off' },
  boots: { off: 'back' },
  steady: { back: 'up' },
};

function isDown(standing: Standing): boolean {
  return standing === 'called' || standing === 'off' || standing === 'back';
}

function wanted({ standings }: Watch): boolean {
  return [...standings.values()].includes('wants');
}

function wentDown(watch: Watch, at: number): Watch {
  const down = downIn(watch);
  const [freed, ...later] = watch.freed;
  const gaps = freed === undefined ? watch.gaps : [...watch.gaps, at - freed];
  const next = { ...watch, most: Math.max(watch.most, down.length), gaps, freed: later };
  if (down.length <= watch.slots) return next;
  const slots = watch.slots === 1 ? '1 slot' : `${watch.slots} slots`;
  return faulty(next, `${down.length} hosts were down at once with ${slots}: ${down.join(', ')}`);
}

/** Only a slot of a group that was full is one that others have waited for. */
function cameUp(watch: Watch, downBefore: number, at: number): Watch {
  const awaited = downBefore >= watch.slots && wanted(watch);
  return awaited ? { ...watch, freed: [...watch.freed, at] } : watch;
}

function faulty(watch: Watch, fault: string): Watch {
  return { ...watch, fault: watch.fault ?? fault };
}

/** The middle of some numbers, or null when there are none. */
export function median(numbers: readonly number[]): number | null {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}
