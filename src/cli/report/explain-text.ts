import { answerOf, isNoOstreeHost } from '../../agent/report/answer.ts';
import type { GateReport, Report, Setting } from '../../agent/report/report.ts';
import { changesOf } from './changes.ts';
import { labelled, type Look, point, wrapped } from './layout.ts';
import type { Standing } from '../colours.ts';
import type { LocalTime } from './local-time.ts';
import {
  bootedText,
  checkText,
  closedText,
  nextText,
  orderedText,
  settingText,
  sinceText,
  targetText,
  troubleText,
} from './words.ts';

/** `holdpoint explain`: the answer, then everything that it follows from. Lines without line ends. */
export function explainLines(report: Report, time: LocalTime, look: Look): readonly string[] {
  const isNow = report.at === report.now;
  const title = (text: string): readonly string[] => ['', look.mark(text, 'title')];
  const changes = changesOf(report, time);
  // Of a moment before this boot they would say nothing, nor where the agent has nothing to do.
  const hasGates = report.notUpBefore === null && !isNoOstreeHost(report);
  return [
    ...wrapped(time.text(answerOf(report, time.near)), look.width).map((line) => look.mark(line, 'title')),
    ...title('Now'),
    ...nowLines(report, time, look),
    ...(hasGates
      ? title(
          isNow
            ? 'Gates, in the order in which they are asked'
            : `Gates at ${time.near(report.at)} (* as they are now)`,
        )
      : []),
    ...(hasGates ? report.gates.flatMap((gate) => gateLines(gate, report, time, look)) : []),
    ...(isNoOstreeHost(report) ? [] : title('Update graph')),
    ...(isNoOstreeHost(report) ? [] : graphLines(report, time, look)),
    ...(changes.length === 0 ? [] : title('What would change it')),
    ...changes.flatMap((text) => point(text, look)),
  ];
}

const COLUMN = 12;

function nowLines(report: Report, time: LocalTime, look: Look): readonly string[] {
  const row = (label: string, text: string): readonly string[] => labelled(`  ${label}`, text, COLUMN, look);
  return [
    ...row('state', sinceText(report, time)),
    ...row('runs', bootedText(report)),
    ...row('target', targetText(report)),
    ...row('next', nextText(report, time)),
    ...row('ordered', orderedText(report, time)),
    ...report.from.flatMap((setting, index) => row(index === 0 ? 'goes by' : '', settingText(setting))),
    ...report.troubles.flatMap((trouble) =>
      labelled('  error', troubleText(trouble, time, report.now), COLUMN, look, 'wrong'),
    ),
  ];
}

const MARKS: Readonly<Record<GateReport['verdict'], Standing>> = {
  open: 'good',
  closed: 'notable',
  notAsked: 'dim',
};
const WORDS: Readonly<Record<GateReport['verdict'], string>> = {
  open: 'open',
  closed: 'CLOSED',
  notAsked: 'not asked',
};

/** Where the reason of a gate begins, after the verdict and its name. */
const REASON = 26;

function gateLines(gate: GateReport, report: Report, time: LocalTime, look: Look): readonly string[] {
  const { verdict, asNow } = gate;
  const head = `  ${WORDS[verdict].padEnd(10)}${gate.gate}${asNow ? ' *' : ''}`;
  const reason = verdict === 'closed' ? closedText(gate, time, report.at) : openText(gate, time);
  return [
    ...labelled(head, reason, REASON, look, MARKS[verdict]),
    ...(gate.opens === null || gate.opensAt !== null ? [] : labelled('', `opens when ${gate.opens}`, REASON, look)),
    ...settingsOf(gate).flatMap((setting) => labelled('', settingText(setting), REASON, look)),
  ];
}

function openText({ reason, closesAt, despite }: GateReport, time: LocalTime): string {
  const otherwise = despite === null ? '' : `; else: ${time.text(despite)}`;
  return `${time.text(reason)}${closesAt === null ? '' : `, until ${time.near(closesAt)}`}${otherwise}`;
}

/** What a closed gate, or one that is passed, goes by is shown in any case, else what somebody has set. */
function settingsOf({ verdict, from, despite }: GateReport): readonly Setting[] {
  return verdict === 'closed' || despite !== null ? from : from.filter(({ set }) => set.length > 0);
}

function graphLines(report: Report, time: LocalTime, look: Look): readonly string[] {
  const { check, quarantine, skipped } = report;
  const lines = [checkText(report, time)];
  if (check !== null && check.reachesAt !== null)
    lines.push(`the rollout reaches this host at about ${time.near(check.reachesAt)}`);
  if (check?.outlook !== null && check !== null) lines.push(outlookText(check.outlook));
  for (const warning of check?.warnings ?? []) lines.push(time.text(warning));
  for (const { version, reason, until } of quarantine) {
    lines.push(`${version} is kept away until ${time.near(until)}: ${time.text(reason)}`);
  }
  for (const version of skipped) lines.push(`${version} is skipped by an administrator`);
  return lines.flatMap((line) => labelled('', line, 2, look));
}

function outlookText({
  hops,
  newest,
  barrier,
}: {
  readonly hops: number;
  readonly newest: string;
  readonly barrier: string | null;
}): string {
  const far = hops === 1 ? 'one update' : `${hops} updates`;
  return `${far} to the newest release, ${newest}${barrier === null ? '' : `; the next barrier is ${barrier}`}`;
}
