import type { UnitState } from './unit.ts';

/** Whether this boot has been found good; `reason` is one line for people. */
export type BootHealth =
  /** `missing`: there is no such unit, and so nothing to wait for. */
  | { readonly kind: 'healthy'; readonly missing?: true }
  | { readonly kind: 'waiting'; readonly reason: string }
  | { readonly kind: 'unhealthy'; readonly reason: string }
  /** Nobody can say at the moment. */
  | { readonly kind: 'unknown'; readonly reason: string };

const HEALTHY: BootHealth = { kind: 'healthy' };
/** States of a unit that is up. */
const UP: ReadonlySet<string> = new Set(['active', 'reloading', 'refreshing']);

/**
 * What the state of a unit says about the boot that it stands for (`boot-complete.target`). `unit` is null where there
 * is no systemd; `failed` names what it requires and has failed. Where nobody has such a unit, or it was masked, there
 * is nothing to wait for. For how long to wait is for others to say.
 */
export function judgeBoot(unit: UnitState | null, failed: readonly string[]): BootHealth {
  if (unit?.load === 'not-found') return { kind: 'healthy', missing: true };
  if (unit === null || unit.load === 'masked' || UP.has(unit.active)) return HEALTHY;
  const { name, active, load, job } = unit;
  // One that is being started may succeed now although something has failed before.
  if (job !== null && job.type !== 'stop') return { kind: 'waiting', reason: `${name} has not been reached yet` };
  if (load !== 'loaded') return { kind: 'unhealthy', reason: `${name} cannot be loaded (${load})` };
  if (active === 'failed') return { kind: 'unhealthy', reason: `${name} has failed` };
  const [first, ...more] = failed;
  if (first !== undefined && active === 'inactive') {
    const others = more.length === 0 ? '' : ` and ${more.length} more`;
    return { kind: 'unhealthy', reason: `${name} was not reached: ${first}${others} failed` };
  }
  return { kind: 'waiting', reason: `${name} has not been reached yet (${active})` };
}
