import { array, type Reader, record, string, wrong } from '../../../base/shape.ts';
import { endOf } from './keys.ts';

// The JSON form of etcd's messages: bytes as base64, 64-bit numbers as text, and what is zero, empty or false left out.

/** One key or a range of keys, as etcd wants it told. */
interface KeyRange {
  readonly key: string;
  readonly range_end?: string;
}

/** A condition of a transaction. */
export interface Compare extends KeyRange {
  readonly target: 'MOD';
  readonly result: 'EQUAL';
  readonly mod_revision: string;
}

/** What to read. */
export interface RangeRequest extends KeyRange {
  readonly limit?: string;
  readonly sort_order?: 'DESCEND';
  readonly keys_only?: boolean;
  readonly min_mod_revision?: string;
}

/** One operation of a transaction. */
export type Operation =
  | { readonly request_put: { readonly key: string; readonly value: string } }
  | { readonly request_range: RangeRequest }
  | { readonly request_delete_range: KeyRange };

/** A transaction: `success` when all compares hold, else `failure`. */
export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

/** A key with its value. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  /** The revision of the store in which the key was last written. Never 0, and never the same again. */
  readonly revision: number;
}

/** What was read. */
export interface RangeAnswer {
  /** Keys that are in the range, those that were left out of `keys` included. */
  readonly count: number;
  readonly keys: readonly KeyValue[];
}

/** Where an answer comes from. */
export interface Header {
  /** Another one after the data were restored from a snapshot. */
  readonly cluster: string;
  /** The revision of the store as of the answer. */
  readonly revision: number;
}

/** What a transaction did. */
export interface TxnAnswer extends Header {
  readonly succeeded: boolean;
  /** Of its ranges, in their order. */
  readonly ranges: readonly RangeAnswer[];
}

/** Text as etcd's JSON has bytes. */
export function bytes(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The key was last written in this revision; 0: there is no such key. Other than its version, it cannot come back. */
export function writtenIn(key: string, revision: number): Compare {
  return { key: bytes(key), target: 'MOD', result: 'EQUAL', mod_revision: String(revision) };
}

/** Writes a key. */
export function put(key: string, value: string): Operation {
  return { request_put: { key: bytes(key), value: bytes(value) } };
}

/** Deletes the keys from one to another, without the latter. */
export function deleteBetween(from: string, to: string): Operation {
  return { request_delete_range: { key: bytes(from), range_end: bytes(to) } };
}

/** Reads one key. */
export function one(key: string): RangeRequest {
  return { key: bytes(key) };
}

/** Reads the keys that begin with a text. */
export function all(prefix: string): RangeRequest {
  return between(prefix, endOf(prefix));
}

/** Reads the keys from one to another, without the latter. */
export function between(from: string, to: string): RangeRequest {
  return { key: bytes(from), range_end: bytes(to) };
}

/** Leaves what was written before a revision out of an answer, but not out of its count. */
export function since(revision: number, range: RangeRequest): RangeRequest {
  return { ...range, min_mod_revision: String(revision) };
}

/** Reads the answer to a transaction. Throws an error that says where it is wrong. */
export const readTxn: Reader<TxnAnswer> = (value, where) => {
  const raw = record(value, where);
  const responses = array(raw['responses'] ?? [], 'responses').map((each) => record(each, 'responses'));
  const ranges = responses.flatMap((each) => ('response_range' in each ? [readRange(each['response_range'], '')] : []));
  return { ...readHeader(raw['header'], 'header'), succeeded: raw['succeeded'] === true, ranges };
};

/** Reads the answer to a range. Throws an error that says where it is wrong. */
export const readRange: Reader<RangeAnswer> = (value, where) => {
  const raw = record(value, where);
  return { count: whole(raw['count'], 'count'), keys: array(raw['kvs'] ?? [], 'kvs').map((each) => readKey(each, '')) };
};

/** Reads where an answer comes from. */
export const readHeader: Reader<Header> = (value, where) => {
  const raw = record(value, where);
  return { cluster: string(raw['cluster_id'] ?? '', 'cluster_id'), revision: whole(raw['revision'], 'revision') };
};

/** Reads a key with its value. */
export const readKey: Reader<KeyValue> = (value, where) => {
  const raw = record(value, where);
  return {
    key: text(raw['key'], 'key'),
    value: text(raw['value'] ?? '', 'value'),
    revision: whole(raw['mod_revision'], 'mod_revision'),
  };
};

/** A whole number, which etcd has as text; 0 when it is left out. */
export const whole: Reader<number> = (value, where) => {
  const found = Number(value ?? 0);
  return Number.isSafeInteger(found) ? found : wrong(where, 'a whole number', value);
};

const text: Reader<string> = (value, where) => Buffer.from(string(value, where), 'base64').toString();
