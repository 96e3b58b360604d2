import type { Unit } from './api.ts';
import type { FaultFolder } from './faults.ts';
import { HookUnit, type HookUnitState } from './hook-unit.ts';
import type { Connection, Sent } from './wire/connection.ts';
import { WireError } from './wire/connection.ts';
import { describe } from './wire/interface.ts';
import { propertiesChanged, type Reply, type Served } from './wire/objects.ts';
import type { Incoming } from './wire/codec.ts';

/** The bus name of systemd, and the path of its manager. */
export const SYSTEMD = 'org.freedesktop.systemd1';
const SYSTEMD_PATH = '/org/freedesktop/systemd1';

const MANAGER = describe(`${SYSTEMD}.Manager`, {
  methods: {
    ListUnits: '-> a(ssssssouso) units',
    ListUnitsByNames: 'as names -> a(ssssssouso) units',
    ListUnitsByPatterns: 'as states, as patterns -> a(ssssssouso) units',
    GetUnit: 's name -> o unit',
    LoadUnit: 's name -> o unit',
    StartUnit: 's name, s mode -> o job',
    StopUnit: 's name, s mode -> o job',
    ResetFailedUnit: 's name',
    Subscribe: '',
    Unsubscribe: '',
  },
  signals: {
    JobNew: 'u id, o job, s unit',
    JobRemoved: 'u id, o job, s unit, s result',
  },
  properties: { Version: 's', SystemState: 's' },
});

const UNIT = describe(`${SYSTEMD}.Unit`, {
  properties: {
    Id: 's',
    LoadState: 's',
    ActiveState: 's',
    SubState: 's',
    Job: '(uo)',
    Requires: 'as',
    BindsTo: 'as',
  },
});

const SERVICE = describe(`${SYSTEMD}.Service`, {
  properties: { Result: 's', ExecMainCode: 'i', ExecMainStatus: 'i', StatusText: 's' },
});

/** Whoever asks for a unit that does not exist gets one that says so; this one is asked for. */
const AGENT_UNIT = 'holdpoint-agent.service';

const TEMPLATE = /^holdpoint-hook@([^/]+)\.service$/;

/** What the simulated systemd asks of its machine. */
export interface SystemdHost {
  readonly dir: string;
  readonly faults: FaultFolder;
  units(): readonly Unit[];
  /** The command of the template unit of hooks, to which the instance is added; null: there is no such unit. */
  readonly hookCommand: readonly string[] | null;
}

interface Job {
  readonly id: number;
  readonly type: string;
}

/** The systemd of one boot: units that are as they are set, and instances of one template, which really run. */
export class Systemd {
  readonly #host: SystemdHost;
  readonly #connection: Connection;
  readonly #hooks = new Map<string, HookUnit>();
  readonly #jobs = new Map<string, Job>();
  readonly #subscribers = new Set<string>();
  #shown: readonly Unit[];
  #lastJob = 0;

