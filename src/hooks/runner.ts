import type { Bus } from '../bus/api.ts';
import { isBooted } from '../host/systemd/manager.ts';
import { readUnit } from '../host/systemd/units.ts';
import { childRunner } from './child-runner.ts';
import type { HookRunner } from './run.ts';
import { hookUnit, unitRunner } from './unit-runner.ts';

/** What decides how hooks are run. */
export interface HookRunnerOptions {
  readonly bus: Bus;
  /** The agent's run folder. */
  readonly runDir: string;
  /** As for all files that describe the host. Default `/`. */
  readonly root?: string;
}

/**
 * Runs hooks in units where systemd has the template for them, else as children. Where systemd has it and it cannot be
 * used, or systemd cannot be asked, they are not run at all: as a child, a hook would have other rights. A host that was
 * found to be without systemd needs no bus for them.
 */
export function createHookRunner({ bus, runDir, root = '/' }: HookRunnerOptions): HookRunner {
  const running = new Set<string>();
  let isWithout = false;
  return {
    prepare: async (set) => {
      // Of a template itself systemd says nothing; any instance will do.
      const unit = await readUnit(bus, hookUnit(set.event, 'any'), root).catch((error: unknown) => {
        if (isWithout && !isBooted(root)) return null;
        throw error;
      });
      isWithout = unit === null;
      if (unit === null || unit.load === 'not-found') return childRunner().prepare(set);
      if (unit.load !== 'loaded') throw new Error(`holdpoint-hook@.service cannot be used: it is ${unit.load}`);
      return unitRunner(bus, runDir, running).prepare(set);
    },
  };
}
