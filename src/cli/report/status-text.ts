import { answerOf, isNoOstreeHost } from '../../agent/report/answer.ts';
import type { GateReport, Report } from '../../agent/report/report.ts';
import { labelled, type Look, wrapped } from './layout.ts';
import type { LocalTime } from './local-time.ts';
import {
  bootedText,
  checkText,
  closedText,
  nextText,
  orderedText,
  owedTexts,
  pauseText,
  sinceText,
  targetText,
  troubleText,
} from './words.ts';

const COLUMN = 11;

/** `holdpoint status`: the state of the agent and every gate, short. Lines without line ends. */
export function statusLines(report: Report, time: LocalTime, look: Look): readonly string[] {
  const row = (label: string, text: string): readonly string[] => labelled(label, text, COLUMN, look, 'title');
  return [
    ...wrapped(time.text(answerOf(report, time.near)), look.width).map((line) => look.mark(line, 'title')),
    '',
    ...row('State', sinceText(report, time)),
    ...row('Runs', bootedText(report)),
    ...row('Target', targetText(report)),
    ...row('Next', nextText(report, time)),
    ...(isNoOstreeHost(report) ? [] : gateLines(report, time, look)),
    ...(isNoOstreeHost(report) ? [] : row('Checked', checkText(report, time))),
    ...besides(report, time, look),
  ];
}

function gateLines(report: Report, time: LocalTime, look: Look): readonly string[] {
  const closed = closedTogether(report.gates);
  const width = Math.max(0, ...closed.map(({ names }) => names.length)) + 2;
  const lines = closed.flatMap(({ names, gate }, index) => {
    const column = COLUMN + width;
    const head = `${(index === 0 ? 'Closed' : '').padEnd(COLUMN)}${names}`;
    return labelled(head, closedText(gate, time, report.now), column, look, 'notable');
  });
  const named = (verdict: string): string =>
    report.gates
      .filter((gate) => gate.verdict === verdict)
      .map((gate) => openName(gate, time))
      .join(', ');
  return [
    ...lines,
    ...labelled('Open', named('open'), COLUMN, look, 'good'),
    ...labelled('Not asked', named('notAsked'), COLUMN, look, 'dim'),
  ];
}

/** The closed gates, those together that are closed for the same reason: the last of them knows most about it. */
function closedTogether(
  gates: readonly GateReport[],
): readonly { readonly names: string; readonly gate: GateReport }[] {
  const closed = gates.filter(({ verdict }) => verdict === 'closed');
  return closed.flatMap((gate, index) => {
    const same = closed.filter(({ reason }) => reason === gate.reason);
    return closed.slice(index + 1).some((later) => same.includes(later))
      ? []
      : [{ names: same.map((one) => one.gate).join(', '), gate }];
  });
}

/** A gate that is not closed: of an open window until when, and whether it is an order that passes it. */
function openName({ gate, closesAt, despite }: GateReport, time: LocalTime): string {
  if (despite !== null) return `${gate} (passed)`;
  return gate === 'window' && closesAt !== null ? `${gate} (until ${time.at(closesAt)})` : gate;
}

/** What is there only now and then. */
function besides(report: Report, time: LocalTime, look: Look): readonly string[] {
  const { troubles, drivers, quarantine, skipped, postponed, running, now } = report;
  const all = (label: string, texts: readonly string[], as: 'title' | 'wrong' = 'title'): readonly string[] =>
    texts.flatMap((text, index) => labelled(index === 0 ? label : '', text, COLUMN, look, as));
  return [
    ...all(
      'Error',
      troubles.map((trouble) => `${troubleText(trouble, time, now)}. ${capital(trouble.mends)}.`),
      'wrong',
    ),
    ...all('Hooks', running === null ? [] : [`${running.event} since ${time.near(running.since)}`]),
    ...all('Pause', pauseText(report, time) === '' ? [] : [pauseText(report, time)]),
    ...all('Postponed', postponed === null ? [] : [`by ${postponed.by}, until ${time.near(postponed.until)}`]),
    ...labelled('Ordered', orderedText(report, time), COLUMN, look, 'title'),
    ...all('Owed', owedTexts(report)),
    ...all('Kept away', [
      ...quarantine.map(({ version, reason, until }) => `${version}, until ${time.near(until)}: ${time.text(reason)}`),
      ...skipped.map((version) => `${version}, until it is unskipped: skipped by an administrator`),
    ]),
    ...all(
      'Others',
      drivers.map(({ advice }) => advice),
      'wrong',
    ),
  ];
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
