import { callAgent } from '../agent-call.ts';
import { EXIT, type Io } from '../command.ts';
import type { Report } from '../../agent/report/report.ts';
import { markerFor } from '../colours.ts';
import { readersOffset } from '../readers-moment.ts';
import type { Look } from './layout.ts';
import { type LocalTime, localTime } from './local-time.ts';

/** The agent's report, or why there is none. */
export type Answered =
  { readonly ok: true; readonly report: Report } | { readonly ok: false; readonly exit: number; readonly text: string };

/** Asks the agent for its report about a moment in ms since 1970, to the second; null: now. */
export async function askForReport(
  { env }: Pick<Io, 'env'>,
  address: string | undefined,
  wall: number | null,
): Promise<Answered> {
  const body = [BigInt(wall === null ? 0 : Math.max(1, Math.floor(wall / 1000)))];
  const called = await callAgent({ address, env, member: 'Explain', signature: 'x', body });
  return called.ok ? readAnswer(called.body) : called;
}

/** What the agent's `Explain` has answered. */
export async function readAnswer([json]: readonly unknown[]): Promise<Answered> {
  const { readReport } = await import('../../agent/report/report.ts');
  try {
    return { ok: true, report: readReport(String(json)) };
  } catch {
    const text = (await newerText(String(json))) ?? 'the agent gave an answer that cannot be understood';
    return { ok: false, exit: EXIT.failure, text };
  }
}

/** What to do about a report of a format that this command does not know; null when it is none. */
async function newerText(json: string): Promise<string | null> {
  const { oneLine } = await import('../../base/text.ts');
  try {
    const report = JSON.parse(json) as { readonly version?: unknown; readonly agentVersion?: unknown } | null;
    if (typeof report?.version !== 'number' || report.version <= KNOWN) return null;
    const { agentVersion } = report;
    const which = typeof agentVersion === 'string' ? ` (${oneLine(agentVersion, 40)})` : '';
    return `the agent is newer than this command${which}: use the command of its version`;
  } catch {
    return null;
  }
}

/** The version of the report's format that this command knows. */
const KNOWN = 1;

/** Times in the zone of whoever reads. */
export function readersTime(now: number, relative = true): LocalTime {
  return localTime(now, readersOffset, relative);
}

const [NARROWEST, WIDEST] = [40, 100];

/** How this terminal, or file, shows a report. */
export function lookOf(io: Io): Look {
  return { width: Math.min(WIDEST, Math.max(NARROWEST, io.columns() ?? WIDEST)), mark: markerFor(io) };
}
