import type { BusError } from './api.ts';

/** Name and interface of the bus itself. */
export const DRIVER = 'org.freedesktop.DBus';

/** Object path of the bus itself. */
export const DRIVER_PATH = '/org/freedesktop/DBus';

/**
 * Calls a method of the bus itself with strings and numbers (`signature`). Does nothing while there is no connection:
 * whoever asks, asks again when there is one. `failed` is called when the bus answers with an error.
 */
export type AskBus = (
  member: string,
  signature: string,
  body: readonly (string | number)[],
  done?: (reply: readonly unknown[]) => void,
  failed?: (error: BusError) => void,
) => void;
