/** Where to connect: a socket file, or a name in Linux's abstract namespace. */
export interface SocketAddress {
  readonly kind: 'path' | 'abstract';
  readonly name: string;
}

/** What Linux accepts as the name of a Unix socket, in bytes. */
const MAX_NAME = 107;

/**
 * Reads a D-Bus address: one or more `unix:path=…` or `unix:abstract=…`, separated by `;`, to be tried in this order
 * (D-Bus specification, "Server Addresses"). Throws when one is malformed, or none is of a kind that we can use.
 */
export function parseAddress(text: string): readonly SocketAddress[] {
  const usable: SocketAddress[] = [];
  const refused: string[] = [];
  for (const part of text.split(';')) {
    if (part === '') continue;
    const address = parseOne(part);
    if (typeof address === 'string') refused.push(address);
    else usable.push(address);
  }
  if (usable.length > 0) return usable;
  const found = refused.length > 0 ? refused.join('; ') : 'it is empty';
  throw new Error(`D-Bus address "${text}": expected unix:path=… or unix:abstract=…, but ${found}`);
}

/** An address, or what is wrong about its kind. */
function parseOne(text: string): SocketAddress | string {
  const colon = text.indexOf(':');
  if (colon < 1) throw new Error(`D-Bus address "${text}": expected a transport and a colon at the beginning`);
  const transport = text.slice(0, colon);
  if (transport !== 'unix') return `the transport "${transport}" is not supported`;
  const keys = parseKeys(text, text.slice(colon + 1));
  const path = keys.get('path');
  const abstract = keys.get('abstract');
  if (path !== undefined && abstract !== undefined)
    throw new Error(`D-Bus address "${text}": has both path and abstract, expected one`);
  const name = path ?? abstract;
  if (name === undefined) return `"${text}" has neither path nor abstract`;
  if (name === '' || name.includes('\0') || Buffer.byteLength(name) > MAX_NAME)
    throw new Error(`D-Bus address "${text}": expected a socket name of 1 to ${MAX_NAME} bytes without NUL`);
  return { kind: path === undefined ? 'abstract' : 'path', name };
}

function parseKeys(address: string, text: string): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const pair of text === '' ? [] : text.split(',')) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new Error(`D-Bus address "${address}": expected key=value, found "${pair}"`);
    const key = pair.slice(0, equals);
    if (keys.has(key)) throw new Error(`D-Bus address "${address}": "${key}" is given twice`);
    keys.set(key, unescape(address, pair.slice(equals + 1)));
  }
  return keys;
}

function unescape(address: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new Error(`D-Bus address "${address}": expected %XX escapes of UTF-8 text, found "${value}"`);
  }
}

/**
 * The address of the system bus: `DBUS_SYSTEM_BUS_ADDRESS`, else the socket where systemd puts it, else its older
 * place.
 */
export function systemBusAddress(env: Readonly<Record<string, string | undefined>>): string {
  const given = env['DBUS_SYSTEM_BUS_ADDRESS'];
  if (given !== undefined && given !== '') return given;
  return 'unix:path=/run/dbus/system_bus_socket;unix:path=/var/run/dbus/system_bus_socket';
}
