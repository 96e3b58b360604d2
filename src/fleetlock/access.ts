import { statSync } from 'node:fs';
import { readCapped } from '../base/files.ts';
import { FailureError } from '../base/failure.ts';
import type { HttpRequest } from '../base/http.ts';
import { errorText } from '../base/text.ts';

/** How a lock server is reached: limits, and files that are read anew for each question. A null is left out. */
export interface LockAccess {
  /** Milliseconds until there must be a connection, TLS included. */
  readonly connectTimeoutMs: number;
  /** Milliseconds until the whole answer must be there, beside the time that the server is given to free a slot. */
  readonly totalTimeoutMs: number;
  /** One line: `user:password`, or a token. */
  readonly tokenFile: string | null;
  /** Certificates in PEM that are trusted instead of those that Node has. */
  readonly caFile: string | null;
  /** Certificate and key of this host in PEM. */
  readonly clientCertFile: string | null;
  readonly clientKeyFile: string | null;
  /** Where proxies are looked up. Default: the environment of this process. */
  readonly environment?: NonNullable<HttpRequest['environment']>;
}

const MOST_TOKEN_BYTES = 4 * 1024;
const MOST_PEM_BYTES = 256 * 1024;

/** An `Authorization` header, and what of it must never be shown. */
export interface Authorization {
  readonly header: string;
  readonly secrets: readonly string[];
}

/**
 * Reads the token file: what has a colon is user and password (Basic), anything else a Bearer token. Throws a
 * `FailureError` that names the file and what is wrong with it, never what is in it.
 */
export function readToken(path: string): Authorization {
  const name = `updates.fleet_lock.token_file ${path}`;
  const token = readFile(name, path, MOST_TOKEN_BYTES).trim();
  if (token === '') fail(`${name}: is empty`);
  if (/[\r\n]/.test(token)) fail(`${name}: has more than one line`);
  const colon = token.indexOf(':');
  if (colon === -1) {
    // What no header can carry would be named in an error, with all of it.
    if (!/^[\x21-\x7e]+$/.test(token)) fail(`${name}: a token has printable ASCII characters only, and no spaces`);
    return { header: `Bearer ${token}`, secrets: [token] };
  }
  const basic = Buffer.from(token).toString('base64');
  return { header: `Basic ${basic}`, secrets: [basic, token, token.slice(colon + 1), token.slice(0, colon)] };
}

/**
 * Reads the certificates, and tries them: what is wrong with them would otherwise come up as a failure of the network.
 * Throws a `FailureError` that names the file.
 */
export async function readTls(access: LockAccess): Promise<NonNullable<HttpRequest['tls']>> {
  const ca = await readPem('ca', access.caFile);
  const cert = await readPem('client_cert', access.clientCertFile);
  const key = await readPem('client_key', access.clientKeyFile);
  const tls = { ...(ca === null ? {} : { ca }), ...(cert === null ? {} : { cert }), ...(key === null ? {} : { key }) };
  if (cert !== null && key !== null) await mustFit(tls, access);
  return tls;
}

async function readPem(kind: 'ca' | 'client_cert' | 'client_key', path: string | null): Promise<string | null> {
  if (path === null) return null;
  const name = `updates.fleet_lock.${kind}_file ${path}`;
  const text = readFile(name, path, MOST_PEM_BYTES);
  if (kind === 'client_key') return text;
  const { X509Certificate } = await import('node:crypto');
  // Node leaves out silently what it cannot read here, and then trusts nobody.
  try {
    new X509Certificate(text);
  } catch {
    fail(`${name}: is no certificate in PEM`);
  }
  return text;
}

async function mustFit(tls: NonNullable<HttpRequest['tls']>, { clientKeyFile }: LockAccess): Promise<void> {
  const { createSecureContext } = await import('node:tls');
  try {
    createSecureContext(tls);
  } catch (error) {
    fail(
      `updates.fleet_lock.client_key_file ${clientKeyFile ?? ''}: does not fit the certificate: ${errorText(error)}`,
    );
  }
}

/** A file of configuration. A pipe or a device could block for ever: only what is a file is opened. */
function readFile(name: string, path: string, cap: number): string {
  try {
    if (!statSync(path).isFile()) fail(`${name}: is not a file`);
    return readCapped(path, cap) ?? fail(`${name}: does not exist`);
  } catch (error) {
    if (error instanceof FailureError) throw error;
    return fail(`${name}: ${reasonOf(error, cap)}`);
  }
}

function reasonOf(error: unknown, cap: number): string {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this process';
  return typeof code === 'string' && code !== '' ? code : `is larger than ${cap} bytes`;
}

function fail(text: string): never {
  throw new FailureError({ class: 'transient', text });
}
