import { connect } from 'node:tls';
import type { TlsMaterial } from './connect.ts';
import { failureOfConnection, type Failure } from './failure.ts';

/** Milliseconds for which a server may take its time to refuse a certificate after the handshake. */
const AFTERTHOUGHT_MS = 500;

/**
 * What is behind an address that closed a connection without a word, judged by TLS alone: nothing is sent. Null: nothing
 * that would explain it.
 */
export async function lookAtTls(url: URL, material: TlsMaterial, timeoutMs: number): Promise<Failure | null> {
  const isPlain = url.protocol === 'http:';
  const { spoke, error } = await handshake(url, isPlain ? {} : material, !isPlain, timeoutMs);
  if (isPlain) return spoke ? broken('it speaks TLS: the endpoint must begin with https://') : null;
  if (error === null) return null;
  const failure = failureOfConnection(error, false);
  if (failure.kind !== 'broken' || !failure.text.includes('ALERT')) return failure.kind === 'broken' ? failure : null;
  const wanted = material.cert === undefined ? 'it wants a client certificate' : 'it refuses the client certificate';
  return broken(`${wanted}: ${failure.text}`);
}

function broken(text: string): Failure {
  return { kind: 'broken', certain: true, text };
}

/** `spoke`: the other side knows TLS. */
function handshake(
  { hostname, port }: URL,
  material: TlsMaterial,
  rejectUnauthorized: boolean,
  timeoutMs: number,
): Promise<{ readonly spoke: boolean; readonly error: Error | null }> {
  return new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const options = { host, port: Number(port || 443), ...material, rejectUnauthorized, ALPNProtocols: ['http/1.1'] };
    const socket = connect({ ...options, ...(/^[\d.:]+$/.test(host) ? {} : { servername: host }) });
    const end = (spoke: boolean, error: Error | null): void => {
      clearTimeout(timer);
      resolve({ spoke, error });
      socket.destroy();
    };
    let timer = setTimeout(() => end(false, null), timeoutMs);
    socket.on('secureConnect', () => {
      clearTimeout(timer);
      timer = setTimeout(() => end(true, null), AFTERTHOUGHT_MS);
    });
    // An alert is TLS too.
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code?.includes('ALERT') === true, error));
    socket.on('close', () => end(false, null));
  });
}
