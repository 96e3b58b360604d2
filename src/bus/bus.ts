import { errorText } from '../base/text.ts';
import {
  type Bus,
  BusClosedError,
  BusError,
  type BusState,
  BusTimeoutError,
  type ExportedInterface,
  type ExportedObject,
  type Match,
  type MethodCall,
  type NameFlags,
  type NameState,
  type Signal,
  type SignalToSend,
} from './api.ts';
import { type Incoming, MESSAGE_TYPE } from './codec.ts';
import type { Answer, Connection } from './connection.ts';
import { contain, type Report } from './contain.ts';
import { type AskBus, DRIVER, DRIVER_PATH } from './driver.ts';
import { Exports } from './exports.ts';
import { OwnNames } from './names.ts';
import { openConnection } from './open.ts';
import { NameOwners } from './owners.ts';
import { MatchRules } from './rules.ts';
import { CallerIds } from './uids.ts';
import { CallsUnderWay } from './under-way.ts';
import { Watches } from './watches.ts';

/** How to connect to a message bus. */
export interface BusOptions {
  /** D-Bus address, for example from `systemBusAddress`. */
  readonly address: string;
  /** Uniform in [0, 1), for the jitter of reconnections. */
  readonly random: () => number;
  /** Milliseconds within which the first reconnection is tried; doubles up to `maxRetryMs`. Default 500. */
  readonly minRetryMs?: number;
  /** Default 30 000. */
  readonly maxRetryMs?: number;
  /** Milliseconds for connecting and authentication together. Default 10 000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds until the bus itself must have answered; a bus that does not is left. Default 25 000. */
  readonly driverTimeoutMs?: number;
  /** Longest message that is read, in bytes; longer ones are passed over. Default 16 MiB. */
  readonly maxMessageBytes?: number;
  /** Told of errors that concern no caller: what handlers throw, and what the bus refuses. */
  readonly onError?: Report;
}

/** Connects to a message bus in the background, and again whenever the connection is lost. */
export function openBus(options: BusOptions): Bus {
  return new BusClient(options);
}

