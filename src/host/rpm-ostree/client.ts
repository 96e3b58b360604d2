import { Variant } from 'dbus-next/lib/variant.js';
import type { Bus, MethodCall, Peer } from '../../bus/api.ts';
import { asDict, text, type Dict } from '../../bus/dict.ts';
import type { Clock } from '../../base/clock.ts';
import { type Failure, FailureError } from '../../base/failure.ts';
import { errorText } from '../../base/text.ts';
import type { Target } from '../../graph/types.ts';
import { PROPERTIES } from '../property.ts';
import {
  type Deployment,
  type HostReading,
  type OwnStaged,
  isUntouched,
  parseReading,
  pendingDeployment,
  releaseKey,
} from './deployment.ts';
import { busFailure } from './errors.ts';
import { planDeploy } from './plan.ts';
import { type TransactionOptions, followTransaction } from './transaction.ts';

const NAME = 'org.projectatomic.rpmostree1';
const SYSROOT = '/org/projectatomic/rpmostree1/Sysroot';
const SYSROOT_INTERFACE = 'org.projectatomic.rpmostree1.Sysroot';
const OS_INTERFACE = 'org.projectatomic.rpmostree1.OS';
/** The daemon may have to be started first, which takes minutes on slow hosts. */
const CALL_MS = 180_000;
const STAGE_STALL_MS = 30 * 60_000;
const QUICK_STALL_MS = 5 * 60_000;
/** Nothing depends on the registration, and other work waits for it. */
const DRIVER_STALL_MS = 30_000;
const REGISTERING = 'registering as update driver';
const ROLLING_BACK = 'rolling back';
/** How this agent calls itself to rpm-ostree: shown as the title of a transaction and as the update driver. */
const SELF = 'holdpoint';

/** What the client needs from around it. */
export interface RpmOstreeOptions {
  readonly bus: Bus;
  readonly connectPeer: (address: string) => Promise<Peer>;
  readonly clock: Clock;
  /** Called with what works less well than it should, for example a refused registration. */
  readonly onWarning: (text: string) => void;
}

/** rpm-ostree on this host. Every method rejects with a `FailureError`. */
export interface RpmOstree {
  /** Reads all deployments, after a sync point. */
  read(): Promise<HostReading>;
  /** Fetches and stages a release, locked; resolves with the reading after it. */
  stage(target: Target, options: StageOptions): Promise<HostReading>;
  /** Removes the staged deployment if it is still this one, untouched; resolves with the reading after it. */
  discard(own: OwnStaged): Promise<HostReading>;
  /**
   * Unlocks the staged deployment and reboots; resolves when rpm-ostree has acknowledged it. Goes out at once or not at
   * all: consent does not keep. While other work of this client is under way it is refused as `transient`.
   */
  finalize(target: Target, options: FinalizeOptions): Promise<void>;
  /**
   * Makes the deployment before the booted one the default and reboots; resolves when rpm-ostree has acknowledged it.
   * Goes out at once or not at all, as `finalize`. Refused as `gone` where there is none to go back to, and as
   * `transient` where something is pending: rpm-ostree would take that away and boot the same release again.
   */
  rollback(options?: Pick<FinalizeOptions, 'withdrawn'>): Promise<void>;
  /** Shows this agent as the update driver in `rpm-ostree status`, when nothing else is under way. False if refused. */
  registerDriver(): Promise<boolean>;
  /** Calls back whenever rpm-ostree appears or says that a deployment changed; returns the way to stop. */
  watch(handler: () => void): () => void;
}

/** How a release is to be staged. */
export interface StageOptions {
  readonly allowDowngrade: boolean;
  /** The configured stream, or null. */
  readonly stream: string | null;
  readonly onProgress: (text: string) => void;
}

/** Under which consent a release is finalized. */
export interface FinalizeOptions {
  readonly allowUnlocked: boolean;
  /** Asked at the last moment at which nothing has begun yet, and waited for: why consent no longer holds, or null while it does. */
  readonly withdrawn: () => Promise<string | null>;
}

