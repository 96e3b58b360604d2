import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readCapped } from '../base/files.ts';
import { replaceFile } from './files.ts';

/**
 * Every fault with the settings that it has when it is given none. `at` names the phase of a transaction in which the
 * fault acts: `start`, `download` (Deploy and Rebase only) or `done` (the work is done, Finished is not sent yet).
 * `method` limits it to one kind of transaction: Deploy, Rebase, FinalizeDeployment, Cleanup, Rollback, RefreshMd or
 * register-driver; empty means any.
 */
export const FAULTS = {
  /** The daemon's process is killed in the middle of a transaction. */
  die: { at: 'download', method: '' },
  /** The transaction never ends, unless it is cancelled. */
  hang: { at: 'download', method: '' },
  /** The transaction ends its streams without Finished; what it has done so far stays done, the rest is not done. */
  vanish: { at: 'done', method: '' },
  /** Bytes that are no D-Bus message arrive on the transaction's socket; the transaction goes on. */
  garbage: { at: 'start', method: '' },
  /** A local user cancels the transaction. */
  cancel: { at: 'download', method: '' },
  /** The transaction fails with this text. */
  fail: {
    at: 'download',
    method: '',
    text: "While fetching https://ostree.example/config: [7] Couldn't connect to server",
  },
  /** The daemon's process is killed when this method is called on the bus, before it answers. */
  dieInCall: { method: 'Deploy' },
  /** These methods (`RegisterClient`, `Deploy`, …; none given: every one that asks polkit) answer AccessDenied. */
  deny: { methods: [] },
  /** Another tool holds the lock of the ostree repository. */
  ostreeLocked: {},
  /** A download takes `ms` milliseconds and reports progress `steps` times. */
  slow: { ms: 1000, steps: 10 },
  /** The transaction's address is answered this many milliseconds before its socket exists. */
  lateSocket: { ms: 100 },
  /** `Start` is answered only after Finished was sent. */
  lateStart: {},
  /** Something else than what was asked for is staged: every text that is not empty replaces the real value. */
  wrongStaged: { stream: '', version: '', checksum: '' },
  /** Registration as update driver fails with this text. */
  driverRefused: { text: 'Failed to register update driver: caller is not part of a systemd unit' },
  /** The daemon takes this many milliseconds to come up. */
  slowActivation: { ms: 1000 },
  /** systemd refuses these to everybody (`start`, `stop`, `reset-failed`; none given: all of them), as polkit has it. */
  denyUnits: { verbs: [] },
  /** The units of hooks give their process this many milliseconds (TimeoutStartSec). */
  unitTimeout: { ms: 1000 },
  /** systemd does not tell that a job has ended. */
  jobSignalLost: {},
  /** A request to reboot is accepted and nothing happens. */
  rebootLost: {},
  /** logind never answers these methods: `ListSessions`, `GetAll` (of a session), `ListInhibitors`, `Get`, … */
  logindSilent: { methods: ['ListSessions', 'GetAll'] },
  /** logind answers these methods with a text that means nothing. */
  logindNonsense: { methods: ['ListSessions', 'GetAll'] },
  /** logind, or the bus before it, refuses these methods. */
  logindDenied: { methods: ['ListSessions', 'GetAll'] },
  /**
   * An unlocked staged deployment is not what the next boot shows: `discarded` (it could not be written at shutdown),
   * `not-booted` (it is the default, and an older one was chosen in the boot menu) or `rolled-back` (it booted, was
   * found unhealthy, and the host went back).
   */
  finalizeLost: { as: 'discarded' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Setting>>>>;

type Setting = string | number | readonly string[];

/** The name of a fault. */
export type FaultName = keyof typeof FAULTS;

type Wide<Value> = Value extends string ? string : Value extends number ? number : readonly string[];

/** The settings of one fault. */
export type FaultSettings<Name extends FaultName> = {
  readonly [Key in keyof (typeof FAULTS)[Name]]: Wide<(typeof FAULTS)[Name][Key]>;
};

/** A fault as it is set: what is left out has its default; without `times` it acts until it is cleared. */
export type Fault<Name extends FaultName> = Partial<FaultSettings<Name>> & { readonly times?: number };

const DEFAULTS: { readonly [Name in FaultName]: FaultSettings<Name> } = FAULTS;

/** Every fault that is set. */
export type Faults = { readonly [Name in FaultName]?: Fault<Name> };

/** The faults of one host: a file each in its folder `faults`, read whenever a fault could act. */
export class FaultFolder {
  private readonly dir: string;

  constructor(hostDir: string) {
    this.dir = join(hostDir, 'faults');
    mkdirSync(this.dir, { recursive: true });
  }

  set<Name extends FaultName>(name: Name, fault: Fault<Name>): void {
    replaceFile(this.path(name), `${JSON.stringify(fault)}\n`);
  }

  clear(name: FaultName): void {
    rmSync(this.path(name), { force: true });
  }

  /** Every fault that is set and not used up. */
  all(): Faults {
    const entries = readdirSync(this.dir)
      .map((file) => file.replace(/\.json$/, ''))
      .filter(isFaultName)
      .map((name) => [name, this.read(name)] as const);
    return Object.fromEntries(entries);
  }

  /** The fault's settings when it is set and `applies`; uses it up once. */
  take<Name extends FaultName>(
    name: Name,
    applies: (settings: FaultSettings<Name>) => boolean = () => true,
  ): FaultSettings<Name> | null {
    const fault = this.read(name);
    if (fault === null) return null;
    const settings: FaultSettings<Name> = { ...DEFAULTS[name], ...fault };
    if (!applies(settings)) return null;
    if (fault.times !== undefined) this.use(name, fault, fault.times);
    return settings;
  }

  private use<Name extends FaultName>(name: Name, fault: Fault<Name>, times: number): void {
    if (times <= 1) this.clear(name);
    else this.set(name, { ...fault, times: times - 1 });
  }

  /** Throws, naming the file, when it holds something else than settings of this fault. */
  private read<Name extends FaultName>(name: Name): Fault<Name> | null {
    const path = this.path(name);
    const text = readCapped(path, 65_536);
    if (text === null) return null;
    const value: unknown = JSON.parse(text === '' ? '{}' : text);
    if (!isFault(name, value)) {
      throw new Error(`${path}: expected an object with some of times, ${Object.keys(FAULTS[name]).join(', ')}`);
    }
    return value;
  }

  private path(name: FaultName): string {
    return join(this.dir, `${name}.json`);
  }
}

/** True for the name of a fault. */
export function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(FAULTS, name);
}

function isFault<Name extends FaultName>(name: Name, value: unknown): value is Fault<Name> {
  if (typeof value !== 'object' || value === null) return false;
  const defaults: Readonly<Record<string, Setting>> = { ...FAULTS[name], times: 1 };
  return Object.entries(value).every(([key, setting]: [string, unknown]) => {
    const model = Object.hasOwn(defaults, key) ? defaults[key] : undefined;
    return Array.isArray(model) ? Array.isArray(setting) && setting.every(isText) : typeof setting === typeof model;
  });
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}
