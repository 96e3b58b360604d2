import { defaultOf, dropPending, dropRollback, rollBack, unlock } from '../ostree.ts';
import { failed } from './errors.ts';
import type { Options } from './options.ts';
import type { Sysroot } from './sysroot.ts';
import type { Work } from './transaction.ts';

/** Unlocks the staged deployment; the daemon then reboots. The order of the checks is the real daemon's. */
export function finalizeWork(sysroot: Sysroot, options: Options): Work {
  return {
    method: 'FinalizeDeployment',
    title: options.text('initiating-command-line') ?? 'finalize-deployment',
    run: async (progress) => {
      await progress.phase('start');
      const staged = defaultOf(sysroot.folder.read());
      if (!staged.staged) throw new Error('No pending staged deployment found');
      checkExpected(options, staged.digest ?? staged.base);
      await refuseInhibited(sysroot);
      if (!staged.locked && !options.flag('allow-unlocked')) throw new Error('Staged deployment already unlocked');
      sysroot.apply(unlock);
      progress.signal('Message', `Staged deployment is unlocked: ${staged.version}`);
      await progress.phase('done');
    },
  };
}

function checkExpected(options: Options, found: string): void {
  const expected = options.text('checksum');
  if (expected === null && !options.flag('allow-missing-checksum')) throw new Error('Missing expected checksum');
  if (expected !== null && expected !== found) {
    throw new Error(`Expected staged base checksum ${expected}, but found ${found}`);
  }
}

async function refuseInhibited(sysroot: Sysroot): Promise<void> {
  const blocking = (await sysroot.inhibitors()).filter(
    ({ what, mode }) => mode === 'block' && what.split(':').includes('shutdown'),
  );
  if (blocking.length === 0) return;
  const held = blocking.map(({ who, why }) => `${who} (${why})`).join(', ');
  throw new Error(`Reboot blocked by a systemd inhibitor lock in \`block\` mode\nHeld by: ${held}`);
}

/** Removes the deployments that `elements` name. Throws, as the call does, when one is unknown. */
export function cleanupWork(sysroot: Sysroot, elements: readonly string[]): Work {
  const known = ['base', 'pending-deploy', 'rollback-deploy', 'repomd'];
  const strange = elements.find((element) => !known.includes(element));
  if (strange !== undefined) throw failed(`Invalid cleanup type: ${strange}`);
  return {
    method: 'Cleanup',
    title: 'cleanup',
    run: async (progress) => {
      await progress.phase('start');
      if (elements.includes('pending-deploy')) sysroot.apply(dropPending);
      if (elements.includes('rollback-deploy')) sysroot.apply(dropRollback);
      await progress.phase('done');
    },
  };
}

/** Makes the rollback deployment the default one. */
export function rollbackWork(sysroot: Sysroot, options: Options): Work {
  return {
    method: 'Rollback',
    title: options.text('initiating-command-line') ?? 'rollback',
    run: async (progress) => {
      await progress.phase('start');
      sysroot.apply((state) => {
        const back = rollBack(state);
        if (back === null) throw new Error('No rollback deployment found');
        return back;
      });
      await progress.phase('done');
    },
  };
}

/** Registers an update driver, which `rpm-ostree status` shows. */
export function driverWork(sysroot: Sysroot, driver: string): Work {
  return {
    method: 'register-driver',
    title: `deploy --register-driver=${driver}`,
    run: async (progress) => {
      await progress.phase('start');
      const refused = sysroot.folder.faults.take('driverRefused');
      if (refused !== null) throw new Error(refused.text);
      sysroot.apply((state) => ({ ...state, driver }));
      await progress.phase('done');
    },
  };
}

/** Refreshes package metadata: does nothing here; with the option `holdpoint-sim-hold` until it is cancelled. */
export function refreshWork(options: Options): Work {
  return {
    method: 'RefreshMd',
    title: options.text('initiating-command-line') ?? 'refresh-md',
    run: async (progress) => {
      const { cancelled } = progress;
      await progress.phase('start');
      if (!options.flag('holdpoint-sim-hold')) return;
      await new Promise((resolve) => cancelled.addEventListener('abort', resolve, { once: true }));
      cancelled.throwIfAborted();
    },
  };
}
