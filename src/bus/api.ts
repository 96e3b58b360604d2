export { Variant } from 'dbus-next/lib/variant.js';

/** A method call on a bus or a peer. */
export interface MethodCall {
  /** Bus name of the callee; left out on a peer-to-peer connection. */
  readonly destination?: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** D-Bus signature of `body`; none when left out. */
  readonly signature?: string;
  readonly body?: readonly unknown[];
  /** Milliseconds until the call fails with `BusTimeoutError`. Default 25 000. */
  readonly timeoutMs?: number;
  /** Do not start the callee for this. Default false. */
  readonly noAutoStart?: boolean;
  /** The callee may have somebody asked for a password, and take as long as that takes. Default false. */
  readonly interactive?: boolean;
  /** Nobody waits for the answer any more: the call fails with `BusTimeoutError` at once. */
  readonly signal?: AbortSignal;
}

/** A signal that arrived. Its body is as hostile as its sender: check types before use. */
export interface Signal {
  /** Unique name of the sender; undefined on a peer-to-peer connection. */
  readonly sender: string | undefined;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly body: readonly unknown[];
}

/** The callee answered with an error. */
export class BusError extends Error {
  override readonly name = 'BusError';
  /** D-Bus name of the error, for example `org.freedesktop.DBus.Error.AccessDenied`. */
  readonly errorName: string;

  constructor(errorName: string, text: string) {
    super(text);
    this.errorName = errorName;
  }
}

/** No answer came in time, or as long as anybody waited: whether the call was carried out is unknown. */
export class BusTimeoutError extends Error {
  override readonly name = 'BusTimeoutError';
}

/** The connection was closed, or is not there: whether a call under way was carried out is unknown. */
export class BusClosedError extends Error {
  override readonly name = 'BusClosedError';
  /** Nothing had been sent: the call was certainly not carried out. */
  readonly unsent: boolean;

  constructor(text: string, { unsent = false, ...options }: ErrorOptions & { readonly unsent?: boolean } = {}) {
    super(text, options);
    this.unsent = unsent;
  }
}

/** One authenticated stream to a peer, for example to an rpm-ostree transaction. Ends once and stays ended. */
export interface Peer {
  /** Rejects with `BusError`, `BusTimeoutError` or `BusClosedError`. */
  call(call: MethodCall): Promise<readonly unknown[]>;
  /** Every signal that arrives from now on; returns the way to stop. */
  onSignal(handler: (signal: Signal) => void): () => void;
  /** Settles once, when the connection has ended: null after `close()`, else why it ended. Never rejects. */
  readonly closed: Promise<Error | null>;
  close(): void;
}

/** Which signals to watch: only those that agree in all given fields. */
export interface Match {
  /** Bus name of the sender, well-known or unique. */
  readonly sender?: string;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
}

/** How the connection to the bus stands. */
export type BusState =
  | { readonly connected: true; readonly uniqueName: string }
  | { readonly connected: false; readonly error: string; readonly attempts: number; readonly retryInMs: number };

/** A signal to send. */
export interface SignalToSend {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** D-Bus signature of `body`; none when left out. */
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

/** How to ask for a bus name; all default to false. */
export interface NameFlags {
  /** Others may take the name from us. */
  readonly allowReplacement?: boolean;
  /** Take the name from an owner who allows it. */
  readonly replaceExisting?: boolean;
  /** Wait in the queue while somebody else owns the name. */
  readonly queue?: boolean;
}

/** Why a name is not owned, while there is no connection to the bus. It is asked for again on the next one. */
export const NOT_CONNECTED = 'not connected to the bus';

/** How a request for a bus name stands. */
export type NameState = { readonly owned: true } | { readonly owned: false; readonly reason: string };

/** A named value of a method, in or out. */
export interface Argument {
  readonly name: string;
  /** One complete D-Bus type. */
  readonly type: string;
}

/** A method call that arrived for an exported object. */
export interface IncomingCall {
  /** As many values as the method's `in`, of their types. */
  readonly args: readonly unknown[];
  /** Unique name of the caller. */
  readonly sender: string;
  /** The caller is ready to wait while somebody is asked for a password (ALLOW_INTERACTIVE_AUTHORIZATION). */
  readonly interactive: boolean;
  /** Aborted when the caller has left the bus before the answer: nobody waits for it. */
  readonly gone: AbortSignal;
  /** User id of the caller, from the bus. Rejects when the caller has gone. */
  uid(): Promise<number>;
}

/** A method of an exported object. */
export interface ExportedMethod {
  readonly doc?: string;
  readonly in?: readonly Argument[];
  readonly out?: readonly Argument[];
  /** Returns the values of `out`. A `BusError` reaches the caller; of another error only that the method failed. */
  readonly handle: (call: IncomingCall) => readonly unknown[] | Promise<readonly unknown[]>;
}

/** A property of an exported object; nobody can set it from outside. */
export interface ExportedProperty {
  readonly doc?: string;
  /** One complete D-Bus type. */
  readonly type: string;
  readonly get: () => unknown;
}

/** A signal of an exported object. */
export interface ExportedSignal {
  readonly doc?: string;
  readonly args?: readonly Argument[];
}

/** An interface of an exported object; the keys are the names of its members. */
export interface ExportedInterface {
  readonly name: string;
  readonly doc?: string;
  readonly methods?: Readonly<Record<string, ExportedMethod>>;
  readonly properties?: Readonly<Record<string, ExportedProperty>>;
  readonly signals?: Readonly<Record<string, ExportedSignal>>;
}

/** An object that is being exported. */
export interface ExportedObject {
  /** Sends `PropertiesChanged` with the present values of these properties. */
  changed(interfaceName: string, properties: readonly string[]): void;
  /** Sends one of the signals of its interfaces. */
  emit(interfaceName: string, signal: string, body?: readonly unknown[]): void;
  /** Ends the export. */
  remove(): void;
}

/** A connection to a message bus that comes back by itself; watches and exports survive its loss. */
export interface Bus {
  /** Rejects with `BusError`, `BusTimeoutError` or `BusClosedError`; at once with the last while not connected. */
  call(call: MethodCall): Promise<readonly unknown[]>;
  /**
   * Delivers matching signals, across reconnections, until the returned function is called. From a well-known name
   * only those of its current owner. A signal may be seen before the answer to a call that was sent ahead of it.
   * Throws a TypeError when a name in `match` is not valid.
   */
  watch(match: Match, handler: (signal: Signal) => void): () => void;
  /**
   * Follows who owns a bus name: called with the unique name or null (nobody) at first, after each change and after
   * each reconnection. Not called when the connection is lost: see `onState`.
   */
  watchOwner(name: string, handler: (owner: string | null) => void): () => void;
  /** Sends a signal to whoever watches. Dropped while not connected; one that cannot be sent is reported, not thrown. */
  emit(signal: SignalToSend): void;
  /** Answers calls to `path`, across reconnections. Throws when something is exported there, or a name is not valid. */
  exportObject(path: string, interfaces: readonly ExportedInterface[]): ExportedObject;
  /**
   * Asks for a bus name, and again after each reconnection; `handler` is told how it stands after each change. The
   * returned function gives the name back.
   */
  requestName(name: string, flags: NameFlags, handler: (state: NameState) => void): () => void;
  /** Called with the state now and after each change. */
  onState(handler: (state: BusState) => void): () => void;
  /** Ends for good: pending calls reject with `BusClosedError`. */
  close(): void;
}
