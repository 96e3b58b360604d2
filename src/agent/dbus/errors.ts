import { BusError } from '../../bus/api.ts';

const ERROR = 'org.freedesktop.DBus.Error';

/** An argument that is out of its range. `expected`: what it should be. */
export function invalid(argument: string, expected: string, found: unknown): BusError {
  return new BusError(`${ERROR}.InvalidArgs`, `${argument}: expected ${expected}, found ${String(found)}`);
}

/** Whoever calls may not do this. */
export function denied(text: string): BusError {
  return new BusError(`${ERROR}.AccessDenied`, text);
}

/** Whoever calls may do this once somebody has given a password, which the caller has not said to be ready for. */
export function passwordNeeded(text: string): BusError {
  return new BusError(`${ERROR}.InteractiveAuthorizationRequired`, text);
}

/** Whoever calls has too much under way. */
export function tooMany(text: string): BusError {
  return new BusError(`${ERROR}.LimitsExceeded`, text);
}
