import { join } from 'node:path';
import type { Bus } from '../bus/api.ts';
import { ensureFolder, writeAtomic } from '../base/files.ts';
import { runService, type ServiceEnd } from '../host/systemd/service.ts';
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

/** Runs each hook in a unit of its own, an instance of the template `holdpoint-hook@.service`. */
export function unitRunner(bus: Bus, runDir: string): HookRunner {
  return {
    prepare: (set) => {
      ensureFolder(runDir);
      // For all to read: a drop-in may give the units another user than root.
      writeAtomic(orderFile(runDir, set.event), formatOrder(set), 0o644);
      return Promise.resolve(async (name, signal) => {
        const limits = { timeoutMs: set.timeoutMs + LATE_MS, signal };
        return judgeService(await runService(bus, hookUnit(set.event, name), limits), set.timeoutMs);
      });
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
    case 'failure':
      return { kind: 'failed', text: end.text === '' ? `its unit failed: ${end.what}` : end.text };
  }
}
