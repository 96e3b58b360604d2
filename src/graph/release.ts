import { oneLine } from '../base/text.ts';
import type { Release, Rollout, Scheme } from './types.ts';

const PREFIX = 'org.fedoraproject.coreos.';
/** Keys of the metadata; written out once, for a graph has twenty thousand nodes at most. */
const KEY = {
  scheme: `${PREFIX}scheme`,
  age: `${PREFIX}releases.age_index`,
  barrier: `${PREFIX}updates.barrier`,
  barrierReason: `${PREFIX}updates.barrier_reason`,
  deadEnd: `${PREFIX}updates.deadend`,
  deadEndReason: `${PREFIX}updates.deadend_reason`,
  rollout: `${PREFIX}updates.rollout`,
  start: `${PREFIX}updates.start_epoch`,
  value: `${PREFIX}updates.start_value`,
  minutes: `${PREFIX}updates.duration_minutes`,
} as const;

const MAX_AGE_INDEX = 2n ** 64n - 1n;
/** Largest moment that a date can hold, in seconds, and as many minutes: beyond them arithmetic on times breaks. */
const MAX_SECONDS = 8.64e12;
const MAX_MINUTES = MAX_SECONDS / 60;

const VERSION = /^[\x21-\x7e]{1,128}$/;
const CHECKSUM = /^[0-9a-f]{64}$/;
const IMAGE = /^[\w[][\w.:/[\]-]{0,399}@sha256:[0-9a-f]{64}$/;

/** A JSON object whose fields have not been looked at. */
export type Fields = Readonly<Record<string, unknown>>;

/** True for what JSON calls an object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A short name for a value that was not expected, fit for one line. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return `"${oneLine(value.slice(0, 200), 60)}"`;
  if (Array.isArray(value)) return value.length > 3 ? `a list of ${value.length}` : `[${value.map(kind).join(', ')}]`;
  return kind(value);
}

function kind(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'string' ? 'a text' : String(value);
}

/** One node of a graph: a release, null when it is of the other scheme, or a text that says what is wrong with it. */
export function readRelease(node: unknown, scheme: Scheme): Release | string | null {
  if (!isFields(node)) return `expected an object, found ${describe(node)}`;
  const { version, payload, metadata } = node;
  if (!isFields(metadata)) return `"metadata": expected an object, found ${describe(metadata)}`;
  const found = metadata[KEY.scheme];
  if (found !== 'checksum' && found !== 'oci') return wrong(KEY.scheme, '"checksum" or "oci"', found);
  if (found !== scheme) return null;
  if (typeof version !== 'string' || !VERSION.test(version)) {
    return `"version": expected 1 to 128 printable characters without spaces, found ${describe(version)}`;
  }
  if (typeof payload !== 'string' || !(scheme === 'checksum' ? CHECKSUM : IMAGE).test(payload)) {
    const expected = scheme === 'checksum' ? '64 hexadecimal digits' : 'repository@sha256:… with 64 hexadecimal digits';
    return `${version}: "payload": expected ${expected}, found ${describe(payload)}`;
  }
  const details = readDetails(metadata);
  return typeof details === 'string' ? `${version}: ${details}` : { version, scheme, payload, ...details };
}

type Details = Pick<Release, 'ageIndex' | 'barrier' | 'deadEnd' | 'rollout'>;

function readDetails(metadata: Fields): Details | string {
  const age = metadata[KEY.age];
  const ageIndex = typeof age === 'string' && /^\d{1,20}$/.test(age) ? BigInt(age) : null;
  if (ageIndex === null || ageIndex > MAX_AGE_INDEX) return wrong(KEY.age, 'an unsigned 64-bit number as text', age);
  const rollout = readRollout(metadata);
  if (typeof rollout === 'string') return rollout;
  const barrier = readReason(metadata, KEY.barrier, KEY.barrierReason);
  return { ageIndex, barrier, deadEnd: readReason(metadata, KEY.deadEnd, KEY.deadEndReason), rollout };
}

/** Null unless the metadata says "true" for `key`. */
function readReason(metadata: Fields, key: string, reasonKey: string): string | null {
  if (metadata[key] !== 'true') return null;
  const reason = metadata[reasonKey];
  const text = typeof reason === 'string' ? oneLine(reason.slice(0, 1000), 200) : '';
  return text === '' ? 'no reason given' : text;
}

/** What is missing counts as 0, as the policy engine has it; a missing duration means that the rollout is paused. */
function readRollout(metadata: Fields): Rollout | string | null {
  if (metadata[KEY.rollout] !== 'true') return null;
  const start = readNumber(metadata[KEY.start], /^\d{1,13}$/, MAX_SECONDS);
  if (start === undefined) return wrong(KEY.start, 'whole seconds since 1970 as text', metadata[KEY.start]);
  const value = readNumber(metadata[KEY.value], /^\d{1,20}(\.\d{1,30})?([eE][+-]?\d{1,3})?$/, 1);
  if (value === undefined) return wrong(KEY.value, 'a number from 0 to 1 as text', metadata[KEY.value]);
  const minutes = readNumber(metadata[KEY.minutes], /^\d{1,13}$/, MAX_MINUTES);
  if (minutes === undefined) return wrong(KEY.minutes, 'whole minutes as text', metadata[KEY.minutes]);
  return { startWall: (start ?? 0) * 1000, startValue: value ?? 0, durationMinutes: minutes };
}

/** Null when it is missing, undefined when it is not such a number. */
function readNumber(text: unknown, form: RegExp, most: number): number | null | undefined {
  if (text === undefined) return null;
  if (typeof text !== 'string' || !form.test(text)) return undefined;
  const value = Number(text);
  return value <= most ? value : undefined;
}

function wrong(key: string, expected: string, found: unknown): string {
  return `"${key}": expected ${expected}, found ${describe(found)}`;
}
