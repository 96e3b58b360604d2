import type { Argument, ExportedMethod } from '../../bus/api.ts';
import type { Order } from '../machine/orders.ts';
import { durationMs, pauseEnd, reasonOf, versionOf } from './arguments.ts';
import { type Action, NO_END, UPDATE_SECS } from './names.ts';
import { type Ask, fewAtOnce } from './questions.ts';
import type { AgentView, Authorize } from './view.ts';
import { orderer } from './who-may.ts';

interface OrderMethod {
  readonly doc: string;
  readonly action: Action;
  readonly in?: readonly Argument[];
  /** The order that is given. `wall`: ms since 1970. Throws InvalidArgs. */
  readonly order: (args: readonly unknown[], wall: number) => Order;
}

const VERSION: readonly Argument[] = [{ name: 'version', type: 's' }];

const METHODS: Readonly<Record<string, OrderMethod>> = {
  CheckNow: {
    doc: 'Asks the update graph at once. Checking tells when the answer is there, LastCheckResult what it was.',
    action: 'check',
    order: () => ({ kind: 'checkNow' }),
  },
  UpdateNow: {
    doc:
      `An administrator consents to the reboot now, for so many seconds (${UPDATE_SECS.least} to ${UPDATE_SECS.most}): ` +
      'it waits neither for a time nor for people to finish, and for everything else. The update graph is asked at once, too; where it has nothing, that ends the consent.',
    action: 'update',
    in: [{ name: 'seconds', type: 't' }],
    order: ([seconds]) => ({ kind: 'updateNow', forMs: durationMs(seconds, UPDATE_SECS) }),
  },
  Cancel: {
    doc: 'Takes back the consent of UpdateNow, and calls off a reboot that is about to come, as long as that can be done.',
    action: 'cancel',
    order: () => ({ kind: 'cancel' }),
  },
  Pause: {
    doc:
      'No reboot until a moment, in seconds since 1970, or until Resume ' +
      `(${NO_END}); releases are still fetched and staged. reason: why, for people, may be empty.`,
    action: 'pause',
    in: [
      { name: 'until', type: 'x' },
      { name: 'reason', type: 's' },
    ],
    order: ([until, reason], wall) => ({ kind: 'pause', until: pauseEnd(until, wall), reason: reasonOf(reason) }),
  },
  Resume: {
    doc: 'Ends a pause.',
    action: 'pause',
    order: () => ({ kind: 'resume' }),
  },
  Skip: {
    doc: 'Keeps a version away from this host for good; if the agent has staged it, it is removed.',
    action: 'skip',
    in: VERSION,
    order: ([version]) => ({ kind: 'skip', version: versionOf(version) }),
  },
  Unskip: {
    doc: 'Lets this host take a version that was skipped, or that is in quarantine.',
    action: 'skip',
    in: VERSION,
    order: ([version]) => ({ kind: 'unskip', version: versionOf(version) }),
  },
};

/** The methods that order something. Each looks at its arguments, then at who calls, and only then at what can be done. */
export function orderMethods(view: AgentView, authorize: Authorize): Readonly<Record<string, ExportedMethod>> {
  const ask = fewAtOnce(authorize);
  const methods = Object.entries(METHODS).map(([name, method]) => [name, exported(view, ask, method)] as const);
  return Object.fromEntries(methods);
}

function exported(view: AgentView, ask: Ask, method: OrderMethod): ExportedMethod {
  return {
    doc:
      `${method.doc} For root, and whom polkit lets (action io.github.holdpoint.Agent1.${method.action}). ` +
      'outcome: done, nothing (there was nothing to do) or refused. text: what came of it, for people.',
    in: method.in ?? [],
    out: [
      { name: 'outcome', type: 's' },
      { name: 'text', type: 's' },
    ],
    handle: async (call) => {
      const order = method.order(call.args, view.clock().wall);
      const by = await orderer(view.state, ask, call, method.action);
      const { outcome, text } = view.order(order, by);
      return [outcome, text];
    },
  };
}
