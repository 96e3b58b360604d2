import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGraphServer } from '../graph-server.ts';
import { createMachine } from '../machine.ts';
import type { Scenery } from '../scenery.ts';
import { Cleanup } from './cleanup.ts';
import { startEtcd } from './etcd.ts';
import type { FleetPlan, FleetResult, HostEvent } from './events.ts';
import { Fleet } from './fleet.ts';
import { type LockManager, startLockManager } from './lock-manager.ts';

/** What is to be climbed, by whom. */
export interface FleetClimbOptions {
  readonly scenery: Scenery;
  readonly plan: FleetPlan;
  /** The command of this program: `agent`, `manager serve` and `sim rpm-ostreed` are added. */
  readonly command: readonly [string, ...string[]];
  readonly onEvent: (event: HostEvent) => void;
  /** Gives up when aborted. */
  readonly signal: AbortSignal;
}

/** Seconds between two looks at the graph and at the lock manager, so that a hop is a matter of seconds. */
const CONFIG = (id: string, graphUrl: string, lockUrl: string): string => `[agent.timing]
steady_interval_secs = 1
[identity]
node_uuid = "${id}"
[cincinnati]
base_url = "${graphUrl}"
[updates]
strategy = "fleet_lock"
[updates.fleet_lock]
base_url = "${lockUrl}"
`;

/**
 * Takes simulated hosts with real agents to the newest release, with a real lock manager that says who reboots when.
 * Rejects as soon as more hosts are down at once than there are slots. Whatever happens, nothing of it is left when this
 * settles.
 */
export async function climbTogether(options: FleetClimbOptions): Promise<FleetResult> {
  const cleanup = new Cleanup();
  try {
    const folder = mkdtempSync(join(tmpdir(), 'holdpoint-demo-'));
    cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
    const fleet = new Fleet(options.plan, options.onEvent);
    const interrupted = (): void => fleet.fail(new Error('interrupted'));
    options.signal.addEventListener('abort', interrupted);
    cleanup.add(() => options.signal.removeEventListener('abort', interrupted));
    await populate(fleet, folder, cleanup, options);
    options.signal.throwIfAborted();
    fleet.start();
    return await fleet.done;
  } finally {
    await cleanup.run();
  }
}

/** Starts everything that a fleet needs, and its hosts. */
async function populate(fleet: Fleet, folder: string, cleanup: Cleanup, options: FleetClimbOptions): Promise<void> {
  const { scenery, plan, command, signal } = options;
  const server = await startGraphServer({ graph: scenery.graph });
  cleanup.add(() => server.close());
  const manager = await startManager(fleet, folder, cleanup, options);
  signal.throwIfAborted();
  cleanup.add(() => fleet.stop());
  const started = await Promise.allSettled(
    plan.hosts.map(async (name) => {
      const dir = join(folder, name);
      mkdirSync(dir);
      const machine = await createMachine({
        dir,
        graph: scenery.graph,
        stream: scenery.stream,
        basearch: scenery.basearch,
        bootedVersion: plan.from,
        command: [...command, 'sim', 'rpm-ostreed'],
        hookCommand: [...command, 'hook', 'exec'],
      });
      const id = randomUUID().replaceAll('-', '');
      fleet.add({ name, id, machine, command, config: CONFIG(id, server.url, manager.url) });
    }),
  );
  for (const one of started) if (one.status === 'rejected') throw one.reason;
}

async function startManager(
  fleet: Fleet,
  folder: string,
  cleanup: Cleanup,
  { plan, command, signal }: FleetClimbOptions,
): Promise<LockManager> {
  const etcd = plan.store === 'etcd' ? await startEtcd(folder, signal) : null;
  if (etcd !== null) {
    cleanup.add(() => etcd.stop());
    void etcd.ended.then((error) => fleet.fail(error));
  }
  const manager = await startLockManager({
    command,
    folder,
    slots: plan.slots,
    etcd: etcd?.endpoint ?? null,
    onLine: (line) => fleet.heard(line),
    signal,
  });
  cleanup.add(() => manager.stop());
  void manager.ended.then((error) => fleet.fail(error));
  return manager;
}
