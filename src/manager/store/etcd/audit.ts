import { errorText } from '../../../base/text.ts';
import type { AuditRecord } from '../../document.ts';
import { parseChunk, parseHead } from '../codec.ts';
import { FIRST_HEAD, type Head } from '../layout.ts';
import { readValue } from './group.ts';
import type { Keys } from './keys.ts';
import { between, one, type RangeAnswer, type RangeRequest } from './messages.ts';

/** Reads several ranges as of one moment. */
type ReadRanges = (ranges: readonly RangeRequest[]) => Promise<readonly RangeAnswer[]>;

/** Records whose numbers are asked for at once: first, and at most. */
const WINDOW = { first: 256, largest: 8192 };

/**
 * The chunks of the audit, newest first. They are asked for by number, backwards from the head: a range in descending
 * order would make etcd read the whole audit each time. `warn` is told of chunks that cannot be read; they are left out.
 */
export async function* chunksBackwards(
  read: ReadRanges,
  keys: Keys,
  warn: (text: string) => void,
): AsyncGenerator<readonly AuditRecord[]> {
  const everything = between(keys.chunk(0), keys.chunk(Number.MAX_SAFE_INTEGER));
  const [head, oldest] = await read([one(keys.head), { ...everything, limit: '1', keys_only: true }]);
  const headValue = head?.keys[0];
  const oldestKey = oldest?.keys[0]?.key;
  if (headValue === undefined || oldestKey === undefined) return;
  let end = readValue(headValue, parseHead).next;
  for (let size = WINDOW.first; keys.chunk(end) > oldestKey; size = Math.min(size * 2, WINDOW.largest)) {
    const begin = Math.max(0, end - size);
    const [window] = await read([between(keys.chunk(begin), keys.chunk(end))]);
    for (const chunk of window?.keys.toReversed() ?? []) {
      try {
        yield readValue(chunk, parseChunk);
      } catch (error) {
        warn(errorText(error));
      }
    }
    end = begin;
  }
}

/**
 * The head of a store that has none: somebody has removed the key. Records go on where the audit ends, so that none is
 * overwritten.
 */
export async function headOfAudit(read: ReadRanges, keys: Keys): Promise<Head> {
  const everything = between(keys.chunk(0), keys.chunk(Number.MAX_SAFE_INTEGER));
  const [newest] = await read([{ ...everything, limit: '1', sort_order: 'DESCEND' }]);
  const chunk = newest?.keys[0];
  if (chunk === undefined) return FIRST_HEAD;
  const last = readValue(chunk, parseChunk).at(-1);
  return { ...FIRST_HEAD, next: (last?.number ?? 0) + 1 };
}
