import { duration } from '../../base/text.ts';
import type { Person } from './around.ts';
import { closed, type GateVerdict, open } from './gate.ts';
import type { GateInputs } from './inputs.ts';

/** Who is logged in gets time before the reboot, once. */
export function peopleGate({ at, settings, around, courtesy, memory }: GateInputs): GateVerdict {
  const rules = settings.around?.people ?? null;
  if (rules === null || around === null) return open('people');
  if (around.people === null) return unreadableGate(at.mono, rules.unreadableMs, courtesy.unreadableSince);
  if (around.people.length === 0) return open('people');
  const { graceUntil } = memory;
  const here = hereText(around.people);
  if (graceUntil === null) {
    return closed(
      'people',
      `${here}; they get ${duration(rules.graceMs)} once everything else allows the reboot`,
      OPENS,
    );
  }
  if (graceUntil <= at.mono) return open('people');
  const left = duration(graceUntil - at.mono);
  return {
    ...closed('people', `${here}; they are given time to finish`, OPENS, graceUntil),
    opens: `${OPENS}, or ${left}`,
    opensAt: at.wall + graceUntil - at.mono,
  };
}

const OPENS = 'their leaving';

/** In doubt somebody is here; but not for ever. */
function unreadableGate(mono: number, unreadableMs: number, since: number | null): GateVerdict {
  const until = (since ?? mono) + unreadableMs;
  if (until <= mono) return open('people');
  const reason = `nobody knows who is logged in (logind cannot be read): somebody may be, for ${duration(until - mono)} at most`;
  return closed('people', reason, 'an answer of logind', until);
}

const MOST_NAMED = 3;

/** `ann (pts/0) and bob (tty1) are logged in`. */
export function hereText(people: readonly Person[]): string {
  const names = people.slice(0, MOST_NAMED).map(({ user, where }) => (where === '' ? user : `${user} (${where})`));
  const more = people.length > MOST_NAMED ? [`${people.length - MOST_NAMED} more`] : [];
  const all = [...names, ...more];
  const text = all.length === 1 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} and ${all.at(-1) ?? ''}`;
  return `${text} ${people.length === 1 ? 'is' : 'are'} logged in`;
}
