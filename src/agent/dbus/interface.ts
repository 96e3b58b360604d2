import type { ExportedInterface } from '../../bus/api.ts';
import { explainMethod } from './explain.ts';
import { AGENT_NAME } from './names.ts';
import { orderMethods } from './order-methods.ts';
import { postponeMethod } from './postpone.ts';
import { agentProperties } from './properties.ts';
import type { AgentView, Authorize } from './view.ts';

/** The interface `io.github.holdpoint.Agent1`. Its documentation is also what introspection shows. */
export function agentInterface(view: AgentView, authorize: Authorize): ExportedInterface {
  return {
    name: AGENT_NAME,
    doc: 'The Holdpoint agent of this host. Whatever changes something is checked against the user who calls.',
    methods: {
      Explain: explainMethod(view),
      ...orderMethods(view, authorize),
      Postpone: postponeMethod(view),
    },
    properties: agentProperties(view),
  };
}
