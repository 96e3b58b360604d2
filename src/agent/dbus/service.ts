import type { Log } from '../../base/log.ts';
import { type Bus, NOT_CONNECTED } from '../../bus/api.ts';
import { agentInterface } from './interface.ts';
import { AGENT_NAME, AGENT_PATH } from './names.ts';
import { agentProperties } from './properties.ts';
import type { AgentView, Authorize } from './view.ts';

/** The agent as others on the bus see it. */
export interface AgentService {
  /** Tells whoever watches which properties have changed since the last call. */
  readonly changed: () => void;
}

/**
 * Exports the agent's object and asks for its name, in the background and across reconnections. Without the name the
 * agent does all its work, and says that nobody can reach it.
 */
export function serveAgent(bus: Bus, view: AgentView, log: Log): AgentService {
  const authorize: Authorize = async (question) => {
    // Few hosts ever need it.
    const { checkAuthorization } = await import('../../host/polkit/authority.ts');
    return checkAuthorization(bus, question);
  };
  const exported = bus.exportObject(AGENT_PATH, [agentInterface(view, authorize)]);
  const properties = Object.entries(agentProperties(view));
  const shown = new Map(properties.map(([name, { get }]) => [name, get()]));
  ownName(bus, log);
  return {
    changed: () => {
      const different = properties.flatMap(([name, { get, same = Object.is }]) => {
        const value = get();
        return same(shown.get(name), value) ? [] : [[name, value] as const];
      });
      for (const [name, value] of different) shown.set(name, value);
      if (different.length > 0)
        exported.changed(
          AGENT_NAME,
          different.map(([name]) => name),
        );
    },
  };
}

/** Where another agent has the name, this one gets it when that one has gone. */
function ownName(bus: Bus, log: Log): void {
  let missing: string | null = null;
  bus.requestName(AGENT_NAME, { queue: true }, (state) => {
    if (state.owned) {
      log[missing === null ? 'debug' : 'info'](`on the bus as ${AGENT_NAME}`);
      missing = null;
    } else if (state.reason !== NOT_CONNECTED && state.reason !== missing) {
      // That there is no bus at all is said elsewhere.
      missing = state.reason;
      log.warn(`not on the bus as ${AGENT_NAME}, so that no command reaches it: ${missing}`);
    }
  });
}
