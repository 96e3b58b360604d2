/** More than one question about a calendar needs; what was worked out is worked out again beyond that. */
const MOST = 64;

/** What `make` makes of a key, kept for the next time: it must be the same each time. */
export function remembered<Key, Value extends object>(memo: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = memo.get(key);
  if (known !== undefined) return known;
  if (memo.size >= MOST) memo.clear();
  const made = make();
  memo.set(key, made);
  return made;
}
