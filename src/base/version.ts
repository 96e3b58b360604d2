declare const HOLDPOINT_VERSION: string | undefined;

/** The version of this package; set when it is built. */
export const VERSION: string = typeof HOLDPOINT_VERSION === 'string' ? HOLDPOINT_VERSION : '0.0.0-source';
