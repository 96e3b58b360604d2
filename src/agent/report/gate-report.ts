import { oneLine } from '../../base/text.ts';
import { redactUrl } from '../../config/redact.ts';
import type { Instant } from '../../base/clock.ts';
import { type GateName, type GateVerdict, isClosed } from '../gates/gate.ts';
import { hasHooks } from '../gates/surroundings.ts';
import { gatesOf } from '../machine/explain.ts';
import { sameLock } from '../machine/slot.ts';
import type { AgentState } from '../machine/state.ts';
import { GATE_WORDS, howOf, opensOf } from './gate-words.ts';
import { instantAt, thatComes, wallOf } from './moment.ts';
import { type Origins, settingsFor } from './origins.ts';
import type { GateReport } from './report.ts';
import { slotReport } from './slot-report.ts';

/** Gates of which the surroundings must have been read. */
const AROUND: ReadonlySet<GateName> = new Set(['inhibitors', 'holds', 'power', 'people', 'hooks']);
/** Gates that depend on the time alone, whatever is known of them now. */
const TIMED: ReadonlySet<GateName> = new Set(['freeze', 'clock', 'window', 'uptime', 'postponed', 'refusal']);

/**
 * Every gate in its order, and the slot of the fleet: for a moment `wall` (ms since 1970), with what is known at `now`.
 * Where both are the same nothing is "as now".
 */
export function gateReports(state: AgentState, now: Instant, wall: number, origins: Origins): readonly GateReport[] {
  const at = instantAt(now, wall);
  const isOther = wall !== now.wall;
  const local = gatesOf(state, at).map((verdict): GateReport => {
    const known = notAsked(state, verdict.gate) ?? told(state, verdict, at);
    const asNow = isOther && !isTimed(verdict);
    return { ...NOTHING, gate: verdict.gate, ...known, asNow, from: fromOf(state, verdict.gate, origins) };
  });
  const slot = { ...slotReport(state, at), asNow: isOther && state.settings.lock !== null };
  return [...local, { ...NOTHING, ...slot, gate: 'slot', from: settingsFor('slot', origins) }];
}

type Told = Pick<GateReport, 'verdict' | 'reason'> & Partial<GateReport>;

const NOTHING = { opens: null, how: null, opensAt: null, lookAgain: null, closesAt: null, despite: null };

/** A pause or a marker that says when it ends depends on the time alone. */
function isTimed(verdict: GateVerdict): boolean {
  return TIMED.has(verdict.gate) || (!verdict.open && verdict.opensAt !== undefined && verdict.gate !== 'people');
}

function notAsked(state: AgentState, gate: GateName): Told | null {
  const { settings, around, running, hooks } = state;
  if (settings.around !== null && around === null && AROUND.has(gate)) {
    return { verdict: 'notAsked', reason: 'the surroundings of this host have not been read yet' };
  }
  if (gate !== 'hooks' || !hasHooks(state, 'may-reboot')) return null;
  if (running?.event === 'may-reboot') return { verdict: 'notAsked', reason: 'the may-reboot hooks are being asked' };
  if (hooks !== null) return null;
  return { verdict: 'notAsked', reason: 'the may-reboot hooks are asked when every gate before is open' };
}

/** For a list that cannot be read other keys matter than for people. */
function fromOf({ around }: AgentState, gate: GateName, origins: Origins): GateReport['from'] {
  const isUnreadable = gate === 'people' && around?.people === null;
  return settingsFor(gate, origins, isUnreadable ? 'updates.sessions.unreadable_secs' : undefined);
}

function told(state: AgentState, verdict: GateVerdict, at: Instant): Told {
  if (!isClosed(verdict)) {
    const { despite = null } = verdict;
    const reason =
      despite === null
        ? GATE_WORDS[verdict.gate].open(state)
        : `passed by ${state.memory.order?.by ?? 'somebody'}'s update --now`;
    return { verdict: 'open', reason, closesAt: wallOf(verdict.until, at), despite };
  }
  const { opensAt = null, reason } = verdict;
  const lookAgain = verdict.gate === 'report' ? (state.troubles.report?.nextTry ?? null) : verdict.lookAgain;
  return {
    verdict: 'closed',
    reason: (verdict.gate === 'report' ? slotElsewhere(state) : null) ?? reason,
    opens: opensOf(verdict, state),
    how: howOf(verdict.gate, state),
    opensAt: thatComes(opensAt),
    lookAgain: wallOf(lookAgain, at),
  };
}

/** A slot that may be taken at a server that is not configured any more: whatever else is owed, that is the hard one. */
function slotElsewhere({ memory, settings }: AgentState): string | null {
  const { lock } = settings;
  const owed = memory.owed.find((report) => report.slot && (lock === null || !sameLock(lock, report)));
  if (owed === undefined) return null;
  const server = oneLine(redactUrl(owed.baseUrl));
  return `a slot of group ${owed.group} is still to be given back to ${server}, which is not configured any more`;
}
