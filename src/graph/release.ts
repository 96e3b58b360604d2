import { oneLine } from '../base/text.ts';
import type { Release, Rollout, Scheme } from './types.ts';

const PREFIX = 'org.fedoraproject.coreos.';
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
  const found = metadata[`${PREFIX}scheme`];
  if (found !== 'checksum' && found !== 'oci') return wrong('scheme', '"checksum" or "oci"', found);
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
  const age = metadata[`${PREFIX}releases.age_index`];
  if (typeof age !== 'string' || !/^\d{1,20}$/.test(age) || BigInt(age) > MAX_AGE_INDEX) {
    return wrong('releases.age_index', 'an unsigned 64-bit number as text', age);
  }
  const rollout = readRollout(metadata);
  if (typeof rollout === 'string') return rollout;
  return {
    ageIndex: BigInt(age),
    barrier: readReason(metadata, 'barrier'),
    deadEnd: readReason(metadata, 'deadend'),
    rollout,
  };
}

function readReason(metadata: Fields, name: 'barrier' | 'deadend'): string | null {
  if (metadata[`${PREFIX}updates.${name}`] !== 'true') return null;
  const reason = metadata[`${PREFIX}updates.${name}_reason`];
  const text = typeof reason === 'string' ? oneLine(reason.slice(0, 1000), 200) : '';
  return text === '' ? 'no reason given' : text;
}

/** What is missing counts as 0, as the policy engine has it; a missing duration means that the rollout is paused. */
function readRollout(metadata: Fields): Rollout | string | null {
  if (metadata[`${PREFIX}updates.rollout`] !== 'true') return null;
  const start = readNumber(metadata, 'start_epoch', /^\d{1,13}$/, MAX_SECONDS);
  if (start === undefined) return wrongIn(metadata, 'start_epoch', 'whole seconds since 1970');
  const value = readNumber(metadata, 'start_value', /^\d{1,20}(\.\d{1,30})?([eE][+-]?\d{1,3})?$/, 1);
  if (value === undefined) return wrongIn(metadata, 'start_value', 'a number from 0 to 1');
  const minutes = readNumber(metadata, 'duration_minutes', /^\d{1,13}$/, MAX_MINUTES);
  if (minutes === undefined) return wrongIn(metadata, 'duration_minutes', 'whole minutes');
  return { startWall: (start ?? 0) * 1000, startValue: value ?? 0, durationMinutes: minutes };
}

/** Null when it is missing, undefined when it is not such a number. */
function readNumber(metadata: Fields, name: string, form: RegExp, most: number): number | null | undefined {
  const text = metadata[`${PREFIX}updates.${name}`];
  if (text === undefined) return null;
  if (typeof text !== 'string' || !form.test(text)) return undefined;
  const value = Number(text);
  return value <= most ? value : undefined;
}

function wrongIn(metadata: Fields, name: string, expected: string): string {
  return wrong(`updates.${name}`, `${expected} as text`, metadata[`${PREFIX}updates.${name}`]);
}

function wrong(key: string, expected: string, found: unknown): string {
  return `"${PREFIX}${key}": expected ${expected}, found ${describe(found)}`;
}
