import type { ExportedProperty } from '../../bus/api.ts';
import { VERSION } from '../../base/version.ts';
import { gatesOf } from '../machine/explain.ts';
import { pauseAt } from '../machine/memory.ts';
import { postponableMs } from '../machine/people.ts';
import { lastCheck, lastError } from './last-check.ts';
import { NO_END } from './names.ts';
import type { AgentView } from './view.ts';

/** A property of the agent. */
export interface AgentProperty extends ExportedProperty {
  /** Whether two values are the same, so that nobody is told. Left out: when they are equal. */
  readonly same?: (before: unknown, after: unknown) => boolean;
}

/** The properties of the agent, as they are now. */
export function agentProperties(view: AgentView): Readonly<Record<string, AgentProperty>> {
  return { ...phaseProperties(view), ...gateProperties(view), ...checkProperties(view), ...otherProperties(view) };
}

function phaseProperties({ state }: AgentView): Readonly<Record<string, AgentProperty>> {
  return {
    State: {
      doc: 'starting, disabled, watching, staging, holding, releasing or rebooting.',
      type: 's',
      get: () => state().phase.name,
    },
    Since: {
      doc: 'Seconds since 1970 at which it entered this state.',
      type: 'x',
      get: () => seconds(state().since.wall),
    },
    Booted: {
      doc: 'The version that runs; empty before it is known.',
      type: 's',
      get: () => state().host?.booted?.version ?? '',
    },
    Target: {
      doc: 'The version that this host is to be updated to; empty: none.',
      type: 's',
      get: () => {
        const { phase } = state();
        return 'target' in phase ? phase.target.version : '';
      },
    },
  };
}

function gateProperties({ state, clock }: AgentView): Readonly<Record<string, AgentProperty>> {
  return {
    Gates: {
      doc:
        'What must be open for a reboot, in the order in which it is asked: name, open, why it is closed, what would open it, ' +
        'and seconds since 1970 at which it opens by itself, as far as that is known (else 0).',
      type: 'a(sbssx)',
      get: () =>
        gatesOf(state(), clock()).map((verdict) =>
          verdict.open
            ? [verdict.gate, true, '', '', 0]
            : [verdict.gate, false, verdict.reason, verdict.opens, seconds(verdict.opensAt ?? 0)],
        ),
      same: (before, after) => sameGates(before as Gates, after as Gates),
    },
    NextEvaluation: {
      doc: 'Seconds since 1970 at which the agent looks again by itself; 0: when something happens.',
      type: 'x',
      get: () => {
        const { wakeAt } = state();
        const { wall, mono } = clock();
        return wakeAt === null ? 0 : seconds(wall + wakeAt - mono);
      },
      same: sameMoment,
    },
  };
}

function checkProperties({ state }: AgentView): Readonly<Record<string, AgentProperty>> {
  return {
    Checking: {
      doc: 'Whether the update graph is being asked.',
      type: 'b',
      get: () => state().pending.fetchGraph !== undefined,
    },
    LastCheck: {
      doc: 'Seconds since 1970 at which the update graph last gave an answer that could be used; 0: it has not.',
      type: 'x',
      get: () => lastCheck(state()).at,
    },
    LastCheckResult: {
      doc:
        'What came of asking the update graph last: update, failed, newest, rollout, deadEnd, notInGraph, noPath, denied or ' +
        'downgradeRefused; empty: it was not asked yet. There may be others.',
      type: 's',
      get: () => lastCheck(state()).result,
    },
    LastCheckText: {
      doc: 'The same for people; its wording changes.',
      type: 's',
      get: () => lastCheck(state()).text,
    },
    LastError: {
      doc: 'What goes wrong at present, for people; empty: nothing. It is tried again, Status says when.',
      type: 's',
      get: () => lastError(state()),
    },
  };
}

function otherProperties({ state, clock, line }: AgentView): Readonly<Record<string, AgentProperty>> {
  return {
    Status: {
      doc: 'What the agent does, why, and until when: the status line. For people; its wording changes.',
      type: 's',
      get: () => line(),
      same: (before, after) => sameLine(String(before), String(after)),
    },
    PausedUntil: {
      doc: `Seconds since 1970 until which reboots are paused; 0: they are not; ${NO_END}: until Resume.`,
      type: 'x',
      get: () => {
        // One that is over stays in memory until the agent has something to do.
        const pause = pauseAt(state().memory, clock().wall);
        if (pause === null) return 0;
        return pause.until === null ? NO_END : seconds(pause.until);
      },
    },
    PostponeAllowed: {
      doc: 'Seconds by which a reboot can still be postponed in this boot; 0: it cannot.',
      type: 't',
      get: () => seconds(postponableMs(state())),
    },
    Version: { doc: 'The version of the agent.', type: 's', get: () => VERSION },
  };
}

type Gates = readonly (readonly [string, boolean, string, string, number])[];

function sameGates(before: Gates, after: Gates): boolean {
  return after.every(([name, open, reason, opens, at], index) => {
    const [was, wasOpen, hadReason, hadOpens, had] = before[index] ?? ['', false, '', '', 0];
    return was === name && wasOpen === open && hadReason === reason && hadOpens === opens && sameMoment(had, at);
  });
}

/** What counts from the boot is put on the clock anew each time, and may come out a second beside. */
function sameMoment(before: unknown, after: unknown): boolean {
  const [was, is] = [Number(before), Number(after)];
  return was === is || (was !== 0 && is !== 0 && Math.abs(was - is) <= 1);
}

const MOMENT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)/;

/** The moments in it may come out a second beside, too. */
function sameLine(before: string, after: string): boolean {
  const [was, is] = [before.split(MOMENT), after.split(MOMENT)];
  if (was.length !== is.length) return false;
  // With a pattern that captures, moments are at the odd places.
  return is.every((part, index) => {
    const old = was[index] ?? '';
    return index % 2 === 0 ? part === old : Math.abs(Date.parse(part) - Date.parse(old)) <= 1_000;
  });
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