class BusClient implements Bus {
  readonly #options: BusOptions;
  readonly #report: Report;
  readonly #ending = new AbortController();
  readonly #stateHandlers = new Set<(state: BusState) => void>();
  readonly #rules: MatchRules;
  readonly #owners: NameOwners;
  readonly #watches: Watches;
  readonly #names: OwnNames;
  readonly #callers: CallerIds;
  readonly #underWay: CallsUnderWay;
  readonly #exports: Exports;
  #connection: Connection | null = null;
  #state: BusState = { connected: false, error: 'not connected yet', attempts: 0, retryInMs: 0 };
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BusOptions) {
    this.#options = options;
    this.#report = options.onError ?? ((): void => undefined);
    this.#rules = new MatchRules(this.#ask);
    this.#owners = new NameOwners(this.#rules, this.#ask);
    this.#watches = new Watches(this.#rules, this.#owners, this.#report);
    this.#names = new OwnNames(this.#ask);
    this.#callers = new CallerIds(this, this.#owners);
    this.#underWay = new CallsUnderWay(this.#owners);
    this.#exports = new Exports(
      (sender) => this.#callers.of(sender),
      this.#underWay,
      (signal) => this.emit(signal),
    );
    void this.#connect();
  }

  async call(call: MethodCall): Promise<readonly unknown[]> {
    if (this.#connection === null) throw new BusClosedError('not connected to the bus', { unsent: true });
    return this.#connection.call(call);
  }

  watch(match: Match, handler: (signal: Signal) => void): () => void {
    return this.#watches.add(match, handler);
  }

  watchOwner(name: string, handler: (owner: string | null) => void): () => void {
    return this.#owners.follow(name, (owner) => contain(this.#report, () => handler(owner)));
  }

  emit(signal: SignalToSend): void {
    contain(this.#report, () => this.#connection?.send({ ...signal, type: MESSAGE_TYPE.signal }));
  }

  exportObject(path: string, interfaces: readonly ExportedInterface[]): ExportedObject {
    return this.#exports.add(path, interfaces);
  }

  requestName(name: string, flags: NameFlags, handler: (state: NameState) => void): () => void {
    return this.#names.request(name, flags, (state) => contain(this.#report, () => handler(state)));
  }

  onState(handler: (state: BusState) => void): () => void {
    const own = (state: BusState): void => contain(this.#report, () => handler(state));
    this.#stateHandlers.add(own);
    own(this.#state);
    return () => this.#stateHandlers.delete(own);
  }

  close(): void {
    this.#connection = null;
    this.#state = { connected: false, error: 'closed', attempts: 0, retryInMs: 0 };
    clearTimeout(this.#timer);
    this.#ending.abort();
  }

  async #connect(): Promise<void> {
    let connection: Connection | null = null;
    try {
      connection = await openConnection(this.#options.address, {
        connectTimeoutMs: this.#options.connectTimeoutMs,
        maxMessageBytes: this.#options.maxMessageBytes,
        signal: this.#ending.signal,
        onError: this.#report,
        onSignal: (signal) => this.#onSignal(signal),
        onCall: (call): Promise<Answer> => this.#exports.answer(call),
      });
      const [name] = await connection.call(this.#driverCall('Hello'));
      if (typeof name !== 'string') throw new BusClosedError('the bus answered Hello without a name');
      this.#begin(connection, name);
    } catch (error) {
      connection?.close();
      this.#retry(error);
    }
  }

  /** The order matters: whatever a state handler calls is carried out after the match rules are in force. */
  #begin(connection: Connection, uniqueName: string): void {
    if (this.#ending.signal.aborted) return;
    this.#connection = connection;
    void connection.closed.then((error) => this.#lost(error));
    this.#rules.renew();
    this.#owners.renew();
    this.#names.renew();
    this.#setState({ connected: true, uniqueName });
  }

  #lost(error: Error | null): void {
    this.#connection = null;
    this.#names.forget();
    this.#owners.forget();
    this.#callers.forget();
    this.#underWay.forget();
    this.#retry(error ?? new BusClosedError('closed'));
  }

  /** Exponential backoff with full jitter. */
  #retry(error: unknown): void {
    if (this.#ending.signal.aborted) return;
    const { random, minRetryMs = 500, maxRetryMs = 30_000 } = this.#options;
    const attempts = this.#state.connected ? 1 : this.#state.attempts + 1;
    const retryInMs = Math.round(random() * Math.min(maxRetryMs, minRetryMs * 2 ** (attempts - 1)));
    this.#timer = setTimeout(() => void this.#connect(), retryInMs);
    this.#setState({ connected: false, error: errorText(error), attempts, retryInMs });
  }

  #setState(state: BusState): void {
    this.#state = state;
    for (const handler of [...this.#stateHandlers]) handler(state);
  }

  readonly #ask: AskBus = (member, signature, body, done, failed) => {
    const connection = this.#connection;
    if (connection === null) return;
    const failure = (error: unknown): void => {
      if (error instanceof BusTimeoutError) connection.close(error);
      else if (error instanceof BusError && failed !== undefined) failed(error);
      else if (!(error instanceof BusClosedError)) this.#report(new Error(`${member}: ${errorText(error)}`));
    };
    connection
      .call({ ...this.#driverCall(member), signature, body })
      .then(done)
      .catch(failure);
  };

  #driverCall(member: string): MethodCall {
    const timeoutMs = this.#options.driverTimeoutMs ?? 25_000;
    return { destination: DRIVER, path: DRIVER_PATH, interface: DRIVER, member, timeoutMs };
  }

  #onSignal(message: Incoming): void {
    if (message.sender === DRIVER && message.interface === DRIVER) this.#onDriverSignal(message);
    this.#watches.deliver(message);
  }

  #onDriverSignal(message: Incoming): void {
    const [name, , owner] = message.body();
    if (typeof name !== 'string') return;
    if (message.member === 'NameOwnerChanged')
      this.#owners.changed(name, typeof owner === 'string' && owner !== '' ? owner : null);
    if (message.member === 'NameAcquired') this.#names.changed(name, true);
    if (message.member === 'NameLost') this.#names.changed(name, false);
  }
}
