import { duration } from '../../base/text.ts';
import type { GateReport, Report, Setting, TroubleReport } from '../../agent/report/report.ts';
import type { LocalTime } from './local-time.ts';

/** A closed gate in one clause: why, and until when or when it is tried again. */
export function closedText(gate: GateReport, time: LocalTime, now: number): string {
  const { reason, opensAt, lookAgain } = gate;
  const text = time.text(reason);
  if (opensAt !== null) return `${text}, until ${time.near(opensAt)}`;
  if (lookAgain === null || lookAgain <= now) return text;
  const again = AGAIN[gate.gate];
  return again === undefined ? text : `${text}; ${again} ${time.near(lookAgain)}`;
}

/** Gates that are tried again at a moment, which may not open them. */
const AGAIN: Readonly<Record<string, string>> = {
  refusal: 'next try at',
  slot: 'asked again at',
  hooks: 'asked again at',
  report: 'next try at',
  clock: 'at the latest at',
};

/** A key of the configuration, its value, and where it was set. */
export function settingText({ key, value, set }: Setting): string {
  const where = set.length === 0 ? 'default' : set.join(', ');
  return value === null ? `${key} is not set` : `${key} = ${value} (${where})`;
}

/** The release that runs, and how it came here. */
export function bootedText({ booted, lastBoot, state }: Report): string {
  if (booted === null && state === 'disabled') return 'no deployment of ostree';
  if (booted === null) return 'no release known';
  const how = lastBoot?.updated === true && lastBoot.version === booted.version ? ', after an update' : '';
  return `${booted.version}${commit(booted.release)}${how}`;
}

/** The release that is to be booted, and how it is staged. */
export function targetText({ target, foreign, state, next }: Report): string {
  if (target === null) return foreign === null ? '' : foreignText(foreign);
  const { version, release, staged, by, locked, progress } = target;
  if (state === 'rebooting') return `${version}${commit(release)}, being finalized`;
  const isFetched = target.waits === null && next.kind === 'stage' && next.at === null;
  const who = by === 'somebody' ? ' by somebody else' : '';
  const how = locked === true ? ', locked: only the agent boots it' : ', perhaps not locked: any reboot may boot it';
  const fetched = isFetched ? `being fetched${progress === null ? '' : ` (${progress})`}` : 'not fetched yet';
  return `${version}${commit(release)}, ${staged ? `staged${who}${how}` : fetched}`;
}

function foreignText({ version, staged }: NonNullable<Report['foreign']>): string {
  return `${version}, ${staged ? 'staged' : 'chosen'} by somebody else, left alone`;
}

function commit(release: string): string {
  return release === '' ? '' : ` (${release})`;
}

/** What happens next, and when. */
export function nextText({ next }: Report, time: LocalTime): string {
  const text = time.text(next.text);
  return next.at === null ? text : `${text} at ${time.near(next.at)}`;
}

/** The last look at the graph. */
export function checkText({ check, nextCheck, asking, source, state, now }: Report, time: LocalTime): string {
  if (source === 'staged') return 'no update server is asked (updates.source = "staged")';
  if (state === 'disabled' && check === null) return 'the update server is not asked';
  const next = nextCheck === null || nextCheck < now ? '' : `next at ${time.near(nextCheck)}`;
  const again = asking === null ? next : `being asked since ${time.near(asking)}`;
  if (check === null) return `no answer yet${again === '' ? '' : `; ${again}`}`;
  const left = check.warnings.length === 0 ? '' : `; ${check.warnings.length} of it left out`;
  return `${time.near(check.at)}: ${time.text(check.text)}${left}${again === '' ? '' : `; ${again}`}`;
}

/** A streak of errors: what, how often, since when, and the next try. */
export function troubleText(trouble: TroubleReport, time: LocalTime, now: number): string {
  const { what, text, count, since, nextTry } = trouble;
  const times = count === 1 ? 'since' : `${count} times since`;
  const next = nextTry === null || nextTry <= now ? '' : `, next try at ${time.near(nextTry)}`;
  const said = text.startsWith(what) ? time.text(text) : `${what}: ${time.text(text)}`;
  return `${said}; ${times} ${time.at(since)}${next}`;
}

/** The pause of an administrator. */
export function pauseText({ pause }: Report, time: LocalTime): string {
  if (pause === null) return '';
  const { until, reason, by, since } = pause;
  const who = `by ${by ?? 'somebody'}${since === null ? '' : ` since ${time.at(since)}`}`;
  const why = reason === '' ? '' : `: ${reason}`;
  return `${who}, ${until === null ? 'until it is resumed' : `until ${time.near(until)}`}${why}`;
}

/** The order of an administrator that is in force. */
export function orderedText({ updateNow }: Report, time: LocalTime): string {
  return updateNow === null ? '' : `the update now, by ${updateNow.by}, until ${time.near(updateNow.until)}`;
}

/** Lock managers that do not know yet that this host is steady. */
export function owedTexts({ owed }: Report): readonly string[] {
  return owed.map(({ server, group, slot }) => {
    const what = slot
      ? `the slot of group ${group} is to be given back`
      : `group ${group} is to be told that this host is steady`;
    return `${what} (${server})`;
  });
}

/** How long the agent has been in its state. */
export function sinceText({ state, since, now }: Report, time: LocalTime): string {
  return `${state} since ${time.at(since)} (for ${duration(now - since)})`;
}
