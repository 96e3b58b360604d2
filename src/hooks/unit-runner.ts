import { join } from 'node:path';
import type { Bus } from '../bus/api.ts';
import { ensureFolder, writeAtomic } from '../base/files.ts';
import { runService, type ServiceEnd, stopServices } from '../host/systemd/service.ts';
import { formatOrder, type HookEvent, instanceOf } from './event.ts';
import { type HookEnd, judgeEnd, NOT_NOW } from './outcome.ts';
import type { HookRunner } from './run.ts';

/** The unit in which a hook runs. */
export function hookUnit(event: HookEvent, name: string): string {
  return `holdpoint-hook@${instanceOf({ event, name })}.service`;
}

/** The file in the agent's run folder that tells the units of an event's hooks what they need to know. */
export function orderFile(runDir: string, event: HookEvent): string {
  return join(runDir, `hook-${event}.json`);
}

/** What the unit's own limit may come later than the hook's: it is there for a unit that does not keep that one. */
const LATE_MS = 15_000;

/** All units of hooks, of all events. */
const HOOK_UNITS = 'holdpoint-hook@*.service';

/**
 * Runs each hook in a unit of its own, an instance of the template `holdpoint-hook@.service`. What still runs of an agent
 * that has died is stopped before: it would go on beside what is to come after it, or undo it. `running` has the units
 * of this process; all its runners share one.
 */
export function unitRunner(bus: Bus, runDir: string, running = new Set<string>()): HookRunner {
  return {
    prepare: async (set) => {
      await stopServices(bus, HOOK_UNITS, running);
      ensureFolder(runDir);
      // For all to read: a drop-in may give the units another user than root.
      writeAtomic(orderFile(runDir, set.event), formatOrder(set), 0o644);
      return async (name, signal) => {
        const limits = { timeoutMs: set.timeoutMs + LATE_MS, signal };
        const unit = hookUnit(set.event, name);
        running.add(unit);
        try {
          return judgeService(await runService(bus, unit, limits), set.timeoutMs);
        } finally {
          running.delete(unit);
        }
      };
    },
  };
}

function judgeService(end: ServiceEnd, timeoutMs: number): HookEnd {
  switch (end.kind) {
    case 'timeout':
    case 'called-off':
      return judgeEnd(end, '', timeoutMs);
    case 'success':
      if (end.status !== 0 && end.status !== NOT_NOW) return { kind: 'failed', text: `exit status ${end.status}` };
      return judgeEnd({ kind: 'exited', status: end.status }, end.text, timeoutMs);
    case 'not-run':
      return { kind: 'not-run', text: `its unit was not started: ${end.what}` };
    case 'failure':
      return { kind: 'failed', text: end.text === '' ? `its unit failed: ${end.what}` : end.text };
  }
}
