import { Variant } from 'dbus-next/lib/variant.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dict } from '../../../src/bus/dict.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures/rpm-ostree');

/** A recording with its variants made real again: `{"sig": …, "value": …}`; what was recorded without stays plain. */
export function recorded(name: string): Dict {
  return revive(JSON.parse(readFileSync(join(FOLDER, name), 'utf8'))) as Dict;
}

function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value !== 'object' || value === null) return value;
  const { sig, value: inner, ...rest } = value as { sig?: unknown; value?: unknown };
  if (typeof sig !== 'string' || Object.keys(rest).length > 0) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, revive(one)]));
  }
  const isLong = typeof inner === 'string' && /^[tx]$/.test(sig);
  return new Variant(sig, isLong ? BigInt(inner.replace(/n$/, '')) : revive(inner));
}
