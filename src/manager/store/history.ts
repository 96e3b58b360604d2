import type { AuditRecord } from '../document.ts';
import type { HistoryQuery } from './store.ts';

/**
 * Of chunks that come newest first (each with its oldest record first), the records that a query asks for, oldest first.
 * Takes no more chunks than it needs.
 */
export async function collectHistory(
  newestFirst: Iterable<readonly AuditRecord[]> | AsyncIterable<readonly AuditRecord[]>,
  query: HistoryQuery,
): Promise<readonly AuditRecord[]> {
  const found: AuditRecord[] = [];
  for await (const chunk of newestFirst) {
    for (const record of chunk.toReversed())
      if (found.length < query.most && isAsked(record, query)) found.push(record);
    if (found.length >= query.most) break;
  }
  return found.reverse();
}

function isAsked(record: AuditRecord, { group, id }: HistoryQuery): boolean {
  const ofGroup = group === undefined || record.group === null || record.group === group;
  return ofGroup && (id === undefined || record.id === id);
}
