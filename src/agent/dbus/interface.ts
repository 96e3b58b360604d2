import type { Clock } from '../../base/clock.ts';
import { BusError, type ExportedInterface, type IncomingCall } from '../../bus/api.ts';
import { type Postponement, mayPostpone, postponableMs } from '../machine/people.ts';
import { requester } from '../machine/requester.ts';
import type { AgentState } from '../machine/state.ts';
import { AGENT_NAME, POSTPONE_SECS } from './names.ts';

/** The agent as its interface on the bus shows it. */
export interface AgentView {
  readonly clock: Clock;
  readonly state: () => AgentState;
  /** The status line, as it was shown last. */
  readonly line: () => string;
  /** Postpones the reboot on behalf of somebody who may. */
  readonly postpone: (by: string, forMs: number) => Postponement;
  /** The report as JSON, for a moment in ms since 1970; null: now. */
  readonly explain: (atWallMs: number | null) => Promise<string>;
}

const ERROR = 'org.freedesktop.DBus.Error';

/** The interface `io.github.holdpoint.Agent1`. Its documentation is also what introspection shows. */
export function agentInterface(view: AgentView): ExportedInterface {
  return {
    name: AGENT_NAME,
    doc: 'The Holdpoint agent of this host. Whatever changes something is checked against the user who calls.',
    methods: {
      Postpone: {
        doc:
          'Lets the reboot that is waiting wait for longer, as far as the policy of this host allows (PostponeAllowed). ' +
          'For root and for users who are logged in; others get org.freedesktop.DBus.Error.AccessDenied. ' +
          'until: seconds since 1970 until which it waits at the least; 0: it was not postponed. text: what came of it, for people.',
        in: [{ name: 'seconds', type: 't' }],
        out: [
          { name: 'until', type: 'x' },
          { name: 'text', type: 's' },
        ],
        handle: (call) => postpone(view, call),
      },
      Explain: {
        doc:
          'What holdpoint explain and status show, as JSON (docs/status.schema.json): why this host does not reboot, every gate, what comes next. ' +
          'at: seconds since 1970 of the moment that the gates are about; 0: now.',
        in: [{ name: 'at', type: 'x' }],
        out: [{ name: 'report', type: 's' }],
        handle: async (call) => [await view.explain(momentOf(call.args[0]))],
      },
    },
    properties: {
      State: {
        doc: 'starting, disabled, watching, staging, holding, releasing or rebooting.',
        type: 's',
        get: () => view.state().phase.name,
      },
      Status: {
        doc: 'What the agent does, why, and until when: the status line. For people; its wording changes.',
        type: 's',
        get: () => view.line(),
      },
      PostponeAllowed: {
        doc: 'Seconds by which a reboot can still be postponed in this boot; 0: it cannot.',
        type: 't',
        get: () => Math.floor(postponableMs(view.state()) / 1000),
      },
    },
  };
}

async function postpone(view: AgentView, call: IncomingCall): Promise<readonly [number, string]> {
  const forMs = milliseconds(call.args[0]);
  const caller = await call.uid();
  const who = requester(view.state(), caller, view.clock());
  // What the policy allows nobody is no matter of who asks.
  if ('denied' in who && mayPostpone(view.state())) throw new BusError(`${ERROR}.AccessDenied`, who.denied);
  return answer(view.postpone('denied' in who ? '' : who.user, forMs));
}

function answer({ until, text }: Postponement): readonly [number, string] {
  return [until === null ? 0 : Math.floor(until / 1000), text];
}

/** The last second of the year 9999. */
const LAST_SECOND = 253_402_300_799;

/** Milliseconds since 1970; null: now. */
function momentOf(value: unknown): number | null {
  const seconds = Number(value);
  if (seconds >= 0 && seconds <= LAST_SECOND) return seconds === 0 ? null : seconds * 1000;
  throw new BusError(`${ERROR}.InvalidArgs`, `at: expected 0 to ${LAST_SECOND}, found ${String(value)}`);
}

function milliseconds(value: unknown): number {
  const seconds = Number(value);
  const { least, most } = POSTPONE_SECS;
  if (seconds >= least && seconds <= most) return seconds * 1000;
  throw new BusError(`${ERROR}.InvalidArgs`, `seconds: expected ${least} to ${most}, found ${String(value)}`);
}
