import { utc } from '../../base/text.ts';
import { type Memory, pauseAt } from '../machine/memory.ts';
import { changesIn } from './changes.ts';
import { type Moment, type Step, momentOf } from './moment.ts';
import { type Lasting, NOTHING_LASTS, lookForStuck } from './stuck.ts';

/** What has to be remembered from one step to the next to tell each moment once. */
export interface Watched {
  readonly lasting: Lasting;
  /** The pause in force; undefined before the first step. */
  readonly pause: Memory['pause'] | undefined;
  /** The reboot that was told of last. */
  readonly reboot: { readonly target: string | null; readonly mono: number } | null;
}

/** Nothing has been seen yet. */
export const NOTHING_WATCHED: Watched = { lasting: NOTHING_LASTS, pause: undefined, reboot: null };

/** A reboot that is refused is tried again for hours: it is told of once in this time, in milliseconds. */
const SAME_REBOOT_MS = 3_600_000;

/** The moments of one step, and what is to be remembered for the next one. `stuckMs`: 0 calls nothing stuck. */
export function momentsOf(
  watched: Watched,
  step: Step,
  stuckMs: number,
): { readonly watched: Watched; readonly moments: readonly Moment[] } {
  const { before, after, at } = step;
  const { lasting, moments: stuck } = lookForStuck(watched.lasting, after, at, stuckMs);
  const was = watched.pause === undefined ? pauseAt(before.memory, at.wall) : watched.pause;
  const pause = pauseAt(after.memory, at.wall);
  let { reboot } = watched;
  const changes = changesIn(step).filter(({ event, target }) => {
    if (event !== 'rebooting') return true;
    if (reboot?.target === target && at.mono - reboot.mono < SAME_REBOOT_MS) return false;
    reboot = { target, mono: at.mono };
    return true;
  });
  const moments = [...changes, ...pauses(step, was, pause), ...stuck];
  return { watched: { lasting, pause, reboot }, moments };
}

function pauses({ after, at }: Step, was: Memory['pause'], is: Memory['pause']): readonly Moment[] {
  if (is === null) return was === null ? [] : [momentOf(after, at, 'resumed', 'reboots go on: the pause is over')];
  if (was?.until === is.until && was.reason === is.reason) return [];
  const why = is.reason === '' ? '' : ` (${is.reason})`;
  const until = is.until === null ? 'until resumed' : `until ${utc(is.until)}`;
  return [momentOf(after, at, 'paused', `reboots are paused ${until}${why}`, { reason: is.reason })];
}
