import type { Instant } from '../../base/clock.ts';
import { duration, utc } from '../../base/text.ts';
import { isOrdered } from '../gates/hurry.ts';
import { type Memory, pauseAt } from './memory.ts';
import type { AgentState } from './state.ts';
import { isPolling } from './watch.ts';

/** What an administrator can order. Moments in milliseconds since 1970. */
export type Order =
  /** Ask the update graph at once. */
  | { readonly kind: 'checkNow' }
  /** Update at once, and reboot without regard to time and patience, for so many milliseconds. */
  | { readonly kind: 'updateNow'; readonly forMs: number }
  /** Call off what is under way, and an `updateNow`. */
  | { readonly kind: 'cancel' }
  /** No reboots; `until` null: until `resume`. */
  | { readonly kind: 'pause'; readonly until: number | null; readonly reason: string }
  | { readonly kind: 'resume' }
  /** Keep a version away from this host. */
  | { readonly kind: 'skip'; readonly version: string }
  /** Nothing keeps a version away any more, a quarantine neither. */
  | { readonly kind: 'unskip'; readonly version: string };

/** What comes of an order. */
export interface OrderAnswer {
  /** `nothing`: it was so already, or there is nothing to be done. `refused`: it cannot be done now. */
  readonly outcome: 'done' | 'nothing' | 'refused';
  /** For whoever ordered: a clause, lower case, without a full stop. */
  readonly text: string;
}

/** Milliseconds for which a reboot that was cancelled is not tried again. */
export const CANCELLED_MS = 3_600_000;

type Answer<K extends Order['kind']> = (
  state: AgentState,
  order: Extract<Order, { kind: K }>,
  at: Instant,
) => OrderAnswer;

/** What would come of an order in this state. Says what the machine does with it, and changes nothing. */
export function answerOrder(state: AgentState, order: Order, at: Instant): OrderAnswer {
  if (state.stopping !== null) return refused('the agent is stopping');
  // The table is typed by kind; the compiler cannot see that the looked-up answer is the one of this order.
  return (ANSWERS[order.kind] as (state: AgentState, order: Order, at: Instant) => OrderAnswer)(state, order, at);
}

const TOO_LATE = ', nothing can be taken back';
const BEGUN = '; the reboot that has begun cannot be taken back';

const ANSWERS: { readonly [K in Order['kind']]: Answer<K> } = {
  checkNow: (state) => {
    if (state.settings.source !== 'graph')
      return nothing('updates are what somebody else stages (updates.source), there is no graph to ask');
    if (!state.settings.enabled) return nothing('updates are disabled (updates.enabled)');
    if (state.phase.name === 'starting') return done('the update graph is asked once the deployments have been read');
    return isPolling(state)
      ? done('the update graph is asked now')
      : nothing(`the graph is not asked: ${busyText(state)}`);
  },
  updateNow: (state, { forMs }, at) => {
    if (!state.settings.enabled) return refused('updates are disabled (updates.enabled)');
    if (state.phase.name === 'disabled') return refused(state.phase.reason);
    const pause = pauseAt(state.memory, at.wall);
    if (pause !== null) return refused(`reboots are paused${reasonText(pause)}: holdpoint resume first`);
    if (state.phase.name === 'rebooting') return nothing(`the reboot into ${state.phase.target.version} has begun`);
    if (state.settings.source === 'staged' && state.phase.name === 'watching') return nothing('nothing is staged');
    const until = utc(at.wall + forMs);
    const what = 'target' in state.phase ? state.phase.target.version : 'whatever the update graph leads to';
    const end = 'target' in state.phase ? '' : '; where the graph has nothing, that is over at once';
    return done(
      `until ${until}, the reboot into ${what} does not wait for windows, dates, uptime or people's time; ` +
        `health, a pause, inhibitors, markers, power, hooks and the slot of the fleet still count${end}`,
    );
  },
  cancel: (state, _, at) => {
    const { phase, memory, courtesy } = state;
    if (memory.goingBack !== null) return refused(`the way back to ${memory.goingBack.to} has begun${TOO_LATE}`);
    if (courtesy.goesBack)
      return nothing(
        'the host goes back to the release before, since this boot is not healthy (to keep it: holdpoint pause)',
      );
    if (phase.name === 'rebooting') return refused(`the reboot into ${phase.target.version} has begun${TOO_LATE}`);
    if (phase.name === 'releasing') {
      const again = `it is tried again in ${duration(CANCELLED_MS)} at the earliest`;
      return done(`the reboot into ${phase.target.version} is called off, ${again} (to keep it off: holdpoint pause)`);
    }
    if (isOrdered(state.memory, at.wall)) return done('"update --now" is withdrawn');
    return nothing('no reboot is under way (to keep reboots off: holdpoint pause)');
  },
  pause: ({ phase, memory }, { until }, at) => {
    if (until !== null && until <= at.wall) return refused(`${utc(until)} is past`);
    const late = phase.name === 'rebooting' || memory.goingBack !== null ? BEGUN : '';
    const end = until === null ? 'until holdpoint resume' : `until ${utc(until)}`;
    return done(`no reboots ${end}; updates are still looked for and staged${late}`);
  },
  resume: ({ memory }, _, at) =>
    pauseAt(memory, at.wall) !== null ? done('reboots are allowed again') : nothing('reboots are not paused'),
  skip: ({ memory, phase }, { version }) => {
    if (memory.skipped.includes(version)) return nothing(`${version} is skipped already`);
    const isLate = phase.name === 'rebooting' && phase.target.version === version;
    const late = isLate ? BEGUN : '';
    return done(`${version} is not applied on this host until holdpoint unskip ${version}${late}`);
  },
  unskip: ({ memory }, { version }) =>
    isKnown(memory, version) ? done(`nothing keeps ${version} away any more`) : nothing(`${version} is not skipped`),
};

function done(text: string): OrderAnswer {
  return { outcome: 'done', text };
}

function nothing(text: string): OrderAnswer {
  return { outcome: 'nothing', text };
}

function refused(text: string): OrderAnswer {
  return { outcome: 'refused', text };
}

function reasonText({ reason }: NonNullable<Memory['pause']>): string {
  return reason === '' ? '' : ` (${reason})`;
}

function isKnown({ skipped, quarantine, faults }: Memory, version: string): boolean {
  return skipped.includes(version) || [...quarantine, ...faults].some((one) => one.version === version);
}

function busyText({ phase }: AgentState): string {
  if (phase.name === 'disabled') return phase.reason;
  return 'target' in phase ? `the reboot into ${phase.target.version} is under way` : 'the agent is busy';
}
