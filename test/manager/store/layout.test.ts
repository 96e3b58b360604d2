import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendAudit, chunksOf, FIRST_HEAD, type Head } from '../../../src/manager/store/layout.ts';
import { draft, many } from './documents.ts';

const HOUR = 3_600_000;

/** Transactions: so many records, so many hours after the one before. Some are longer than what is kept of all. */
const transactions = fc.array(fc.record({ records: fc.nat(1_300), hours: fc.nat(60) }), {
  minLength: 1,
  maxLength: 12,
});

test('no transaction drops what it writes, nor anything young of the newest', () => {
  fc.assert(
    fc.property(transactions, fc.integer({ min: 1, max: 700 }), (all, mostRecords) => {
      let head: Head = FIRST_HEAD;
      let now = 0;
      const written: { readonly number: number; readonly at: number }[] = [];
      for (const { records: count, hours } of all) {
        now += hours * HOUR;
        const bounds = { mostRecords, longestMs: 240 * HOUR };
        const append = appendAudit(
          head,
          many(count, () => draft('g')),
          now,
          bounds,
        );
        written.push(...append.records);
        // A store writes and deletes at once: what is named in both is refused by some.
        for (const chunk of chunksOf(append.records)) expect(chunk[0]?.number).toBeGreaterThanOrEqual(append.dropBelow);
        const due = written.slice(-mostRecords).filter(({ at }) => now - at < bounds.longestMs);
        expect(due.every(({ number }) => number >= append.dropBelow)).toBe(true);
        head = append.head;
      }
      expect(written.map(({ number }) => number)).toEqual(many(written.length, (index) => index + 1));
    }),
  );
});
