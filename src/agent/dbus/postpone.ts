import type { ExportedMethod, IncomingCall } from '../../bus/api.ts';
import { mayPostpone } from '../machine/people.ts';
import { requester } from '../machine/requester.ts';
import { durationMs } from './arguments.ts';
import { denied } from './errors.ts';
import { POSTPONE_SECS } from './names.ts';
import type { AgentView } from './view.ts';

/** The method Postpone, for whoever is logged in: polkit is not asked. */
export function postponeMethod(view: AgentView): ExportedMethod {
  return {
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
  };
}

async function postpone(view: AgentView, call: IncomingCall): Promise<readonly [number, string]> {
  const forMs = durationMs(call.args[0], POSTPONE_SECS);
  const caller = await call.uid();
  const who = requester(view.state(), caller, view.clock());
  // What the policy allows nobody is no matter of who asks.
  if ('denied' in who && mayPostpone(view.state())) throw denied(who.denied);
  const { until, text } = view.postpone('denied' in who ? '' : who.user, forMs);
  return [until === null ? 0 : Math.floor(until / 1000), text];
}
