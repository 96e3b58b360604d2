import { isInterfaceNameValid, isMemberNameValid, isObjectPathValid } from 'dbus-next/lib/validators.js';
import type { Match } from './api.ts';
import { isDestination } from './codec.ts';
import type { AskBus } from './driver.ts';

const VALID: Readonly<Record<keyof Match, (name: string) => boolean>> = {
  sender: isDestination,
  path: isObjectPathValid,
  interface: isInterfaceNameValid,
  member: isMemberNameValid,
};

/**
 * The match rule for some signals (D-Bus specification, "Match Rules"). Throws a TypeError when a name is not valid;
 * valid names need no quoting.
 */
export function matchRule(match: Match): string {
  const parts = ["type='signal'"];
  for (const key of ['sender', 'path', 'interface', 'member'] as const) {
    const value = match[key];
    if (value === undefined) continue;
    if (!VALID[key](value)) throw new TypeError(`match: ${key} "${value}" is not a valid D-Bus name`);
    parts.push(`${key}='${value}'`);
  }
  return parts.join(',');
}

/**
 * The match rules that are in force on a bus, each set once however often it is wanted: a bus allows only so many per
 * connection.
 */
export class MatchRules {
  readonly #wanted = new Map<string, number>();
  readonly #ask: AskBus;

  constructor(ask: AskBus) {
    this.#ask = ask;
  }

  /** Puts a rule in force until the returned function is called. */
  add(rule: string): () => void {
    const count = this.#wanted.get(rule) ?? 0;
    this.#wanted.set(rule, count + 1);
    if (count === 0) this.#ask('AddMatch', 's', [rule]);
    return once(() => this.#remove(rule));
  }

  #remove(rule: string): void {
    const count = this.#wanted.get(rule) ?? 0;
    if (count > 1) {
      this.#wanted.set(rule, count - 1);
      return;
    }
    this.#wanted.delete(rule);
    this.#ask('RemoveMatch', 's', [rule]);
  }

  /** Sets all rules again, on a new connection. */
  renew(): void {
    for (const rule of this.#wanted.keys()) this.#ask('AddMatch', 's', [rule]);
  }
}

/** A function that does its work at the first call only. */
export function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
