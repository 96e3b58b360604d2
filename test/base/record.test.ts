import fc from 'fast-check';
import { expect, it } from 'vitest';
import { without } from '../../src/base/record.ts';

it('leaves out one key and keeps the others', () => {
  const record: Partial<Record<'a' | 'b', number>> = { a: 1, b: 2 };
  expect(without(record, 'a')).toEqual({ b: 2 });
  expect(record).toEqual({ a: 1, b: 2 });
});

it('changes nothing where the key is not there', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer()), (record) => {
      expect(without(record, 'no such key, surely')).toEqual(record);
    }),
  );
});
