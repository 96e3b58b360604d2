/** What a listener endures. */
export interface Limits {
  /** The most connections at the same time; more are dropped. Near it, those that only wait for a request go first. */
  readonly maxConnections: number;
  /** Milliseconds from the first byte of a request, or the beginning of its connection, to its last byte. */
  readonly requestTimeoutMs: number;
  /** The same, up to the end of its head; at most `requestTimeoutMs`. */
  readonly headTimeoutMs: number;
  /** Milliseconds for which a connection may wait for its next request. */
  readonly keepAliveMs: number;
  /** Milliseconds without a byte in either direction after which a connection is cut: longer than the longest wait. */
  readonly silenceMs: number;
  /** Bytes of the head of a request. */
  readonly maxHeadBytes: number;
  /** Requests that one connection may have under way. */
  readonly maxPipelined: number;
  /** Bytes of the body of a request. */
  readonly maxBodyBytes: number;
}

/** The limits that no configuration changes. */
const FIXED = { keepAliveMs: 10_000, maxHeadBytes: 16 * 1024, maxPipelined: 32, maxBodyBytes: 8 * 1024 };
/** What the store may need for a decision once a wait is over, generously. */
const LONGEST_DECISION_MS = 120_000;

/** The limits of a listener. `maxWaitMs`: the longest that a request is held. */
export function limitsOf(options: {
  readonly maxConnections: number;
  readonly requestTimeoutMs: number;
  readonly maxWaitMs: number;
}): Limits {
  const { maxConnections, requestTimeoutMs, maxWaitMs } = options;
  return {
    ...FIXED,
    maxConnections,
    requestTimeoutMs,
    headTimeoutMs: requestTimeoutMs,
    silenceMs: maxWaitMs + LONGEST_DECISION_MS,
  };
}
