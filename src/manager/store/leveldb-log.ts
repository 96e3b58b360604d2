import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNotFound } from '../../base/files.ts';

/** LevelDB writes its log in blocks, and in them records: checksum (4), length (2), type (1), content. */
const [BLOCK, HEADER] = [32_768, 7];
/** Nothing that a store writes has so many zeros in a row: pages that never came to the disk have. */
const NEVER_WRITTEN = Buffer.alloc(16);

/**
 * Looks into the logs of a database that is about to be opened for what was damaged after it had been written: LevelDB
 * leaves that out, with what comes after it, says little, and forgets. The end of a write that a crash cut short is no
 * damage, since nobody was told that it is there. A text says where; null: there is none.
 */
export function logDamage(path: string): string | null {
  for (const name of readdirSync(path).filter((each) => /^\d+\.log$/.test(each))) {
    const at = damagedAt(readIfThere(join(path, name)));
    if (at !== null) return `${name}, from byte ${at} on`;
  }
  return null;
}

/** Whoever has the database open may have removed it meanwhile. */
function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if (isNotFound(error)) return Buffer.alloc(0);
    throw error;
  }
}

function damagedAt(log: Buffer): number | null {
  for (let at = 0; ;) {
    const end = blockEnd(log, at);
    // What is left of a block is too short for a record.
    if (at + HEADER > end) {
      if (end === log.length) return null;
      at = end;
      continue;
    }
    const next = endOfRecord(log, at, end);
    if (next === null) return isTorn(log, at, end) ? null : at;
    at = next;
  }
}

function blockEnd(log: Buffer, at: number): number {
  return Math.min(log.length, (Math.floor(at / BLOCK) + 1) * BLOCK);
}

/** Where the good record at a place ends; null: there is none. */
function endOfRecord(log: Buffer, at: number, end: number): number | null {
  const [length, type] = [log.readUInt16LE(at + 4), log[at + 6] ?? 0];
  const next = at + HEADER + length;
  return type >= 1 && type <= 4 && next <= end && isWhole(log, at, next) ? next : null;
}

function isWhole(log: Buffer, at: number, end: number): boolean {
  return log.readUInt32LE(at) === masked(crc32c(log.subarray(at + 6, end)));
}

/** Whether what is no good record can be the end of a write that was cut short: nothing good comes after it. */
function isTorn(log: Buffer, at: number, end: number): boolean {
  for (let later = at + 1; later + HEADER <= log.length; later += 1) {
    if (endOfRecord(log, later, blockEnd(log, later)) !== null) return false;
  }
  const next = at + HEADER + log.readUInt16LE(at + 4);
  // Cut short, unless all is there and its length alone is wrong.
  if (next > end) return !isWhole(log, at, end);
  return log.at(-1) === 0 || log.indexOf(NEVER_WRITTEN, at) !== -1;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ 0x82f63b78;
  return value;
});

/** The checksum of Castagnoli, which Node does not have. */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** As LevelDB writes a checksum. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
