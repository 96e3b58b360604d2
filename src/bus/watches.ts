import type { Match, Signal } from './api.ts';
import type { Incoming } from './codec.ts';
import { contain, type Report } from './contain.ts';
import { DRIVER } from './driver.ts';
import type { NameOwners } from './owners.ts';
import { readSignal } from './peer.ts';
import { type MatchRules, matchRule, once } from './rules.ts';

interface Watch {
  readonly match: Match;
  readonly handler: (signal: Signal) => void;
}

/** Who wants which signals. The bus also delivers signals that nobody asked for: any user may send us one. */
export class Watches {
  readonly #watches = new Set<Watch>();
  readonly #rules: MatchRules;
  readonly #owners: NameOwners;
  readonly #report: Report;

  constructor(rules: MatchRules, owners: NameOwners, report: Report) {
    this.#rules = rules;
    this.#owners = owners;
    this.#report = report;
  }

  /** Watches until the returned function is called. Throws a TypeError when a name in `match` is not valid. */
  add(match: Match, handler: (signal: Signal) => void): () => void {
    const unruled = this.#rules.add(matchRule(match));
    const { sender } = match;
    const unfollowed = sender !== undefined && isWellKnown(sender) ? this.#owners.follow(sender) : null;
    const watch: Watch = { match, handler };
    this.#watches.add(watch);
    return once(() => {
      this.#watches.delete(watch);
      unruled();
      unfollowed?.();
    });
  }

  /** Hands a signal to those who want it; its body is read only when there is one. Throws like `Incoming.body`. */
  deliver(message: Incoming): void {
    const wanted = [...this.#watches].filter(({ match }) => this.#agrees(match, message));
    if (wanted.length === 0) return;
    const signal = readSignal(message);
    for (const watch of wanted) if (this.#watches.has(watch)) contain(this.#report, () => watch.handler(signal));
  }

  #agrees(match: Match, message: Incoming): boolean {
    for (const key of ['path', 'interface', 'member'] as const)
      if (match[key] !== undefined && match[key] !== message[key]) return false;
    if (match.sender === undefined) return true;
    const sender = isWellKnown(match.sender) ? this.#owners.current(match.sender) : match.sender;
    return sender === message.sender;
  }
}

/** A name that connections can own; the bus itself sends under its own name. */
function isWellKnown(name: string): boolean {
  return !name.startsWith(':') && name !== DRIVER;
}
