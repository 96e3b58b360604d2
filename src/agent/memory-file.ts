import type { Target } from '../graph/types.ts';
import type { Faults, FinalizeRecord, Lock, Memory, Quarantine, SlotRecord } from './machine/memory.ts';

/** The version of the layout that this program writes. It reads this one and none later. */
const LAYOUT = 1;
/** Bytes that a memory may have on disk. */
export const MEMORY_CAP = 256 * 1024;

/** The memory as text for `state.json`. */
export function serializeMemory(memory: Memory): string {
  const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);
  return `${JSON.stringify({ layout: LAYOUT, ...memory }, plain, 1)}\n`;
}

/** A memory that was read, and what of it could not be believed. */
export interface ParsedMemory {
  readonly memory: Memory;
  readonly problems: readonly string[];
}

/**
 * Reads `state.json` with suspicion: a field that is not what it should be is left out and named, the others are kept.
 * Throws when the text is not a memory at all, or one of a later version.
 */
export function parseMemory(source: string): ParsedMemory {
  const root = record(JSON.parse(source) as unknown, '');
  if (root['layout'] !== LAYOUT) throw new Error(`layout ${LAYOUT} was expected, ${String(root['layout'])} was found`);
  const problems: string[] = [];
  /** Reads one field; null in the file or a problem gives `otherwise`. */
  const field = <T>(key: string, read: (value: unknown, where: string) => T, otherwise: T): T => {
    const value = root[key];
    if (value === undefined || value === null) return otherwise;
    return attempt(() => read(value, key), otherwise, problems);
  };
  /** Reads an array, entry by entry. */
  const entries = <T>(key: string, read: (value: unknown, where: string) => T): readonly T[] => {
    const values = field(key, array, []);
    return values.flatMap((value, index) => attempt(() => [read(value, `${key}[${index}]`)], [], problems));
  };
  const memory: Memory = {
    bootId: field('bootId', string, ''),
    target: field('target', readTarget, null),
    discard: field('discard', readDiscard, null),
    finalize: field('finalize', readFinalize, null),
    slot: field('slot', readSlot, null),
    owed: entries('owed', readLock),
    faults: entries('faults', readFaults),
    quarantine: entries('quarantine', readQuarantine),
    skipped: entries('skipped', string),
    pause: field('pause', readPause, null),
    lastBoot: field('lastBoot', readLastBoot, null),
  };
  return { memory, problems };
}

function attempt<T>(read: () => T, otherwise: T, problems: string[]): T {
  try {
    return read();
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    return otherwise;
  }
}

type Reader<T> = (value: unknown, where: string) => T;
type Raw = Readonly<Record<string, unknown>>;

function record(value: unknown, where: string): Raw {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Raw;
  return wrong(where, 'an object', value);
}

function array(value: unknown, where: string): readonly unknown[] {
  return Array.isArray(value) ? value : wrong(where, 'an array', value);
}

function string(value: unknown, where: string): string {
  return typeof value === 'string' ? value : wrong(where, 'a text', value);
}

function number(value: unknown, where: string): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : wrong(where, 'a number', value);
}

function boolean(value: unknown, where: string): boolean {
  return typeof value === 'boolean' ? value : wrong(where, 'true or false', value);
}

function oneOf<const T extends string>(values: readonly T[]): Reader<T> {
  return (value, where) => values.find((one) => one === value) ?? wrong(where, values.join(' or '), value);
}

function orNull<T>(read: Reader<T>): Reader<T | null> {
  return (value, where) => (value === null ? null : read(value, where));
}

function wrong(where: string, expected: string, found: unknown): never {
  throw new Error(`${where || 'the file'}: ${expected} was expected, ${kindOf(found)} was found`);
}

/** What was found, without its content: that may be the address of a lock server, with a password in it. */
function kindOf(found: unknown): string {
  if (found === undefined) return 'nothing';
  if (found === null || typeof found === 'number' || typeof found === 'boolean') return String(found);
  if (typeof found === 'string') return 'a text';
  return Array.isArray(found) ? 'an array' : 'an object';
}

/** A reader of objects, from one reader for each key. */
function object<T>(readers: { readonly [K in keyof T]: Reader<T[K]> }): Reader<T> {
  return (value, where) => {
    const raw = record(value, where);
    const read = Object.entries<Reader<unknown>>(readers).map(([key, reader]) => [
      key,
      reader(raw[key], `${where}.${key}`),
    ]);
    return Object.fromEntries(read) as T;
  };
}

const readRelease = object<Target>({
  version: string,
  scheme: oneOf(['checksum', 'oci']),
  payload: string,
  ageIndex: (value, where) =>
    /^\d{1,20}$/.test(string(value, where)) ? BigInt(string(value, where)) : wrong(where, 'digits', value),
});

const readTarget = object<NonNullable<Memory['target']>>({ release: readRelease, staged: boolean });
const readDiscard = object<NonNullable<Memory['discard']>>({ key: string, version: string, reason: string });
const readPause = object<NonNullable<Memory['pause']>>({ until: orNull(number), reason: string });
const readLastBoot = object<NonNullable<Memory['lastBoot']>>({ key: string, version: string, from: orNull(string) });
const readLock = object<Lock>({ baseUrl: string, group: string, id: string });
const readSlot = object<SlotRecord>({
  baseUrl: string,
  group: string,
  id: string,
  state: oneOf(['asked', 'doubtful', 'held']),
  since: number,
});
const readFaults = object<Faults>({ key: string, version: string, staging: number, missedBoots: number });
const readQuarantine = object<Quarantine>({
  key: string,
  version: string,
  reason: string,
  since: number,
  until: number,
});
const readFinalize = object<FinalizeRecord>({
  target: readRelease,
  bootId: string,
  from: object<FinalizeRecord['from']>({ key: string, version: string }),
  since: object<FinalizeRecord['since']>({ wall: number, mono: number }),
  outcome: oneOf(['called', 'acknowledged', 'unknown']),
  allowUnlocked: boolean,
});
