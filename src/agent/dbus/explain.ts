import type { ExportedMethod } from '../../bus/api.ts';
import { momentMs } from './arguments.ts';
import type { AgentView } from './view.ts';

/** The method Explain, which everybody may call. */
export function explainMethod(view: AgentView): ExportedMethod {
  return {
    doc:
      'All that the agent has to say of itself, as JSON (docs/status.schema.json): every gate, why, and what would open it. ' +
      'at: seconds since 1970 of the moment for which it is to say so; 0: now. For everybody.',
    in: [{ name: 'at', type: 'x' }],
    out: [{ name: 'report', type: 's' }],
    handle: async ({ args: [at] }) => [await view.explain(momentMs(at))],
  };
}