  constructor(host: SystemdHost, connection: Connection) {
    this.#host = host;
    this.#connection = connection;
    this.#shown = host.units();
    for (const { name, job } of this.#shown) this.#follow(name, job);
  }

  /** The objects of systemd, by path. */
  objects(): ReadonlyMap<string, readonly Served[]> {
    const units = this.#host.units();
    const names = new Set([AGENT_UNIT, ...units.map(({ name }) => name), ...this.#hooks.keys()]);
    const objects = [...names].map((name) => [pathOf(name), this.#unitObject(name)] as const);
    return new Map<string, readonly Served[]>([[SYSTEMD_PATH, [this.#manager()]], ...objects]);
  }

  /** Tells those who have subscribed what has changed in the units since this was called last. */
  unitsChanged(): void {
    const before = this.#shown;
    this.#shown = this.#host.units();
    for (const name of new Set([...before, ...this.#shown].map((unit) => unit.name))) {
      const [was, is] = [before, this.#shown].map((units) => units.find((unit) => unit.name === name));
      if (JSON.stringify(was) === JSON.stringify(is)) continue;
      const job = this.#jobs.get(name);
      this.#follow(name, is?.job);
      this.#tellUnit(name);
      if (job !== undefined && is?.job === undefined) {
        this.#tellJobRemoved(name, job, is?.active === 'active' ? 'done' : 'dependency');
      }
    }
  }

  /** Ends all that runs. */
  async stop(): Promise<void> {
    await Promise.all([...this.#hooks.values()].map((hook) => hook.kill()));
  }

  #manager(): Served {
    const asked = (call: Incoming): string => String(call.body[0]);
    return {
      spec: MANAGER,
      methods: {
        ListUnits: () => [this.#names().map(this.#row)],
        ListUnitsByNames: ({ body: [names] }) => [textsOf(names).map(this.#row)],
        ListUnitsByPatterns: ({ body: [states, patterns] }) => [this.#matching(textsOf(states), textsOf(patterns))],
        GetUnit: (call) => [pathOf(asked(call))],
        LoadUnit: (call) => [pathOf(asked(call))],
        StartUnit: (call) => this.#start(this.#permit(asked(call), 'start')),
        StopUnit: (call) => this.#stop(this.#permit(asked(call), 'stop')),
        ResetFailedUnit: (call) => this.#resetFailed(this.#permit(asked(call), 'reset-failed')),
        Subscribe: ({ sender = '' }) => {
          if (this.#subscribers.has(sender))
            throw new WireError(`${SYSTEMD}.AlreadySubscribed`, 'Client is subscribed');
          this.#subscribers.add(sender);
          return [];
        },
        Unsubscribe: ({ sender = '' }) => {
          this.#subscribers.delete(sender);
          return [];
        },
      },
      properties: () => ({ Version: '257', SystemState: 'running' }),
    };
  }

  #names(): readonly string[] {
    return [...this.#host.units().map(({ name }) => name), ...this.#hooks.keys()];
  }

  /** Units in one of the states with a name of one of the patterns, where none of them means all. */
  #matching(states: readonly string[], patterns: readonly string[]): readonly (readonly unknown[])[] {
    const globs = patterns.map((pattern) => new RegExp(`^${pattern.split('*').map(escapeGlob).join('.*')}$`));
    const rows = this.#names().map(this.#row);
    return rows.filter(([name, , ...rest]) => {
      const isOf = states.length === 0 || states.some((state) => rest.slice(0, 3).includes(state));
      return isOf && (globs.length === 0 || globs.some((glob) => glob.test(String(name))));
    });
  }

  /** What polkit says; the only units that anybody may control are those of hooks. */
  #permit(name: string, verb: string): string {
    const refused = ({ verbs }: { readonly verbs: readonly string[] }): boolean =>
      verbs.length === 0 || verbs.includes(verb);
    if (!TEMPLATE.test(name) || this.#host.faults.take('denyUnits', refused) !== null) {
      throw new WireError('org.freedesktop.DBus.Error.AccessDenied', 'Permission denied');
    }
    if (this.#host.hookCommand === null) throw new WireError(`${SYSTEMD}.NoSuchUnit`, `Unit ${name} not found.`);
    return name;
  }

  #start(name: string): Reply {
    const queued = this.#jobs.get(name);
    if (queued?.type === 'stop') {
      throw new WireError(`${SYSTEMD}.TransactionIsDestructive`, `Transaction for ${name}/start is destructive`);
    }
    if (queued !== undefined) return [jobPath(queued)];
    const job = this.#newJob(name, 'start');
    const hook = this.#hooks.get(name) ?? this.#newHook(name);
    // What has been started already is not started again: its job is done at once.
    if (hook.state.active === 'active') setImmediate(() => this.#finishJob(name, 'done'));
    else hook.start();
    return [jobPath(job)];
  }

  #stop(name: string): Reply {
    const hook = this.#hooks.get(name);
    if (hook === undefined) throw new WireError(`${SYSTEMD}.NoSuchUnit`, `Unit ${name} not loaded.`);
    if (this.#jobs.has(name)) this.#finishJob(name, 'canceled');
    const job = this.#newJob(name, 'stop');
    // After the reply, as the end of its processes is noticed.
    setImmediate(() => void hook.stop().then(() => this.#finishJob(name, 'done')));
    return [jobPath(job)];
  }

  #resetFailed(name: string): Reply {
    const hook = this.#hooks.get(name);
    if (hook === undefined) throw new WireError(`${SYSTEMD}.NoSuchUnit`, `Unit ${name} not loaded.`);
    if (hook.state.active === 'failed') this.#hooks.delete(name);
    return [];
  }

  #newHook(name: string): HookUnit {
    const command = [...(this.#host.hookCommand ?? []), TEMPLATE.exec(name)?.[1] ?? ''];
    const timeout = this.#host.faults.take('unitTimeout');
    const hook = new HookUnit({ dir: this.#host.dir, command, timeoutMs: timeout?.ms ?? null }, (state) => {
      this.#tellUnit(name);
      if (state.active === 'activating' || state.active === 'deactivating') return;
      if (this.#jobs.get(name)?.type === 'start') this.#finishJob(name, state.active === 'failed' ? 'failed' : 'done');
      // systemd forgets what is inactive, and its properties with it.
      if (state.active === 'inactive') this.#hooks.delete(name);
    });
    this.#hooks.set(name, hook);
    return hook;
  }

  #newJob(name: string, type: string): Job {
    const job = this.#follow(name, type);
    this.#tellJob('JobNew', 'uos', [job?.id ?? 0, jobPath(job), name]);
    return job ?? { id: 0, type };
  }

  #follow(name: string, type: string | undefined): Job | null {
    const known = this.#jobs.get(name);
    if (type === undefined) this.#jobs.delete(name);
    if (type === undefined || known?.type === type) return known ?? null;
    this.#lastJob += 1;
    const job = { id: this.#lastJob, type };
    this.#jobs.set(name, job);
    return job;
  }

  #finishJob(name: string, result: string): void {
    const job = this.#jobs.get(name);
    this.#jobs.delete(name);
    if (job !== undefined) this.#tellJobRemoved(name, job, result);
  }

  #tellJobRemoved(name: string, job: Job, result: string): void {
    if (this.#host.faults.take('jobSignalLost') !== null) return;
    this.#tellJob('JobRemoved', 'uoss', [job.id, jobPath(job), name, result]);
  }

  #tellJob(member: string, signature: string, body: readonly unknown[]): void {
    this.#emit({ path: SYSTEMD_PATH, interface: MANAGER.name, member, signature, body });
  }

  #tellUnit(name: string): void {
    this.#emit(propertiesChanged(pathOf(name), UNIT, this.#unitValues(name)));
  }

  /** systemd sends no signals before somebody has subscribed. */
  #emit(signal: Sent): void {
    if (this.#subscribers.size > 0) this.#connection.emit(signal);
  }

  #unit(name: string): Unit {
    const hook = this.#hooks.get(name)?.state;
    if (hook !== undefined) return { name, active: hook.active, sub: hook.sub };
    const set = this.#host.units().find((unit) => unit.name === name);
    const exists = TEMPLATE.test(name) && this.#host.hookCommand !== null;
    return set ?? { name, load: exists ? 'loaded' : 'not-found', active: 'inactive' };
  }

  #unitValues(name: string): Readonly<Record<string, unknown>> {
    const { active, sub, load = 'loaded', requires = [] } = this.#unit(name);
    const job = this.#jobs.get(name) ?? null;
    const state = { ActiveState: active, SubState: sub ?? defaultSub(active) };
    return { Id: name, LoadState: load, ...state, Job: [job?.id ?? 0, jobPath(job)], Requires: requires, BindsTo: [] };
  }

  #unitObject(name: string): readonly Served[] {
    const unit: Served = { spec: UNIT, methods: {}, properties: () => this.#unitValues(name) };
    const hook = this.#hooks.get(name);
    const { ended } = this.#unit(name);
    if (hook === undefined && ended !== undefined)
      return [unit, { spec: SERVICE, methods: {}, properties: () => serviceValues({ ...ended, text: '' }) }];
    if (hook === undefined) return [unit];
    return [unit, { spec: SERVICE, methods: {}, properties: () => serviceValues(hook.state) }];
  }

  readonly #row = (name: string): readonly unknown[] => {
    const { active, sub, load = 'loaded' } = this.#unit(name);
    const job = this.#jobs.get(name) ?? null;
    const state = [load, active, sub ?? defaultSub(active)];
    return [name, name, ...state, '', pathOf(name), job?.id ?? 0, job?.type ?? '', jobPath(job)];
  };
}

function serviceValues({
  result,
  code,
  status,
  text,
}: Pick<HookUnitState, 'result' | 'code' | 'status' | 'text'>): Readonly<Record<string, unknown>> {
  return { Result: result, ExecMainCode: code, ExecMainStatus: status, StatusText: text };
}

/** The part of a regular expression for a part of a pattern without wildcards. */
function escapeGlob(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function defaultSub(active: string): string {
  return active === 'active' ? 'running' : 'dead';
}

function jobPath(job: Job | null): string {
  return job === null ? '/' : `${SYSTEMD_PATH}/job/${job.id}`;
}

function pathOf(name: string): string {
  return `${SYSTEMD_PATH}/unit/${escape(name)}`;
}

function escape(name: string): string {
  return name.replace(/^\d|[^A-Za-z0-9]/g, (char) => `_${char.charCodeAt(0).toString(16)}`);
}
