import { ipAddress } from './address.ts';
import { key, optional, type Key } from './keys.ts';
import { boolean, integer } from './types.ts';

/** How others are told what the agent does. */
export const METRICS_KEYS = {
  'metrics.enabled': key(
    boolean,
    true,
    "Whether Prometheus metrics can be had: over HTTP on the Unix socket `metrics.sock`, and in zincati's plain form on `metrics.promsock`, both in the run folder (`/run/holdpoint`).",
  ),
  'metrics.address': key(
    ipAddress,
    '127.0.0.1',
    'Address on which metrics can be had over TCP as well, if `metrics.port` is set. IPv6 without brackets. There is neither TLS nor a password: everybody who reaches the port can read them.',
  ),
  'metrics.port': optional(integer(1, 65_535), 'TCP port on which metrics can be had as well. Unset: none is opened.'),
  'motd.enabled': key(
    boolean,
    true,
    'Whether those who log in are told what matters (`motd` in the run folder, shown through `/run/motd.d`): a dead end, a reboot that waits, releases in quarantine, an unhealthy boot, errors that last.',
  ),
} satisfies Readonly<Record<string, Key<unknown>>>;
