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

/** No answer came in time: whether the call was carried out is unknown. */
export class BusTimeoutError extends Error {
  override readonly name = 'BusTimeoutError';
}

/** The connection was closed, or is not there: whether a call under way was carried out is unknown. */
export class BusClosedError extends Error {
  override readonly name = 'BusClosedError';
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

/** A connection to a message bus that comes back by itself; watches and exports survive its loss. */
export interface Bus {
  /** Rejects with `BusError`, `BusTimeoutError` or `BusClosedError`; at once with the last while not connected. */
  call(call: MethodCall): Promise<readonly unknown[]>;
  /** Delivers matching signals, across reconnections, until the returned function is called. */
  watch(match: Match, handler: (signal: Signal) => void): () => void;
  /**
   * Follows who owns a bus name: called with the unique name or null (nobody) at first, after each change and after
   * each reconnection.
   */
  watchOwner(name: string, handler: (owner: string | null) => void): () => void;
  /** Called with the state now and after each change. */
  onState(handler: (state: BusState) => void): () => void;
  /** Ends for good: pending calls reject with `BusClosedError`. */
  close(): void;
}
