import {
  about,
  type Codec,
  fields,
  flag,
  list,
  moment,
  nullable,
  type Schema,
  text,
  whole,
  word,
} from '../../base/codec.ts';
import { isoIn, zoneClock } from '../local-time.ts';
import type { Frozen, WindowsReport } from './report.ts';

interface FrozenJson {
  readonly from: number;
  readonly to: number | null;
  readonly reason: string;
  readonly origin: string | null;
}

interface WindowJson {
  readonly from: number | null;
  readonly to: number | null;
  readonly zone: string;
  readonly fromInZone: string | null;
  readonly toInZone: string | null;
  readonly fromLocal: string | null;
  readonly toLocal: string | null;
  readonly seconds: number | null;
  readonly open: boolean;
  readonly place: number | null;
  readonly frozen: readonly FrozenJson[];
  readonly usableSeconds: number | null;
  readonly tooShort: boolean;
  readonly clocks: readonly string[];
  readonly origins: readonly string[];
}

interface WindowsJson {
  readonly version: number;
  readonly at: number;
  readonly reboots: WindowsReport['reboots'];
  readonly strategy: readonly string[];
  readonly localZone: string;
  readonly graceSeconds: number;
  readonly notes: readonly string[];
  readonly windows: readonly WindowJson[];
  readonly skipped: readonly { readonly at: number; readonly text: string; readonly origin: string | null }[];
  readonly freezes: readonly FrozenJson[];
}

const SECONDS = whole(0, Number.MAX_SAFE_INTEGER);
const ORIGIN = about('`FILE:LINE` in the configuration; null where that is not clear.', nullable(text));

const FROZEN: Codec<FrozenJson> = fields<FrozenJson>({
  from: moment,
  to: about('Null: for ever.', nullable(moment)),
  reason: text,
  origin: ORIGIN,
});

const WINDOW: Codec<WindowJson> = fields<WindowJson>({
  from: about('In UTC; null: it is open since more than a week.', nullable(moment)),
  to: about(
    'In UTC, the first moment that is not in it; null: it stays open for a month at the least.',
    nullable(moment),
  ),
  zone: about(
    'IANA name of the time zone on whose clocks it stands; the first one where several windows overlap.',
    text,
  ),
  fromInZone: about('The same as `from` on the clocks of `zone`, with its offset.', nullable(text)),
  toInZone: nullable(text),
  fromLocal: about('The same as `from` on the clocks of `localZone`, with its offset.', nullable(text)),
  toLocal: nullable(text),
  seconds: about('Its length; null: it has no end that is known.', nullable(SECONDS)),
  open: about('Whether it is open at `at`.', flag),
  place: about('Where this host begins in it (updates.periodic.random_place); null: at its start.', nullable(moment)),
  frozen: about('The parts of it that freezes take away.', list(FROZEN)),
  usableSeconds: about(
    'The longest part that is left for this host; 0: it does not reboot in this window; null: without an end.',
    nullable(SECONDS),
  ),
  tooShort: about('Whether that is no longer than people who are logged in get to finish.', flag),
  clocks: about('What a change of the clocks does to it, for people.', list(text)),
  origins: about('`FILE:LINE` of the tables that make it.', list(text)),
});

const WINDOWS: Codec<WindowsJson> = fields<WindowsJson>({
  version: about('Of this format. Fields may be added within a version.', whole(1, 1)),
  at: about('The moment from which on windows are listed.', moment),
  reboots: about(
    '`windows`: in those listed. `anyTime`: windows do not matter. `never`: there is no window, or updates are off.',
    word('windows', 'anyTime', 'never'),
  ),
  strategy: about('`updates.strategy`.', list(text)),
  localZone: about('IANA name of the time zone of whoever asked.', text),
  graceSeconds: about('Seconds that people who are logged in get to finish; 0: nobody is asked.', SECONDS),
  notes: about('What is to be said beside the windows, for people.', list(text)),
  windows: about('In order; windows that overlap or touch are one.', list(WINDOW)),
  skipped: about(
    'Windows of the configuration that do not open, because the clocks skip them.',
    list(fields({ at: about('When the clocks change.', moment), text, origin: ORIGIN })),
  ),
  freezes: about('Freezes that hold at `at` or come.', list(FROZEN)),
});

/** The published schema of what `holdpoint windows --json` prints. */
export const WINDOWS_SCHEMA: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'What `holdpoint windows --json` prints, version 1',
  ...WINDOWS.schema,
};

/** A report as JSON, with a line end. */
export function windowsJson(report: WindowsReport): string {
  const local = zoneClock(report.localZone);
  const windows = report.windows.map((window): WindowJson => {
    const { zone, open, tooShort, clocks, origins, place } = window;
    const [from, to] = [finite(window.from), finite(window.to)];
    const own = zoneClock(zone);
    return {
      ...{ from, to, zone, open, tooShort, clocks, origins, place },
      fromInZone: from === null ? null : isoIn(own, from),
      toInZone: to === null ? null : isoIn(own, to),
      fromLocal: from === null ? null : isoIn(local, from),
      toLocal: to === null ? null : isoIn(local, to),
      seconds: secondsOf(window.to - window.from),
      frozen: window.frozen.map(frozenJson),
      usableSeconds: secondsOf(window.usableMs),
    };
  });
  const { graceMs, freezes, ...rest } = report;
  const data = { ...rest, graceSeconds: graceMs / 1000, windows, freezes: freezes.map(frozenJson) };
  return `${JSON.stringify(WINDOWS.write(data), null, 2)}\n`;
}

function frozenJson({ to, ...rest }: Frozen): FrozenJson {
  return { ...rest, to: finite(to) };
}

function finite(wall: number): number | null {
  return Number.isFinite(wall) ? wall : null;
}

function secondsOf(ms: number): number | null {
  return Number.isFinite(ms) ? Math.floor(ms / 1000) : null;
}
