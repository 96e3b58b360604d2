import type { IncomingCall } from '../../bus/api.ts';
import { personOf } from '../machine/requester.ts';
import type { AgentState } from '../machine/state.ts';
import { denied, passwordNeeded } from './errors.ts';
import { AGENT_NAME, type Action } from './names.ts';
import type { Ask } from './questions.ts';

/**
 * Who gives an order, for people: root, or somebody whom polkit lets. Rejects with the error for the caller where that is
 * nobody: in doubt, nothing is done.
 */
export async function orderer(
  state: () => AgentState,
  ask: Ask,
  { sender, interactive, uid, gone }: Pick<IncomingCall, 'sender' | 'interactive' | 'uid' | 'gone'>,
  action: Action,
): Promise<string> {
  const caller = await uid();
  // Whoever is root needs nobody's leave, also where polkit is not there.
  if (caller === 0) return 'root';
  const answer = await ask(caller, { sender, action: `${AGENT_NAME}.${action}`, interactive, gone });
  if (gone.aborted) throw denied('whoever wanted this has left the bus');
  switch (answer.kind) {
    case 'yes':
      return personOf(state(), caller);
    case 'challenge':
      throw passwordNeeded('an administrator must confirm this with a password, or root do it (sudo)');
    case 'no':
      throw denied(`only root and those whom polkit lets (${AGENT_NAME}.${action}) may do this: ${answer.text}`);
    case 'unknown':
      throw denied(`only root may do this, since nobody knows who else: ${answer.text}`);
  }
}
