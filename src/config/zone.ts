import { nearest } from '../base/text.ts';
import { text, type Type } from './types.ts';

/** The name of a time zone, or `localtime`; whether there is such a zone is for `zoneProblem` to say. */
export const timeZone: Type<string> = text(
  'a time zone such as "Europe/Berlin", or "localtime"',
  /^[A-Za-z][A-Za-z0-9._+/-]*$/,
);

/** Why a time zone cannot be used, or null. The first look at one loads all of them into memory. */
export function zoneProblem(zone: string): string | null {
  if (zone === 'localtime') return null;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return null;
  } catch {
    const near = nearest(zone, Intl.supportedValuesOf('timeZone'));
    const hint = near === null ? 'expected an IANA name such as "Europe/Berlin"' : `did you mean "${near}"?`;
    return `unknown time zone "${zone}", ${hint}`;
  }
}
