/** A power supply as the kernel describes it in sysfs; an attribute that it does not have is empty. */
export interface Supply {
  /** `Mains`, `USB`, `Battery`, `UPS`, … */
  readonly type: string;
  /** `0`: not connected; `1`, `2`: connected. */
  readonly online: string;
  /** Of batteries: `Charging`, `Discharging`, `Not charging`, `Full`, `Unknown`. */
  readonly status: string;
  /** `Device` for the battery of a mouse and the like; empty or `System` for what powers the host. */
  readonly scope: string;
  /** `0` for the empty bay of a battery. */
  readonly present: string;
  /** Of USB-C: for each port of its controller, which way power flows: `[sink] source`, the present one in brackets. */
  readonly powerRoles: readonly string[];
}

/** What powers the host; `unknown` where nothing says, as on most servers, and counts like `ac`. */
export type Power = 'ac' | 'battery' | 'unknown';

/**
 * Judges from all supplies what powers the host. Anything connected from outside decides; else a battery that is being
 * charged or discharged. A battery that does not say is taken as one that is discharged.
 */
export function judgePower(supplies: readonly Supply[]): Power {
  const relevant = supplies.filter(({ scope, present }) => scope !== 'Device' && present !== '0');
  const batteries = relevant.filter(isBattery);
  if (relevant.some((supply) => !isBattery(supply) && feeds(supply))) return 'ac';
  if (batteries.some(({ status }) => status === 'Discharging' || status === '')) return 'battery';
  return batteries.some(({ status }) => status === 'Charging') ? 'ac' : 'unknown';
}

function isBattery({ type }: Supply): boolean {
  return type === 'Battery' || type === 'UPS';
}

function feeds({ type, online, powerRoles }: Supply): boolean {
  return type !== '' && /^[1-9]\d*$/.test(online) && takesPower(powerRoles);
}

/** A USB-C port that powers somebody else's device calls itself online too. */
function takesPower(powerRoles: readonly string[]): boolean {
  const has = (role: string): boolean => powerRoles.some((roles) => roles.includes(role));
  return has('[sink]') || !has('[source]');
}
