import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Bus, BusError } from '../../bus/api.ts';
import { errorText } from '../../base/text.ts';
import { askProperty } from '../property.ts';

/** The bus name of systemd, and the path and interface of its manager. */
export const SYSTEMD = 'org.freedesktop.systemd1';
export const MANAGER_PATH = '/org/freedesktop/systemd1';
export const MANAGER = `${SYSTEMD}.Manager`;

/** Milliseconds within which systemd answers, busy as it may be at boot. */
const CALL_MS = 15_000;

const ERRORS = 'org.freedesktop.DBus.Error';
const ABSENT: ReadonlySet<string> = new Set([`${ERRORS}.ServiceUnknown`, `${ERRORS}.NameHasNoOwner`]);
const DENIED: ReadonlySet<string> = new Set([`${ERRORS}.AccessDenied`, `${ERRORS}.InteractiveAuthorizationRequired`]);

/** Calls a method of systemd's manager. Rejects as `Bus.call` does. */
export function callManager(
  bus: Bus,
  member: string,
  signature = '',
  ...body: readonly unknown[]
): Promise<readonly unknown[]> {
  return bus.call({
    ...{ destination: SYSTEMD, path: MANAGER_PATH, interface: MANAGER, member, signature, body },
    ...{ timeoutMs: CALL_MS, noAutoStart: true },
  });
}

/** Reads a property of an object of systemd; undefined when the answer is none. Rejects as `Bus.call` does. */
export async function readProperty(bus: Bus, path: string, kind: 'Unit' | 'Service', name: string): Promise<unknown> {
  const property = { service: SYSTEMD, path, interface: `${SYSTEMD}.${kind}`, name };
  return (await askProperty(bus, property, { timeoutMs: CALL_MS, autoStart: false }))?.value;
}

/** Whether an error says that systemd is not on the bus. */
export function isAbsent(error: unknown): boolean {
  return error instanceof BusError && ABSENT.has(error.errorName);
}

/**
 * Whether systemd runs this host, on the bus or not: it leaves the bus for a while when that is restarted. `root` as
 * for all files that describe the host.
 */
export function isBooted(root: string): boolean {
  return existsSync(join(root, 'run/systemd/system'));
}

/** Why systemd did not do what it was asked, in words. */
export function refusal(error: unknown): string {
  if (error instanceof BusError && DENIED.has(error.errorName)) {
    return "denied by polkit; is the rule for the agent's user installed?";
  }
  return errorText(error);
}

/**
 * Asks systemd to send signals to this connection. Asked for again by several, and after each new connection; systemd
 * forgets it with the connection.
 */
export async function subscribe(bus: Bus): Promise<void> {
  // The error that we are subscribed already is as good; without signals, whoever waits looks from time to time.
  await callManager(bus, 'Subscribe').catch(() => undefined);
}
