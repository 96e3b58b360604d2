import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byBytes, type Holder } from '../../src/manager/document.ts';
import { Holdings } from '../../src/manager/holdings.ts';

const GROUPS = ['g', 'h', 'i'];
const IDS = ['', 'a', 'b', 'ab', '\u{10000}', '\uffff', 'c'];

function holders(ids: readonly string[]): readonly Holder[] {
  return ids.toSorted(byBytes).map((id) => ({ id, since: 0, soakUntil: null, waited: false }));
}

test('who holds what is known after each change of a group', () => {
  const changes = fc.array(fc.tuple(fc.constantFrom(...GROUPS), fc.uniqueArray(fc.constantFrom(...IDS))));
  fc.assert(
    fc.property(changes, (all) => {
      const holdings = new Holdings();
      const held = new Map<string, readonly string[]>();
      for (const [group, ids] of all) {
        holdings.change(group, holders(held.get(group) ?? []), holders(ids));
        held.set(group, ids);
        for (const id of IDS) {
          const groups = [...held].flatMap(([name, present]) => (present.includes(id) ? [name] : []));
          expect([...holdings.of(id)].toSorted()).toEqual(groups.toSorted());
        }
      }
    }),
  );
});
