/** A unit as systemd has it at one moment. */
export interface UnitState {
  readonly name: string;
  /** Object path of the unit. */
  readonly path: string;
  /** `loaded`, `not-found`, `masked`, `error`, `bad-setting`, … */
  readonly load: string;
  /** `active`, `inactive`, `failed`, `activating`, `deactivating`, … */
  readonly active: string;
  /** Depends on the kind of unit: `running`, `exited`, `dead`, … */
  readonly sub: string;
  /** What is queued for it (`start`, `stop`, …), or null. */
  readonly job: { readonly type: string; readonly path: string } | null;
}

/** Reads one entry of what `ListUnitsByNames` answers, `(ssssssouso)`; null when it is something else. */
export function parseUnitRow(row: unknown): UnitState | null {
  if (!Array.isArray(row)) return null;
  const [name, , load, active, sub, , path, jobId, jobType, jobPath] = row as readonly unknown[];
  const texts = [name, load, active, sub, path, jobType, jobPath];
  if (!texts.every((text) => typeof text === 'string') || typeof jobId !== 'number') return null;
  const job = jobId === 0 ? null : { type: String(jobType), path: String(jobPath) };
  const [unit, state] = [String(name), { load: String(load), active: String(active), sub: String(sub) }];
  return { name: unit, path: String(path), ...state, job };
}

/** The object path of a unit: every character that is no letter or digit, and a digit at the beginning, is escaped. */
export function unitPath(name: string): string {
  const escaped = Buffer.from(name).reduce((text, byte, index) => text + escapeByte(byte, index), '');
  return `/org/freedesktop/systemd1/unit/${escaped === '' ? '_' : escaped}`;
}

function escapeByte(byte: number, index: number): string {
  const char = String.fromCharCode(byte);
  const plain = index === 0 ? /[A-Za-z]/ : /[A-Za-z0-9]/;
  return plain.test(char) ? char : `_${byte.toString(16).padStart(2, '0')}`;
}
