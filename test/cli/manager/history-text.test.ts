import { join } from 'node:path';
import { expect, test } from 'vitest';
import { historyText } from '../../../src/cli/manager/history-text.ts';
import type { AuditRecord } from '../../../src/manager/document.ts';
import { expectGolden } from '../../support/golden.ts';
import { AT, DAY, HOUR, IDS, MINUTE } from '../../support/manager-status.ts';

const [A, B] = IDS;

function record(number: number, agoMs: number, change: Partial<AuditRecord>): AuditRecord {
  return { number, at: AT - agoMs, action: 'granted', group: 'workers', id: A, by: 'node', reason: '', ...change };
}

test('a history for people', () => {
  const records = [
    record(1, 100 * DAY, { action: 'configured', id: null, by: 'manager', reason: 'from 1 to 2, as configured (2)' }),
    record(2, 3 * DAY, {}),
    record(3, 2 * DAY + 4 * HOUR, { action: 'forced', by: 'admin:anna', reason: 'the host was scrapped' }),
    record(4, 5 * HOUR, {
      action: 'frozen',
      group: null,
      id: null,
      by: 'admin:bob',
      reason: 'until 2026-07-24T00:00:00Z: fair',
    }),
    record(5, 90 * MINUTE, { id: B }),
    record(6, MINUTE, { action: 'soaking', id: B }),
    record(7, 0, { id: 'a\u001b[31m\nb', by: 'admin:\n', reason: 'one\ntwo' }),
  ];
  expectGolden(historyText(records, AT), join(import.meta.dirname, 'golden/history.txt'));
});

test('an empty history says so', () => {
  expect(historyText([], AT)).toBe('nothing is on record\n');
});
