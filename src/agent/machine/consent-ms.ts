/** Milliseconds for which a reading of the host may stand for the present when finalize is decided on. */
export const CONSENT_MS = 5_000;
