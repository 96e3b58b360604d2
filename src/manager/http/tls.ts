import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { fileStamp, readCapped } from '../../base/files.ts';
import { errorText } from '../../base/text.ts';

/** The files of a listener that speaks HTTPS. All PEM. */
export interface TlsFiles {
  /** The certificate and those between it and its CA. */
  readonly certPath: string;
  readonly keyPath: string;
  /** CAs whose client certificates are demanded; null or left out: none are. */
  readonly clientCaPath?: string | null;
}

const MOST_PEM_BYTES = 1024 * 1024;

/** Reads the files, and makes sure that they can be used. Throws an error that names the file and says why not. */
export function readTls({ certPath, keyPath, clientCaPath = null }: TlsFiles): SecureContextOptions {
  const options: SecureContextOptions = { cert: readPem(certPath), key: readPem(keyPath) };
  attempt(`the certificate ${certPath} and the key ${keyPath} cannot be used together`, () =>
    createSecureContext(options),
  );
  if (clientCaPath === null) return options;
  return { ...options, ca: checkedCas(clientCaPath) };
}

/** What Node cannot read among CAs it leaves out without a word. */
function checkedCas(path: string): string {
  const text = readPem(path);
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]*(?:-----END CERTIFICATE-----)?/g);
  if (certificates === null) throw new Error(`there is no certificate in ${path}`);
  attempt(`the CAs in ${path} cannot be used`, () => certificates.map((one) => new X509Certificate(one)));
  return text;
}

function readPem(path: string): string {
  const text = readCapped(path, MOST_PEM_BYTES);
  if (text === null) throw new Error(`${path} does not exist`);
  return text;
}

function attempt(what: string, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    throw new Error(`${what}: ${errorText(error)}`, { cause: error });
  }
}

/** What changes when one of the files is written or replaced. A file that is gone is a change as well. */
export function tlsStamp({ certPath, keyPath, clientCaPath = null }: TlsFiles): string {
  return [certPath, keyPath, ...(clientCaPath === null ? [] : [clientCaPath])].map(fileStamp).join(' ');
}
