import type { buildConnector } from 'undici';
import { errorText } from '../../../base/text.ts';

/** Certificates and key in PEM; what is left out is as Node has it. */
export interface TlsMaterial {
  /** The authorities that are trusted, in place of Node's own. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Gives the material as it is at the moment. */
export type TlsSource = () => TlsMaterial | Promise<TlsMaterial>;

/**
 * Makes connections with the material as it is when each is made, so that renewed certificates need no restart.
 * `timeoutMs` is the time for one connection, TLS included.
 */
export async function connectorFor(source: TlsSource | null, timeoutMs: number): Promise<buildConnector.connector> {
  const { default: build } = await import('undici/lib/core/connect.js');
  if (source === null) return build({ timeout: timeoutMs });
  let made: { readonly of: string; readonly connect: buildConnector.connector } | null = null;
  const current = async (): Promise<buildConnector.connector> => {
    const { ca, cert, key } = await material(source);
    const of = JSON.stringify([ca, cert, key]);
    // The same connector keeps its TLS sessions, which make the next handshake short.
    if (made?.of !== of) made = { of, connect: build({ timeout: timeoutMs, ...defined({ ca, cert, key }) }) };
    return made.connect;
  };
  return (options, callback) => {
    // Material that is no certificate makes the connector itself throw.
    current()
      .then((connect) => connect(options, callback))
      .catch((error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null));
  };
}

/** Asks for the material. Rejects with an error whose code tells it from one of the network. */
async function material(source: TlsSource): Promise<TlsMaterial> {
  try {
    return await source();
  } catch (error) {
    const text = `the certificates cannot be read: ${errorText(error)}`;
    throw Object.assign(new Error(text, { cause: error }), { code: 'ERR_TLS_MATERIAL' });
  }
}

function defined(material: { [K in keyof TlsMaterial]: TlsMaterial[K] | undefined }): TlsMaterial {
  return Object.fromEntries(Object.entries(material).filter(([, value]) => value !== undefined));
}
