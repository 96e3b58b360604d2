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
    return { ok: false, exit: EXIT.failure, text: 'the agent gave an answer that cannot be understood' };
  }
}

/** Times in the zone of whoever reads. */
export function readersTime(now: number, relative = true): LocalTime {
  return localTime(now, readersOffset, relative);
}

const [NARROWEST, WIDEST] = [40, 100];

/** How this terminal, or file, shows a report. */
export function lookOf(io: Io): Look {
  return { width: Math.min(WIDEST, Math.max(NARROWEST, io.columns() ?? WIDEST)), mark: markerFor(io) };
}
