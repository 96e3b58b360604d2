import { array, boolean, number, object, oneOf, orNull, record, string, wrong } from '../base/shape.ts';
import type { Target } from '../graph/types.ts';
import {
  type ActedRecord,
  type ArrivalRecord,
  NOT_RUN,
  type Faults,
  type FinalizeRecord,
  type Memory,
  type OwedReport,
  type PostBootRecord,
  type Quarantine,
  type SlotRecord,
  type TargetRecord,
  type DiscardRecord,
} from './machine/memory.ts';

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
    bootWall: field('bootWall', number, null),
    target: field('target', readTarget, null),
    discard: field('discard', readDiscard, null),
    finalize: field('finalize', readFinalize, null),
    slot: field('slot', readSlot, null),
    owed: entries('owed', readOwed),
    faults: entries('faults', readFaults),
    quarantine: entries('quarantine', readQuarantine),
    skipped: entries('skipped', string),
    pause: field('pause', readPause, null),
    order: field('order', readOrder, null),
    cancelled: field('cancelled', readOrder, null),
    postponed: field('postponed', readPostponed, null),
    graceUntil: field('graceUntil', number, null),
    acted: field('acted', readActed, null),
    wasHealthy: field('wasHealthy', boolean, false),
    postBoot: field('postBoot', readPostBoot, NOT_RUN),
    lastBoot: field('lastBoot', readLastBoot, null),
    goingBack: field('goingBack', readGoingBack, null),
    arrival: field('arrival', readArrival, null),
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

const readRelease = object<Target>({
  version: string,
  scheme: oneOf(['checksum', 'oci']),
  payload: string,
  ageIndex: (value, where) =>
    /^\d{1,20}$/.test(string(value, where)) ? BigInt(string(value, where)) : wrong(where, 'digits', value),
});

const readTarget = object<TargetRecord>({
  release: readRelease,
  staged: boolean,
  // In doubt it is somebody else's, and not to be removed.
  ours: (value, where) => (value === undefined ? false : boolean(value, where)),
  deployment: (value, where) => maybe(value, where),
});
/** Where it is not there, it is not known. */
const maybe = (value: unknown, where: string): string | null =>
  value === undefined ? null : orNull(string)(value, where);
const readDiscard = object<DiscardRecord>({ key: string, version: string, reason: string, deployment: maybe });
const readPause = object<NonNullable<Memory['pause']>>({
  until: orNull(number),
  reason: string,
  // In doubt nobody knows who, nor since when.
  by: (value, where) => (value === undefined ? 'an administrator' : string(value, where)),
  since: (value, where) => (value === undefined ? 0 : number(value, where)),
});
const readOrder = object<NonNullable<Memory['order' | 'cancelled']>>({ by: string, since: number, until: number });
const readLastBoot = object<NonNullable<Memory['lastBoot']>>({
  key: string,
  version: string,
  from: orNull(string),
  proven: (value, where) => (value === undefined ? false : boolean(value, where)),
});
const readGoingBack = object<NonNullable<Memory['goingBack']>>({
  to: string,
  since: number,
  acknowledged: boolean,
});
const readArrival = object<ArrivalRecord>({ bootId: string, from: string, since: number });
const readPostponed = object<NonNullable<Memory['postponed']>>({ until: number, by: string, spentMs: number });
const readActed = object<ActedRecord>({ version: string, undo: boolean });
const readPostBoot = object<PostBootRecord>({
  passed: boolean,
  problem: orNull(string),
  notRun: (value, where) => (value === undefined ? false : boolean(value, where)),
});
const readOwed = object<OwedReport>({
  baseUrl: string,
  group: string,
  id: string,
  // In doubt a slot was asked for.
  slot: (value, where) => (value === undefined ? true : boolean(value, where)),
});
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
