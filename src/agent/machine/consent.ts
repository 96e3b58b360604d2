import type { Instant } from '../../base/clock.ts';
import { evaluateGates } from '../gates/evaluate.ts';
import { isClosed } from '../gates/gate.ts';
import { inputsOf } from '../gates/inputs.ts';
import { CONSENT_MS } from './consent-ms.ts';
import { surprised } from './people.ts';
import type { AgentState } from './state.ts';
import { denialOf } from './target.ts';
import { isUnread } from './turn.ts';

/**
 * True while something is known to have changed, or may have, that the last reading does not show yet. Whoever is about
 * to begin a reboot waits for the reading, and asks `consentWithdrawn` then.
 */
export function isUnsettled(state: AgentState, at: Instant): boolean {
  return state.settings.around !== null && isUnread({ state, event: { at } });
}

/**
 * Why a finalize that was decided on must not begin any more, or null while consent for it holds. Asked by the shell at
 * the last moment at which nothing has begun: between the decision and that moment lie a call and a connection, which
 * take the time that rpm-ostree takes.
 */
export function consentWithdrawn(state: AgentState, at: Instant): string | null {
  const { phase, memory, settings, host, stopping, around } = state;
  if (phase.name !== 'rebooting') return 'it is no longer wanted';
  if (stopping !== null) return 'the agent is stopping';
  const closed = evaluateGates(inputsOf(state, at, null)).find(isClosed);
  if (closed !== undefined) return closed.reason;
  const denial = denialOf(memory, phase.target, at.wall);
  if (denial !== null) return denial.reason;
  // What surrounds it may have been waited for since then, and the host tells of its changes.
  if (host === null || at.mono - host.readAt > 2 * CONSENT_MS) {
    return `the host was last looked at more than ${(2 * CONSENT_MS) / 1000} s ago`;
  }
  if (isUnsettled(state, at)) return 'what surrounds the reboot is being looked at';
  if (settings.around !== null && (around === null || at.mono - around.readAt > CONSENT_MS)) {
    return `what surrounds the reboot was last looked at more than ${CONSENT_MS / 1000} s ago`;
  }
  const somebody = surprised(state, at.mono);
  return somebody === null ? null : `${somebody.user} has logged in a moment ago`;
}
