import type { Bus } from '../../bus/api.ts';
import { type BootHealth, judgeBoot } from './health.ts';
import { readFailedRequirements, readUnit } from './units.ts';

/**
 * Whether this boot has been found good, as the unit that stands for it says (`boot-complete.target`). Rejects when
 * systemd cannot be asked.
 */
export async function readBootHealth(bus: Bus, name: string, root = '/'): Promise<BootHealth> {
  const unit = await readUnit(bus, name, root);
  const settled = unit?.load === 'loaded' && unit.active === 'inactive' && unit.job === null;
  return judgeBoot(unit, settled ? await readFailedRequirements(bus, unit) : []);
}
