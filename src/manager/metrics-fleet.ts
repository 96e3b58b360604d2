import { Gauge, type Registry } from 'prom-client';
import type { FleetStatus, GroupStatus } from './api.ts';
import { inForce } from './document.ts';

/** Gauges of the fleet. Call it with the state at each scrape; null: it is not known. */
export function createFleetGauges(registers: Registry[]): (status: FleetStatus | null) => void {
  const configured = createConfigGauges(registers);
  const stored = GAUGES.map(({ name, help, value }) => {
    const gauge = new Gauge({ name, help, labelNames: ['group'], registers });
    return { gauge, value };
  });
  const waiters = new Gauge({
    name: 'holdpoint_manager_waiters',
    help: 'Ids that were refused and not granted since; connected: their request is being held.',
    labelNames: ['group', 'connected'],
    registers,
  });
  const unreadable = new Gauge({
    name: 'holdpoint_manager_group_unreadable',
    help: 'Whether what is stored for a group cannot be read.',
    labelNames: ['group'],
    registers,
  });
  const warnings = new Gauge({
    name: 'holdpoint_manager_store_warnings',
    help: 'What an operator should see to in the store.',
    registers,
  });
  return (status) => {
    for (const gauge of [...stored.map((one) => one.gauge), waiters, unreadable, warnings]) gauge.reset();
    if (status === null) return;
    configured(status);
    warnings.set(status.store.warnings.length);
    for (const group of status.groups) {
      unreadable.set({ group: group.name }, group.problem === null ? 0 : 1);
      if (group.problem !== null) continue;
      for (const { gauge, value } of stored) gauge.set({ group: group.name }, value(group, status));
      const { waiting, waitingConnected } = group;
      waiters.set({ group: group.name, connected: 'true' }, waitingConnected);
      waiters.set({ group: group.name, connected: 'false' }, waiting - waitingConnected);
    }
  };
}

/** What the configuration says does not go away with the store: the last that was seen is kept. */
function createConfigGauges(registers: Registry[]): (status: FleetStatus) => void {
  const groups = new Gauge({ name: 'airlock_config_groups', help: 'Groups in the configuration.', registers });
  const slots = new Gauge({
    name: 'airlock_config_semaphore_slots',
    help: 'Slots of a group as configured; a percentage as it is of the group now.',
    labelNames: ['group'],
    registers,
  });
  return (status) => {
    const configured = status.groups.filter((group) => group.configured);
    groups.set(configured.length);
    slots.reset();
    for (const group of configured) {
      const wanted = slotsWanted(group);
      if (wanted !== null) slots.set({ group: group.name }, wanted);
    }
  };
}

/** Null: a percentage that is not in force, since an administrator has set another number. */
function slotsWanted({ wanted, slots, resized, problem }: GroupStatus): number | null {
  if (/^\d+$/.test(wanted)) return Number(wanted);
  return resized || problem !== null ? null : slots;
}

interface FleetGauge {
  readonly name: string;
  readonly help: string;
  readonly value: (group: GroupStatus, status: FleetStatus) => number;
}

/** One value for each group. */
const GAUGES: readonly FleetGauge[] = [
  {
    name: 'airlock_database_semaphore_slots',
    help: 'Slots of a group in the store.',
    value: ({ slots }) => slots,
  },
  {
    name: 'airlock_database_semaphore_lock_holders',
    help: 'Slots of a group that are taken.',
    value: ({ holders }) => holders.length,
  },
  {
    name: 'holdpoint_manager_oldest_holder_age_seconds',
    help: 'Seconds for which the longest held slot of a group is held; 0 when none is.',
    value: ({ holders }, { at }) => holders.reduce((oldest, { since }) => Math.max(oldest, at - since), 0) / 1000,
  },
  {
    name: 'holdpoint_manager_stale_holders',
    help: 'Holders that have had their slot for longer than they should need.',
    value: ({ holders }) => holders.filter(({ stale }) => stale).length,
  },
  {
    name: 'holdpoint_manager_frozen',
    help: 'Whether a group is frozen, by itself or with all groups.',
    value: ({ freeze }, status) => Number((inForce(freeze, status.at) ?? inForce(status.freeze, status.at)) !== null),
  },
  {
    name: 'holdpoint_manager_halted',
    help: 'Whether too many holders of a group are stale for new grants.',
    value: ({ halted }) => Number(halted),
  },
];
