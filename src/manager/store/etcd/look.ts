import { get } from 'node:http';
import { connect } from 'node:tls';
import type { TlsMaterial } from './connect.ts';
import { failureOfConnection, type Failure } from './failure.ts';

/** Milliseconds for which a server may take its time to refuse a certificate after the handshake. */
const AFTERTHOUGHT_MS = 500;

/**
 * What is behind an address that closed a connection without a word: etcd does so when it is spoken to with the wrong
 * protocol or certificate. Sends nothing but a greeting. Null: there is no explanation.
 */
export async function lookAt(url: URL, material: TlsMaterial, timeoutMs: number): Promise<Failure | null> {
  if (url.protocol === 'http:') {
    // Who it is does not matter: nothing is sent.
    const { spoke } = await handshake(url, { rejectUnauthorized: false }, timeoutMs);
    return spoke ? broken('it speaks TLS: the endpoint must begin with https://') : null;
  }
  const { spoke, error } = await handshake(url, material, timeoutMs);
  if (!spoke) {
    return (await speaksHttp(url, timeoutMs))
      ? broken('it does not speak TLS: the endpoint must begin with http://')
      : null;
  }
  if (error === null) return null;
  const wanted = material.cert === undefined ? 'it wants a client certificate' : 'it refuses the client certificate';
  return broken(`${wanted} (${failureOfConnection(error, false).text})`);
}

function broken(text: string): Failure {
  return { kind: 'broken', certain: true, text };
}

/** `spoke`: the other side knows TLS; `error`: what it had against us nevertheless. */
function handshake(
  { hostname, port }: URL,
  options: TlsMaterial & { readonly rejectUnauthorized?: boolean },
  timeoutMs: number,
): Promise<{ readonly spoke: boolean; readonly error: Error | null }> {
  return new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const name = /^[\d.:]+$/.test(host) ? {} : { servername: host };
    const socket = connect({ host, port: Number(port || 443), ALPNProtocols: ['http/1.1'], ...name, ...options });
    let spoke = false;
    const end = (error: Error | null): void => {
      clearTimeout(timer);
      resolve({ spoke, error });
      socket.destroy();
    };
    let timer = setTimeout(() => end(null), timeoutMs);
    socket.on('secureConnect', () => {
      spoke = true;
      clearTimeout(timer);
      timer = setTimeout(() => end(null), AFTERTHOUGHT_MS);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // An alert is TLS too.
      spoke ||= error.code?.includes('ALERT') === true;
      end(error);
    });
    socket.on('close', () => end(null));
  });
}

function speaksHttp({ hostname, port }: URL, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const request = get({ host, port: port || 443, path: '/version', agent: false, timeout: timeoutMs });
    const end = (answered: boolean): void => {
      resolve(answered);
      request.destroy();
    };
    request.on('response', () => end(true));
    request.on('timeout', () => end(false));
    request.on('error', () => end(false));
  });
}
