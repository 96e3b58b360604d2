import type { Log } from '../../base/log.ts';
import { type Bus, NOT_CONNECTED } from '../../bus/api.ts';
import { type AgentView, agentInterface } from './interface.ts';
import { AGENT_NAME, AGENT_PATH } from './names.ts';

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
  const description = agentInterface(view);
  const exported = bus.exportObject(AGENT_PATH, [description]);
  const properties = Object.entries(description.properties ?? {});
  const shown = new Map(properties.map(([name, { get }]) => [name, get()]));
  ownName(bus, log);
  return {
    changed: () => {
      const different = properties.filter(([name, { get }]) => shown.get(name) !== get());
      for (const [name, { get }] of different) shown.set(name, get());
      const names = different.map(([name]) => name);
      if (names.length > 0) exported.changed(AGENT_NAME, names);
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
      log.warn(`not on the bus as ${AGENT_NAME}, so that nobody can postpone a reboot: ${missing}`);
    }
  });
}
