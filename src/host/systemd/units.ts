import { type Bus } from '../../bus/api.ts';
import { errorText } from '../../base/text.ts';
import { PROPERTIES } from '../property.ts';
import { callManager, isAbsent, isBooted, MANAGER, MANAGER_PATH, readProperty, subscribe, SYSTEMD } from './manager.ts';
import { parseUnitRow, unitPath, type UnitState } from './unit.ts';

/**
 * Reads a unit; one that does not exist is `not-found`. Null where there is no systemd. Rejects when it runs this host
 * and cannot be asked, or when its answer cannot be understood.
 */
export async function readUnit(bus: Bus, name: string, root = '/'): Promise<UnitState | null> {
  const found = await readUnits(bus, [name]).catch((error: unknown) => {
    if (isAbsent(error) && !isBooted(root)) return null;
    throw new Error(`systemd cannot be asked about ${name}: ${errorText(error)}`);
  });
  if (found === null) return null;
  const [unit] = found;
  if (unit === undefined) throw new Error(`systemd says nothing of ${name}`);
  return unit;
}

/**
 * Reads the units whose names match a pattern, with `*` for anything, of those that systemd keeps in mind: all that run,
 * and some others. Rejects when it cannot be asked.
 */
export async function readUnitsLike(bus: Bus, pattern: string): Promise<readonly UnitState[]> {
  const [rows] = await callManager(bus, 'ListUnitsByPatterns', 'asas', [], [pattern]);
  return parseRows(rows);
}

/** Which of the units that this one cannot do without have failed, as their names. Rejects as `readUnit` does. */
export async function readFailedRequirements(bus: Bus, unit: UnitState): Promise<readonly string[]> {
  const lists = await Promise.all(['Requires', 'BindsTo'].map((name) => readProperty(bus, unit.path, 'Unit', name)));
  const names = lists.flat().filter((name) => typeof name === 'string');
  const units = await readUnits(bus, names.slice(0, MOST));
  return units.filter(({ active }) => active === 'failed').map(({ name }) => name);
}

/** More requirements than any target of interest has. */
const MOST = 500;

async function readUnits(bus: Bus, names: readonly string[]): Promise<readonly UnitState[]> {
  if (names.length === 0) return [];
  const [rows] = await callManager(bus, 'ListUnitsByNames', 'as', names);
  return parseRows(rows);
}

function parseRows(rows: unknown): readonly UnitState[] {
  return Array.isArray(rows) ? rows.flatMap((row: unknown) => parseUnitRow(row) ?? []) : [];
}

/** Calls `changed` whenever a unit may be in another state than before; returns the way to stop. */
export function watchUnit(bus: Bus, name: string, changed: () => void): () => void {
  const stops = [
    bus.watch({ sender: SYSTEMD, path: unitPath(name), interface: PROPERTIES, member: 'PropertiesChanged' }, changed),
    // A start that fails for want of something else leaves the unit as it was.
    bus.watch({ sender: SYSTEMD, path: MANAGER_PATH, interface: MANAGER, member: 'JobRemoved' }, ({ body }) => {
      if (body[2] === name) changed();
    }),
    // Also after a new connection. What happened in between is seen by whoever reads now.
    bus.watchOwner(SYSTEMD, (owner) => {
      if (owner !== null) void subscribe(bus).then(changed);
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
