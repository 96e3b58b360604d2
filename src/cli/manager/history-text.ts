import { duration, oneLine, utc } from '../../base/text.ts';
import type { AuditRecord } from '../../manager/document.ts';
import { columns } from './columns.ts';
import { shownId } from './shell.ts';

/** Records for people, in the order given. `now` in ms since 1970. */
export function historyText(records: readonly AuditRecord[], now: number): string {
  if (records.length === 0) return 'nothing is on record\n';
  const rows = records.map(({ at, group, action, id, by, reason }) => [
    utc(at),
    duration(now - at),
    group === null ? '(all)' : oneLine(group),
    action,
    id === null ? '-' : shownId(id),
    oneLine(by, 80),
    oneLine(reason, 500),
  ]);
  const lines = columns([['WHEN', 'AGO', 'GROUP', 'WHAT', 'HOST', 'BY', 'WHY'], ...rows]);
  return lines.map((line) => `${line}\n`).join('');
}