/** Opens rpm-ostree on a bus. Nothing is sent before the first call; transactions run one at a time. */
export function openRpmOstree(options: RpmOstreeOptions): RpmOstree {
  const client = new Client(options);
  return {
    read: () => client.read(),
    stage: (target, stage) => client.exclusively(`staging ${target.version}`, () => client.stage(target, stage)),
    discard: (own) => client.exclusively('removing a staged deployment', () => client.discard(own)),
    finalize: (target, options) =>
      client.atOnce(`finalizing ${target.version}`, () => client.finalize(target, options)),
    rollback: (options) => client.atOnce(ROLLING_BACK, () => client.rollback(options?.withdrawn)),
    registerDriver: () => client.exclusively(REGISTERING, () => client.registerDriver()),
    watch: (handler) => client.watch(handler),
  };
}

class Client {
  readonly #options: RpmOstreeOptions;
  readonly #warned = new Set<string>();
  /** The last full reading of a host that was booted from a deployment. */
  #last: HostReading | null = null;
  /** Whether a transaction of this client runs, and who is to be told of changes if its end shows nothing. */
  #working = false;
  #missed: (() => void) | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  /** What is under way or waits for its turn, oldest first. */
  readonly #work: string[] = [];

  constructor(options: RpmOstreeOptions) {
    this.#options = options;
  }

  /** Does work when all that was asked for before is done. */
  exclusively<T>(what: string, work: () => Promise<T>): Promise<T> {
    return this.#enqueue(what, this.#queue.then(work));
  }

  /** Does work now, or refuses it where something else is under way. */
  async atOnce<T>(what: string, work: () => Promise<T>): Promise<T> {
    const [busy] = this.#work;
    if (busy !== undefined) throw new FailureError({ class: 'transient', text: `${what}: busy: ${busy}` });
    return this.#enqueue(what, work());
  }

