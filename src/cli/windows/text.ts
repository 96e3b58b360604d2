import { duration, oneLine } from '../../base/text.ts';
import { momentText, spanText, type ZoneClock, zoneClock } from '../local-time.ts';
import type { Frozen, WindowReport, WindowsReport } from './report.ts';

/** Makes something stand out on a terminal. */
export type Mark = (text: string, as: 'wrong' | 'notable' | 'good' | 'dim') => string;

const NEVER: Readonly<Record<WindowsReport['reboots'], string>> = {
  windows: 'This host reboots in these windows only.',
  anyTime: 'This host reboots at any time.',
  never: 'This host never reboots by itself.',
};

/** When this host may reboot, for people. */
export function windowsText(report: WindowsReport, mark: Mark): string {
  const { windows, reboots, notes, freezes, localZone } = report;
  const local = zoneClock(localZone);
  const zones = new Map([[localZone, local]]);
  for (const { zone } of windows) if (!zones.has(zone)) zones.set(zone, zoneClock(zone));
  const alike = windows.every((window) => isLocal(window, zones.get(window.zone) ?? local, local));
  const head = [
    [mark(NEVER[reboots], reboots === 'never' ? 'wrong' : 'good'), ...notes.map((note) => oneLine(note, 500))].join(
      ' ',
    ),
    ...(windows.length > 0 && alike ? [`All times are local times (${localZone}).`] : []),
  ];
  const look: Look = { mark, local, alike, at: report.at };
  const rows = [
    ...windows.map((window, index) => ({
      at: window.from,
      lines: windowLines(window, index + 1, zones.get(window.zone) ?? local, look),
    })),
    ...report.skipped.map(({ at, text, origin }) => ({
      at,
      lines: [
        `-  ${mark('skipped', 'notable')}  ${oneLine(text, 500)}`,
        ...labelled('from', origin === null ? [] : [origin]),
      ],
    })),
  ].sort((a, b) => a.at - b.at);
  const frost = reboots === 'windows' ? [] : freezes.map((freeze) => freezeLine(freeze, look));
  return [head, ...rows.map(({ lines }) => lines), ...(frost.length === 0 ? [] : [frost])]
    .map((lines) => lines.map((line) => `${line}\n`).join(''))
    .join('\n');
}

interface Look {
  readonly mark: Mark;
  readonly local: ZoneClock;
  /** Whether all windows stand on the clocks of whoever reads this. */
  readonly alike: boolean;
  readonly at: number;
}

/** Whether clocks show the same there and here, at the start and at the end. */
function isLocal({ from, to }: WindowReport, clock: ZoneClock, local: ZoneClock): boolean {
  return [from, to].every((wall) => !Number.isFinite(wall) || clock.offsetAt(wall) === local.offsetAt(wall));
}

function windowLines(window: WindowReport, number: number, clock: ZoneClock, look: Look): readonly string[] {
  const { from, to, zone } = window;
  const { mark, local, alike, at } = look;
  const name = alike ? '' : ` ${zone}`;
  const long = Number.isFinite(to - from) ? `, ${duration(to - from)}` : '';
  return [
    `${number}. ${spanText(clock, from, to)}${name}${long}  ${stateText(window, at, mark)}`,
    ...(alike
      ? []
      : labelled('local', [isLocal(window, clock, local) ? 'the same' : `${spanText(local, from, to)} ${local.zone}`])),
    ...labelled('place', placeText(window, clock)),
    ...labelled('note', window.clocks),
    ...labelled(
      'freeze',
      window.frozen.map((part) => freezeText(part, window, clock)),
    ),
    ...(window.usableMs <= 0 ? labelled('!', [mark('nothing is left of it: no reboot in this window', 'wrong')]) : []),
    ...(window.tooShort ? labelled('!', [mark(shortText(window), 'notable')]) : []),
    ...labelled('from', window.origins),
  ];
}

function stateText({ open, from, to }: WindowReport, at: number, mark: Mark): string {
  if (!open) return mark(`in ${duration(from - at)}`, 'dim');
  return mark(Number.isFinite(to) ? `OPEN for another ${duration(to - at)}` : 'OPEN', 'good');
}

function placeText({ from, place }: WindowReport, clock: ZoneClock): readonly string[] {
  if (place === null) return [];
  return [
    `this host begins at ${momentText(clock, place)}, ${duration(place - from)} into it (updates.periodic.random_place)`,
  ];
}

function freezeText({ from, to, reason, origin }: Frozen, window: WindowReport, clock: ZoneClock): string {
  const all = from <= window.from && to >= window.to;
  const part = all ? 'all of it' : spanText(clock, from, to);
  return `${part} is frozen: ${oneLine(reason)}${origin === null ? '' : ` (${oneLine(origin, 4096)})`}`;
}

function shortText({ usableMs }: WindowReport): string {
  return `${duration(usableMs)} are no longer than people who are logged in get to finish: with them, no reboot in this window`;
}

function freezeLine({ from, to, reason, origin }: Frozen, { local, at }: Look): string {
  const end = Number.isFinite(to) ? `to ${momentText(local, to)}` : 'on, for ever';
  const start = from <= at ? 'Now' : `From ${momentText(local, from)}`;
  const place = origin === null ? '' : ` (${oneLine(origin, 4096)})`;
  return `But not: ${start} ${end}, frozen: ${oneLine(reason)}${place}`;
}

/** Lines under a window, the label once. */
function labelled(label: string, texts: readonly string[]): readonly string[] {
  return texts.map((text, index) => `   ${(index === 0 ? label : '').padEnd(7)}  ${text}`);
}
