import { readCapped } from './files.ts';

/** Bytes that a file with one password or token may have. */
const MOST_BYTES = 4096;

/** The password or token in a file, without the white space around it. Throws an error that names the file, never more. */
export function readSecret(path: string): string {
  const secret = readCapped(path, MOST_BYTES)?.trim();
  if (secret === undefined) throw new Error(`${path}: there is no such file`);
  if (secret === '') throw new Error(`${path}: there is nothing in it`);
  return secret;
}