  #enqueue<T>(what: string, result: Promise<T>): Promise<T> {
    this.#work.push(what);
    const done = (): void => void this.#work.splice(this.#work.indexOf(what), 1);
    this.#queue = result.then(done, done);
    return result;
  }

  async read(): Promise<HostReading> {
    try {
      await this.#reload();
      // What is read is as it is after the sync point, however long that took: the daemon may have had to start.
      const readAt = this.#options.clock().mono;
      const sysroot = await this.#properties(SYSROOT, SYSROOT_INTERFACE);
      const path = text(sysroot, 'Booted') ?? '/';
      if (path === '/') return parseReading(readAt, sysroot, null);
      const properties = await this.#properties(path, OS_INTERFACE);
      const reading = parseReading(readAt, sysroot, { path, properties });
      this.#last = reading;
      return reading;
    } catch (error) {
      throw unreadable(error);
    }
  }

  /**
   * The reading after a transaction of our own. What it changed is in the properties before `Finished` was sent, so
   * that nothing need wait for the sync point; the list of all deployments stays as it was last read.
   */
  async #readAgain(): Promise<HostReading> {
    const last = this.#last;
    if (last?.osPath === undefined || last.osPath === null) return this.read();
    const readAt = this.#options.clock().mono;
    try {
      const [, properties] = await Promise.all([this.#reload(), this.#properties(last.osPath, OS_INTERFACE)]);
      const { deployments, automaticPolicy } = last;
      const reading = parseReading(readAt, {}, { path: last.osPath, properties });
      return { ...reading, deployments, automaticPolicy };
    } catch (error) {
      throw unreadable(error);
    }
  }

  async stage(target: Target, { allowDowngrade, stream, onProgress }: StageOptions): Promise<HostReading> {
    const { booted, osPath } = await this.#bootedNow();
    const plan = planDeploy(booted, target, stream);
    const options = {
      'allow-downgrade': bool(allowDowngrade),
      'lock-finalization': bool(true),
      'skip-branch-check': bool(true),
      'initiating-command-line': str(SELF),
    };
    const call: MethodCall =
      plan.method === 'Deploy'
        ? {
            path: osPath,
            interface: OS_INTERFACE,
            member: 'Deploy',
            signature: 'sa{sv}',
            body: [plan.revision, options],
          }
        : {
            path: osPath,
            interface: OS_INTERFACE,
            member: 'Rebase',
            signature: 'a{sv}sas',
            body: [plan.revision === null ? options : { ...options, revision: str(plan.revision) }, plan.refspec, []],
          };
    return this.#ownWork(async () => {
      await this.#transact(call, `staging ${target.version}`, { stallMs: STAGE_STALL_MS, onProgress });
      return this.#readAgain();
    });
  }

  async discard(own: OwnStaged): Promise<HostReading> {
    const before = await this.read();
    const pending = pendingDeployment(before);
    if (pending === null || !isUntouched(pending, own)) return before;
    const call = {
      path: bootedOf(before).osPath,
      interface: OS_INTERFACE,
      member: 'Cleanup',
      signature: 'as',
      body: [['pending-deploy']],
    };
    return this.#ownWork(async () => {
      await this.#transact(call, `removing the staged ${pending.version}`, { stallMs: QUICK_STALL_MS });
      return this.#readAgain();
    });
  }

  async finalize(target: Target, { allowUnlocked, withdrawn }: FinalizeOptions): Promise<void> {
    const what = `finalizing ${target.version}`;
    // Whoever decided on it has read the host; to read it now could take any time.
    if (this.#last === null) throw new FailureError({ ...UNREAD, text: `${what}: ${UNREAD.text}` });
    const { osPath } = bootedOf(this.#last);
    const options = {
      checksum: str(releaseKey(target).replace(/^(?:checksum|oci):/, '')),
      'allow-unlocked': bool(allowUnlocked),
      'initiating-command-line': str(SELF),
    };
    const call = {
      path: osPath,
      interface: OS_INTERFACE,
      member: 'FinalizeDeployment',
      signature: 'a{sv}',
      body: [options],
    };
    await this.#transact(call, what, { lost: 'unknown', stallMs: QUICK_STALL_MS, withdrawn });
  }

  async rollback(withdrawn?: FinalizeOptions['withdrawn']): Promise<void> {
    const reading = await this.read();
    const { osPath } = bootedOf(reading);
    const pending = pendingDeployment(reading);
    if (pending !== null) {
      const text = `${ROLLING_BACK}: ${pending.version} is pending, and the next boot takes that`;
      throw new FailureError({ class: 'transient', text });
    }
    if (reading.rollback === null) {
      throw new FailureError({ class: 'gone', text: `${ROLLING_BACK}: there is no deployment to go back to` });
    }
    const call = {
      path: osPath,
      interface: OS_INTERFACE,
      member: 'Rollback',
      signature: 'a{sv}',
      body: [{ reboot: bool(true), 'initiating-command-line': str(SELF) }],
    };
    const following = { lost: 'unknown', stallMs: QUICK_STALL_MS } as const;
    await this.#transact(call, ROLLING_BACK, { ...following, ...(withdrawn === undefined ? {} : { withdrawn }) });
  }

  async registerDriver(): Promise<boolean> {
    const options = { 'register-driver': str('Holdpoint') };
    try {
      const call = {
        path: (await this.#bootedNow()).osPath,
        interface: OS_INTERFACE,
        member: 'Deploy',
        signature: 'sa{sv}',
        body: ['', options],
      };
      await this.#transact(call, REGISTERING, { stallMs: DRIVER_STALL_MS });
      return true;
    } catch (error) {
      this.#warnOnce(`rpm-ostree does not show this agent as its update driver: ${errorText(error)}`);
      return false;
    }
  }

  watch(handler: () => void): () => void {
    const { bus } = this.#options;
    const changed = (): void => {
      // What this client's own work changes, the reading at its end shows: signals come in order with answers.
      if (this.#working) this.#missed = handler;
      else handler();
    };
    const stopSignals = bus.watch({ sender: NAME, interface: PROPERTIES, member: 'PropertiesChanged' }, (signal) => {
      const properties = asDict(signal.body[1]);
      if (properties !== undefined && DEPLOYMENT_KEYS.some((key) => Object.hasOwn(properties, key))) changed();
    });
    const stopOwner = bus.watchOwner(NAME, (owner) => {
      if (owner !== null) changed();
    });
    return () => {
      stopSignals();
      stopOwner();
    };
  }

  /** Work that ends with a reading of the host. */
  async #ownWork(work: () => Promise<HostReading>): Promise<HostReading> {
    this.#working = true;
    this.#missed = null;
    try {
      const reading = await this.#registered(work);
      this.#missed = null;
      return reading;
    } finally {
      this.#working = false;
      this.#tellMissed();
    }
  }

  #tellMissed(): void {
    this.#missed?.();
    this.#missed = null;
  }

  /** Holds the daemon for the time of some work, so that it does not exit between a transaction and the look after it. */
  async #registered<T>(work: () => Promise<T>): Promise<T> {
    const call = { path: SYSROOT, interface: SYSROOT_INTERFACE, signature: 'a{sv}', body: [{ id: str(SELF) }] };
    // The bus keeps the order of calls: the work need not wait for the answer.
    const registered = this.#call({ ...call, member: 'RegisterClient' }).then(
      () => true,
      (error: unknown) => {
        this.#warnOnce(`rpm-ostree does not register this agent as a client: ${errorText(error)}`);
        return false;
      },
    );
    try {
      return await work();
    } finally {
      void registered.then((held) => {
        if (held) this.#call({ ...call, member: 'UnregisterClient', noAutoStart: true }).catch(() => undefined);
      });
    }
  }

  /** Calls a method that answers with a transaction's address, and follows that transaction to its end. */
  async #transact(
    call: MethodCall,
    what: string,
    {
      lost = 'transient',
      stallMs,
      onProgress = (): void => undefined,
      withdrawn = (): Promise<null> => Promise.resolve(null),
    }: Following,
  ): Promise<void> {
    const [address] = await this.#call(call).catch((error: unknown) => {
      throw new FailureError(busFailure(error, what, lost));
    });
    if (typeof address !== 'string') {
      throw new FailureError({ class: lost, text: `${what}: rpm-ostree answered without a transaction's address` });
    }
    const peer = await this.#options.connectPeer(address).catch((error: unknown) => {
      // Nothing runs before Start is sent.
      throw new FailureError({ class: 'transient', text: `${what}: ${errorText(error)}` });
    });
    const reason = await withdrawn();
    if (reason !== null) {
      peer.close();
      throw new FailureError({ class: 'transient', text: `${what}: not started: ${reason}` });
    }
    await followTransaction(peer, { stallMs, lost, onProgress }).catch((error: unknown) => {
      const failure = busFailure(error, what, lost);
      throw new FailureError({
        ...failure,
        text: failure.text.startsWith(what) ? failure.text : `${what}: ${failure.text}`,
      });
    });
  }

  async #bootedNow(): Promise<Booted> {
    return bootedOf(this.#last ?? (await this.read()));
  }

  async #reload(): Promise<void> {
    await this.#call({ path: SYSROOT, interface: SYSROOT_INTERFACE, member: 'Reload' });
  }

  async #properties(path: string, name: string): Promise<Dict> {
    const [value] = await this.#call({ path, interface: PROPERTIES, member: 'GetAll', signature: 's', body: [name] });
    const properties = asDict(value);
    if (properties === undefined) throw new Error(`${path}: the properties of ${name} are not a dictionary`);
    return properties;
  }

  #call(call: MethodCall): Promise<readonly unknown[]> {
    return this.#options.bus.call({ destination: NAME, timeoutMs: CALL_MS, ...call });
  }

  #warnOnce(warning: string): void {
    if (this.#warned.has(warning)) return;
    this.#warned.add(warning);
    this.#options.onWarning(warning);
  }
}

const DEPLOYMENT_KEYS = ['DefaultDeployment', 'BootedDeployment', 'Deployments'];

/** How a transaction is to be followed; what is left out is harmless. */
interface Following extends Partial<Pick<TransactionOptions, 'lost' | 'onProgress'>> {
  readonly stallMs: number;
  readonly withdrawn?: FinalizeOptions['withdrawn'];
}

const UNREAD: Failure = { class: 'transient', text: 'the deployments of this host are not known yet' };
const NOT_OSTREE: Failure = { class: 'transient', text: 'this host was not booted from an ostree deployment' };

function str(value: string): Variant {
  return new Variant('s', value);
}

function bool(value: boolean): Variant {
  return new Variant('b', value);
}

function unreadable(error: unknown): FailureError {
  return new FailureError({ ...busFailure(error, 'reading rpm-ostree', 'transient'), class: 'transient' });
}

/** What this process runs on: the same until the next boot, which it does not see. */
interface Booted {
  readonly booted: Deployment;
  readonly osPath: string;
}

function bootedOf(reading: HostReading): Booted {
  if (reading.booted === null || reading.osPath === null) throw new FailureError(NOT_OSTREE);
  return { booted: reading.booted, osPath: reading.osPath };
}
