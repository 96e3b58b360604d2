import type { Instant } from '../../base/clock.ts';
import { utc } from '../../base/text.ts';
import { VERSION } from '../../base/version.ts';
import { postponableMs } from '../machine/people.ts';
import { statusLine } from '../machine/explain.ts';
import type { AgentState } from '../machine/state.ts';
import { answerOf, type Unanswered } from './answer.ts';
import { forecast } from './forecast.ts';
import { gateReports } from './gate-report.ts';
import { instantAt, wallOf } from './moment.ts';
import { nextOf } from './next.ts';
import type { Origins } from './origins.ts';
import {
  answerSettings,
  askingSince,
  bootedReport,
  checkReport,
  foreignReport,
  memoryReport,
  nextCheck,
  pauseReport,
  targetReport,
  updateNowReport,
} from './parts.ts';
import { type Report, writeReport } from './report.ts';
import { troubleReports } from './trouble-report.ts';

/**
 * All that the agent can say. `wall`: the moment, in ms since 1970, that the gates and the answer are about; left out:
 * now. For another one the gates that go by the time alone are exact, and the others are shown as they are now.
 */
export function reportOf(state: AgentState, now: Instant, origins: Origins, wall = now.wall): Report {
  const report: Unanswered = {
    version: 1,
    agentVersion: VERSION,
    now: now.wall,
    at: wall,
    state: state.phase.name,
    since: state.since.wall,
    line: statusLine(state, now),
    notUpBefore: wall < now.wall - now.mono ? now.wall - now.mono : null,
    stopping: state.stopping,
    disabled: state.phase.name === 'disabled' ? state.phase.reason : null,
    booted: bootedReport(state),
    target: targetReport(state),
    gates: gateReports(state, now, wall, origins),
    next: nextOf(state, now),
    // Of what is past nothing can be foreseen.
    reboot: wall < now.wall ? null : forecast(state, instantAt(now, wall)),
    source: state.settings.source,
    check: checkReport(state),
    nextCheck: nextCheck(state, now),
    asking: askingSince(state, now),
    from: answerSettings(state, origins),
    troubles: troubleReports(state, now),
    ...memoryReport(state, now.wall),
    pause: pauseReport(state.memory, now.wall),
    postponeAllowedSecs: Math.floor(postponableMs(state) / 1000),
    updateNow: updateNowReport(state.memory, now.wall),
    drivers: state.drivers.map(({ name, advice }) => ({ name, advice })),
    foreign: foreignReport(state),
    running: runningReport(state, now),
  };
  return { ...report, answer: answerOf(report, utc) };
}

/** The same as JSON; `wall` null: now. */
export function reportJson(state: AgentState, now: Instant, origins: Origins, wall: number | null): string {
  return writeReport(reportOf(state, now, origins, wall ?? now.wall));
}

function runningReport({ running }: AgentState, at: Instant): Report['running'] {
  return running === null ? null : { event: running.event, since: wallOf(running.since, at) ?? at.wall };
}
