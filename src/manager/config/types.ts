import { isIP } from 'node:net';
import { MAX_SOCKET_PATH } from '../../base/unix-socket.ts';
import { describe, simple, text, type Type } from '../../config/types.ts';
import { webUrl } from '../../config/url.ts';

/** The last part of a host name is no number: `256.0.0.1` and `1.2.3` are wrong addresses, and no names. */
const HOST_NAME = /^(?=.{1,253}$)(?:[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d])?\.)*(?!\d+$)[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i;

/** What to listen on, as airlock takes it: a host name too. */
export const listenAddress: Type<string> = simple(
  'an IP address such as "0.0.0.0" or "::1", or a name of this host',
  (value) =>
    value.type === 'string' && (isIP(value.value) !== 0 || HOST_NAME.test(value.value)) ? value.value : undefined,
);

/** A file or folder, from the root. */
export const absolutePath: Type<string> = text('an absolute path', /^\/[^\p{Cc}]+$/u);

/** The path of a Unix socket. */
export const socketPath: Type<string> = simple(`an absolute path of at most ${MAX_SOCKET_PATH} bytes`, (value) =>
  value.type === 'string' && /^\/[^\p{Cc}]+$/u.test(value.value) && Buffer.byteLength(value.value) <= MAX_SOCKET_PATH
    ? value.value
    : undefined,
);

/** A path that stands before those of the protocol: empty, or `/x/y` without a slash at its end. */
export const basePath: Type<string> = simple(
  "a path such as \"/fleet/lock\" (letters, digits, '.', '_', '~', '-', '/'), or \"\"",
  (value) => {
    if (value.type !== 'string') return undefined;
    const path = value.value.replace(/\/$/, '');
    // A client would resolve '.' and '..' away before it asks.
    return /^(\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)*$/.test(path) ? path : undefined;
  },
);

/** The identity of a node, as it sends it. */
export const nodeId: Type<string> = text('the id of a node', /^[^\p{Cc}]+$/u);

/** Slots as they are written: a number, or a percentage of the nodes of the group. */
export const slots: Type<number | string> = simple(
  'an integer, 0 to 100000, or a percentage, "1%" to "100%"',
  (value) => {
    if (value.type === 'integer') return value.value >= 0 && value.value <= 100_000 ? value.value : undefined;
    return value.type === 'string' && /^([1-9]\d?|100)%$/.test(value.value) ? value.value : undefined;
  },
);

/** What airlock's keys in etcd begin with. */
const AIRLOCK_PREFIX = 'com.coreos.airlock/';

/** What our own keys in etcd begin with: neither among airlock's, nor so short that airlock's are among ours. */
export const etcdPrefix: Type<string> = simple(
  `the beginning of keys, apart from airlock's "${AIRLOCK_PREFIX}"`,
  (value) => {
    if (value.type !== 'string' || !/^[^\p{Cc}]+$/u.test(value.value)) return undefined;
    const [own, airlock] = [value.value, AIRLOCK_PREFIX];
    return own.startsWith(airlock) || airlock.startsWith(own) ? undefined : own;
  },
);

const HOST_AND_PORT = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/;
const endpointUrl = webUrl({ use: 'base', hide: 'nothing' });

/** A client URL of etcd. As for airlock, `host:port` is enough. */
export const etcdEndpoint: Type<string> = {
  expected: endpointUrl.expected,
  decode: (value, report) => {
    if (value.type === 'string' && HOST_AND_PORT.test(value.value) && URL.canParse(`http://${value.value}`)) {
      return { value: value.value, plain: value.value };
    }
    const decoded = endpointUrl.decode(value, report);
    if (decoded?.value.includes('@') !== true) return decoded;
    report(value.at, `expected a URL without user and password, found ${describe(value)}: they have keys of their own`);
    return null;
  },
};
