import type { Bus } from '../../bus/api.ts';
import { LOGIND, LOGIND_PATH, MANAGER as LOGIND_MANAGER } from '../logind/names.ts';
import { type Property, readProperty } from '../property.ts';
import { MANAGER, MANAGER_PATH, SYSTEMD } from '../systemd/manager.ts';
import { DRIVER_UNITS, type UnitState } from './judge.ts';

/**
 * Asks systemd how the units stand that may drive updates. Null where there is no systemd on the bus, or where it does
 * not answer: nothing depends on this but a warning.
 */
export async function readDriverUnits(bus: Bus): Promise<readonly UnitState[] | null> {
  try {
    const [units] = await bus.call({
      destination: SYSTEMD,
      path: MANAGER_PATH,
      interface: MANAGER,
      member: 'ListUnitsByNames',
      signature: 'as',
      body: [DRIVER_UNITS],
      timeoutMs: 5_000,
      noAutoStart: true,
    });
    return Array.isArray(units) ? units.flatMap(parseUnit) : null;
  } catch {
    return null;
  }
}

/** One entry of `a(ssssssouso)`: name, description, load state, active state, … */
function parseUnit(entry: unknown): UnitState[] {
  if (!Array.isArray(entry)) return [];
  const [name, , , activeState] = entry as readonly unknown[];
  return typeof name === 'string' && typeof activeState === 'string' ? [{ name, activeState }] : [];
}

/** Whether the host is going down, as logind says; false where it does not answer within a second. */
export async function isGoingDown(bus: Bus): Promise<boolean> {
  const value = await readProperty(bus, GOING_DOWN, { timeoutMs: 1_000, autoStart: false });
  return value === true;
}

const GOING_DOWN: Property = {
  service: LOGIND,
  path: LOGIND_PATH,
  interface: LOGIND_MANAGER,
  name: 'PreparingForShutdown',
  type: 'b',
};
