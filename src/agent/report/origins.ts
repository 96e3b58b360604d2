import type { Merged } from '../../config/merge.ts';
import { formatOrigin } from '../../config/problem.ts';
import { toTomlValue } from '../../config/show.ts';
import { oneLine } from '../../base/text.ts';
import type { GateName } from '../gates/gate.ts';
import type { Setting } from './report.ts';

/** The configuration in force by its keys: each with its value and where it was set. */
export type Origins = ReadonlyMap<string, Setting>;

const LONGEST_VALUE = 60;

/** What people are told of the configuration that was loaded. */
export function originsOf(values: Merged): Origins {
  const entries = [...values].map(([key, { plain, from, adds }]): [string, Setting] => {
    const value = plain === null ? null : adds && plain instanceof Array ? count(plain.length) : toTomlValue(plain);
    return [key, { key, value: value === null ? null : oneLine(value, LONGEST_VALUE), set: from.map(formatOrigin) }];
  });
  return new Map(entries);
}

/** A list of tables does not fit on a line; where each of them is does. */
function count(entries: number): string {
  return entries === 0 ? 'none' : `${entries} ${entries === 1 ? 'entry' : 'entries'}`;
}

/** The keys that each gate goes by, the one that matters most first. */
export const GATE_KEYS: Readonly<Record<GateName | 'slot', readonly string[]>> = {
  enabled: ['updates.enabled'],
  health: ['health.unit', 'health.timeout_secs', 'health.rollback'],
  freeze: ['updates.freeze', 'updates.periodic.time_zone'],
  pause: [],
  clock: ['updates.clock_wait_secs'],
  window: [
    'updates.periodic.window',
    'updates.strategy',
    'updates.periodic.time_zone',
    'updates.periodic.random_place',
  ],
  uptime: ['updates.min_uptime_secs'],
  postponed: ['updates.sessions.postpone_secs'],
  inhibitors: ['updates.inhibitors.enabled'],
  holds: [],
  power: ['updates.power.require_ac'],
  people: [
    'updates.sessions.grace_secs',
    'updates.sessions.enabled',
    'updates.sessions.classes',
    'updates.sessions.idle_secs',
    'updates.sessions.final_notice_secs',
    'updates.sessions.unreadable_secs',
  ],
  hooks: ['hooks.dir', 'hooks.may_reboot_timeout_secs'],
  report: ['updates.fleet_lock.base_url', 'identity.group'],
  refusal: [],
  slot: ['updates.fleet_lock.base_url', 'updates.strategy', 'identity.group', 'updates.fleet_lock.wait_secs'],
};

/** What a gate goes by: the key that matters most, mostly its first, and of the others those that somebody has set. */
export function settingsFor(gate: GateName | 'slot', origins: Origins, most = GATE_KEYS[gate][0]): readonly Setting[] {
  return GATE_KEYS[gate].flatMap((key) => {
    const setting = origins.get(key);
    return setting !== undefined && (key === most || setting.set.length > 0) ? [setting] : [];
  });
}
