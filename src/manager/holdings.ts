import { byBytes, type Holder } from './document.ts';

/** In which groups ids hold a slot, soaking or not; kept up with each change of a group. There are few holders. */
export class Holdings {
  readonly #groups = new Map<string, Set<string>>();

  /** Groups in which an id holds a slot. */
  of(id: string): Iterable<string> {
    return this.#groups.get(id) ?? NONE;
  }

  /** The holders of a group have changed. Both are sorted by the bytes of their ids. */
  change(group: string, before: readonly Holder[], after: readonly Holder[]): void {
    let [old, now] = [0, 0];
    while (old < before.length || now < after.length) {
      const [was, is] = [before[old]?.id, after[now]?.id];
      const order = was === undefined ? 1 : is === undefined ? -1 : was === is ? 0 : byBytes(was, is);
      if (order < 0) this.#remove(group, was);
      if (order > 0) this.#add(group, is);
      if (order <= 0) old += 1;
      if (order >= 0) now += 1;
    }
  }

  #add(group: string, id = ''): void {
    const groups = this.#groups.get(id);
    if (groups === undefined) this.#groups.set(id, new Set([group]));
    else groups.add(group);
  }

  #remove(group: string, id = ''): void {
    const groups = this.#groups.get(id);
    groups?.delete(group);
    if (groups?.size === 0) this.#groups.delete(id);
  }
}

const NONE: ReadonlySet<string> = new Set();
