import type { Clock } from './clock.ts';

const EVERY_MS = 60_000;

/**
 * Says what others can cause as often as they like at most once a minute, with how many there were that were not said.
 * What comes last is said with the next one.
 */
export function seldom(clock: Clock, say: (text: string) => void): (text: string) => void {
  let last = -Infinity;
  let unsaid = 0;
  return (text) => {
    const { mono } = clock();
    if (mono - last < EVERY_MS) {
      unsaid += 1;
      return;
    }
    say(unsaid === 0 ? text : `${text} (and ${unsaid} more before it)`);
    last = mono;
    unsaid = 0;
  };
}
