import { isIP } from 'node:net';
import { simple, type Type } from './types.ts';

/** An address to listen on, IPv4 or IPv6, without brackets. */
export const ipAddress: Type<string> = simple('an IP address such as "0.0.0.0" or "::1"', (value) =>
  value.type === 'string' && isIP(value.value) !== 0 ? value.value : undefined,
);
