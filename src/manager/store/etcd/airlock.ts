import { array, record, string, wholeNumber } from '../../../base/shape.ts';
import { byBytes } from '../../document.ts';
import { MOST_SLOTS } from '../codec.ts';

/** What airlock keeps of a group. */
export interface Semaphore {
  readonly slots: number;
  /** Sorted by their bytes, each once. */
  readonly holders: readonly string[];
}

/** airlock's value. It looks for a holder by bisection, so the holders must be sorted by their bytes. */
export function encodeSemaphore({ slots, holders }: Semaphore): string {
  return JSON.stringify({ total_slots: slots, holders });
}

/**
 * Reads airlock's value, also one that a person wrote: in any order, with a holder twice, with `null` for none. Throws an
 * error that says where it is wrong.
 */
export function parseSemaphore(text: string): Semaphore {
  const raw = record(JSON.parse(text) as unknown, '');
  const slots = wholeNumber(0, MOST_SLOTS)(raw['total_slots'], 'total_slots');
  const listed = array(raw['holders'] ?? [], 'holders').map((id, index) => string(id, `holders[${index}]`));
  return { slots, holders: [...new Set(listed)].sort(byBytes) };
}
