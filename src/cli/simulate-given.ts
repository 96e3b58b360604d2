import { parseDuration } from '../base/moment.ts';
import { oneLine } from '../base/text.ts';
import { MOMENT_EXAMPLES, parseTime } from './readers-moment.ts';
import type { SlotRule, World } from '../simulate/world.ts';

/** What the command line says about a world. */
export type Given = Pick<World, 'at' | 'until' | 'uptimeMs' | 'stageMs' | 'bootMs' | 'slot' | 'people' | 'dice'> & {
  readonly from: string;
};

/** The options as they were written. */
export type Written = Readonly<
  Record<'from' | 'at' | 'until' | 'for' | 'uptime' | 'slot' | 'dice', string | undefined>
> &
  Readonly<Record<'stage-time' | 'boot-time', string | undefined>> & { readonly people: boolean };

/** What is wrong with the command line. */
interface Wrong {
  readonly problem: string;
}

const DURATION = 'a duration such as 90s, 30m or 2d';

/** Makes sense of the options. `now` in ms since 1970. */
export function readGiven(written: Written, now: number): Given | Wrong {
  if (written.from === undefined || written.from === '') return { problem: '--from: the version that runs is missing' };
  const problems: string[] = [];
  const read = <T>(option: keyof Written, otherwise: T, expected: string, parse: (text: string) => T | null): T => {
    const text = written[option];
    if (typeof text !== 'string') return otherwise;
    const value = parse(text);
    if (value === null) problems.push(`--${option}: expected ${expected}, found '${oneLine(text, 60)}'`);
    return value ?? otherwise;
  };
  const moment = (text: string): number | null => parseTime(text, now);
  const at = read('at', now, MOMENT_EXAMPLES, moment);
  const length = read('for', parseDuration('90d') ?? 0, DURATION, parseDuration);
  const until = read('until', at + length, MOMENT_EXAMPLES, moment);
  const time = (option: keyof Written, otherwise: number): number => read(option, otherwise, DURATION, parseLength);
  const given = {
    from: written.from,
    at,
    until,
    uptimeMs: time('uptime', 86_400_000),
    stageMs: time('stage-time', 120_000),
    bootMs: time('boot-time', 120_000),
    slot: read<SlotRule>('slot', 'granted', `granted, refused or ${DURATION}`, parseSlot),
    people: written.people,
    dice: read('dice', 0.5, 'a number from 0 to below 1, such as 0.5', parseDice),
  };
  if (written.until !== undefined && written.for !== undefined)
    problems.push('--until and --for say the same: give one');
  else if (problems.length === 0 && until <= at) problems.push('--until: expected a moment after the start (--at)');
  if (until > LAST) problems.push(`expected an end before the year 9999, found one after it`);
  const [problem] = problems;
  return problem === undefined ? given : { problem };
}

/** Local times go a little further than those in UTC. */
const LAST = Date.UTC(9999, 0, 1);

/** A duration, or none at all. */
function parseLength(text: string): number | null {
  return /^0[smhdw]?$/.test(text.trim()) ? 0 : parseDuration(text);
}

function parseSlot(text: string): SlotRule | null {
  if (text === 'granted' || text === 'refused') return text;
  const freeAfterMs = parseLength(text);
  return freeAfterMs === null ? null : { freeAfterMs };
}

function parseDice(text: string): number | null {
  return /^0(\.\d{1,9})?$/.test(text) ? Number(text) : null;
}
