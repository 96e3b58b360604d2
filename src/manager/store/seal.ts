import { crc32 } from 'node:zlib';

/** What stands in a database for a document, taken apart. */
export interface Unsealed {
  readonly text: string;
  /** The digest that it should have: the one that was written with it, where there is one that can be read. */
  readonly stated: number;
  /** The digest that it has. */
  readonly actual: number;
  /** Why it is not what was written, or null. What was written without a digest is taken as it is. */
  readonly problem: string | null;
}

/** The digest of a document under its key. LevelDB itself does not look whether what it reads is what it wrote. */
export function digestOf(key: string, text: string): number {
  return crc32(`${key}\n${text}`);
}

/** A document as it is kept: JSON, and its digest in a line of its own. */
export function sealed(text: string, digest: number): string {
  return `${text}\n${digest.toString(16).padStart(8, '0')}`;
}

/** Takes apart what was kept under a key. */
export function unseal(key: string, value: string): Unsealed {
  const [, text = value, digest] = /^([^]*)\n([0-9a-f]{8})$/.exec(value) ?? [];
  const actual = digestOf(key, text);
  if (digest !== undefined) {
    const stated = Number.parseInt(digest, 16);
    return { text, stated, actual, problem: stated === actual ? null : 'it is not what was written' };
  }
  return { text, stated: actual, actual, problem: value.endsWith('}') ? null : 'its end is not what was written' };
}
