import { type AskBus, DRIVER } from './driver.ts';
import { type MatchRules, matchRule, once } from './rules.ts';

type OwnerHandler = (owner: string | null) => void;

interface Entry {
  /** Unique name, null when nobody owns the name, undefined while that is not known. */
  owner: string | null | undefined;
  followers: number;
  readonly handlers: Set<OwnerHandler>;
  readonly release: () => void;
}

/** Who owns the bus names that somebody is interested in. */
export class NameOwners {
  readonly #entries = new Map<string, Entry>();
  readonly #rules: MatchRules;
  readonly #ask: AskBus;

  constructor(rules: MatchRules, ask: AskBus) {
    this.#rules = rules;
    this.#ask = ask;
  }

  /**
   * Follows a name until the returned function is called. The handler is called with the owner as soon as it is known
   * (at once when it is), after each change and after each `renew`; it must not throw.
   */
  follow(name: string, handler?: OwnerHandler): () => void {
    const entry = this.#entries.get(name) ?? this.#begin(name);
    entry.followers += 1;
    // An own function for each, so that the same handler can be there twice.
    const own = handler === undefined ? null : (owner: string | null): void => handler(owner);
    if (own !== null) entry.handlers.add(own);
    if (own !== null && entry.owner !== undefined) own(entry.owner);
    return once(() => {
      if (own !== null) entry.handlers.delete(own);
      entry.followers -= 1;
      if (entry.followers > 0) return;
      entry.release();
      this.#entries.delete(name);
    });
  }

  #begin(name: string): Entry {
    const rule = `${matchRule({ sender: DRIVER, interface: DRIVER, member: 'NameOwnerChanged' })},arg0='${name}'`;
    const entry: Entry = { owner: undefined, followers: 0, handlers: new Set(), release: this.#rules.add(rule) };
    this.#entries.set(name, entry);
    this.#lookUp(name, entry);
    return entry;
  }

  /** A change that arrives before the answer is at least as new as the answer: then the answer says nothing. */
  #lookUp(name: string, entry: Entry): void {
    const found = (owner: string | null): void => {
      if (entry.owner === undefined) this.#set(entry, owner);
    };
    this.#ask(
      'GetNameOwner',
      's',
      [name],
      ([owner]) => found(typeof owner === 'string' ? owner : null),
      () => found(null),
    );
  }

  /** The owner of a name that is followed; undefined while it is not known. */
  current(name: string): string | null | undefined {
    return this.#entries.get(name)?.owner;
  }

  /** Takes note of `NameOwnerChanged`. */
  changed(name: string, owner: string | null): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined && entry.owner !== owner) this.#set(entry, owner);
  }

  /** The connection is lost: whoever owned a name may not own it on the next one. */
  forget(): void {
    for (const entry of this.#entries.values()) entry.owner = undefined;
  }

  /** Asks again, on a new connection whose match rules are set. */
  renew(): void {
    this.forget();
    for (const [name, entry] of this.#entries) this.#lookUp(name, entry);
  }

  #set(entry: Entry, owner: string | null): void {
    entry.owner = owner;
    for (const handler of [...entry.handlers]) if (entry.handlers.has(handler)) handler(owner);
  }
}
