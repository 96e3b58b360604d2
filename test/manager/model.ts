import fc from 'fast-check';

/** What can happen to the group `g` of a model, and to its clock. Ids and times are few, so that they meet. */
export type Command =
  | { readonly kind: 'lock' | 'unlock' | 'force' | 'takeBack'; readonly id: string }
  /** A request that may wait for its answer. */
  | { readonly kind: 'lockAfterWait'; readonly id: string }
  | { readonly kind: 'resize'; readonly slots: number }
  | { readonly kind: 'freeze'; readonly fleet: boolean; readonly forMs: number | null }
  | { readonly kind: 'thaw'; readonly fleet: boolean }
  | { readonly kind: 'settle' }
  | { readonly kind: 'pass'; readonly ms: number };

/** The rules that the model and what it is compared with obey. */
export const MODEL_RULES = { group: 'g', soakMs: 100, staleAfterMs: 400, haltAfter: 2, showHolders: true } as const;

/** Wall time at which a model begins. */
export const MODEL_START = 1_700_000_000_000;

const id = fc.constantFrom('a', 'b', 'c', 'ä', '\u{1f600}', '\ufb01');
const times = fc.constantFrom(1, 50, 99, 100, 101, 200, 399, 400, 401);

/** Any command. */
export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('lock' as const), id }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lockAfterWait' as const), id }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('unlock' as const), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('force' as const, 'takeBack' as const), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resize' as const), slots: fc.integer({ min: 0, max: 4 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('freeze' as const), fleet: fc.boolean(), forMs: fc.option(times) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('thaw' as const), fleet: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'settle' as const }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: times }) },
);

interface Held {
  since: number;
  soakUntil: number | null;
  waited: boolean;
}

/** A counting semaphore, as short as it can be said. Answers in one word: an outcome or the kind of a refusal. */
export class Model {
  now = MODEL_START;
  slots: number;
  readonly held = new Map<string, Held>();
  #frozen: { group: number; fleet: number } = { group: 0, fleet: 0 };

  constructor(slots: number) {
    this.slots = slots;
  }

  /** Holders as they stand now, in no order. */
  holders(): Readonly<Record<string, Held>> {
    this.#expire();
    return Object.fromEntries(this.held);
  }

  /** Until when nothing is granted, in ms since 1970; 0: nobody has said so. It stays when that time has come. */
  get frozen(): Readonly<{ group: number; fleet: number }> {
    return { ...this.#frozen };
  }

  apply(command: Command): string | null {
    this.#expire();
    switch (command.kind) {
      case 'pass':
        this.now += command.ms;
        return null;
      case 'settle':
        return null;
      case 'lock':
      case 'lockAfterWait':
        return this.#lock(command.id, command.kind === 'lockAfterWait');
      case 'unlock':
        return this.#unlock(command.id);
      case 'force':
        return this.held.delete(command.id) ? 'released' : 'not-held';
      case 'takeBack':
        return this.#takeBack(command.id);
      case 'resize':
        return this.#resize(command.slots);
      case 'freeze':
      case 'thaw':
        return this.#freeze(command);
    }
  }

  #takeBack(id: string): string {
    const held = this.held.get(id);
    if (held === undefined || !held.waited || held.soakUntil !== null) return 'not-held';
    this.held.delete(id);
    return 'released';
  }

  #resize(slots: number): string {
    const same = this.slots === slots;
    this.slots = slots;
    return same ? 'unchanged' : 'changed';
  }

  #freeze(command: Extract<Command, { kind: 'freeze' | 'thaw' }>): string {
    const which = command.fleet ? 'fleet' : 'group';
    const was = this.#frozen[which] !== 0;
    if (command.kind === 'thaw') this.#frozen[which] = 0;
    else this.#frozen[which] = command.forMs === null ? Infinity : this.now + command.forMs;
    return was || command.kind === 'freeze' ? 'changed' : 'unchanged';
  }

  #expire(): void {
    for (const [id, { soakUntil }] of this.held) if (soakUntil !== null && soakUntil <= this.now) this.held.delete(id);
  }

  #lock(id: string, waited: boolean): string {
    const held = this.held.get(id);
    if (held !== undefined) {
      if (held.soakUntil !== null) Object.assign(held, { since: this.now, soakUntil: null });
      held.waited = false;
      return 'confirmed';
    }
    if (this.#frozen.fleet > this.now || this.#frozen.group > this.now) return 'frozen';
    const stale = [...this.held.values()].filter(
      ({ since, soakUntil }) => soakUntil === null && this.now - since > MODEL_RULES.staleAfterMs,
    );
    if (stale.length >= MODEL_RULES.haltAfter) return 'halted';
    if (this.held.size >= this.slots) return 'slots_full';
    this.held.set(id, { since: this.now, soakUntil: null, waited });
    return 'granted';
  }

  #unlock(id: string): string {
    const held = this.held.get(id);
    if (held === undefined) return 'not-held';
    if (held.soakUntil === null) Object.assign(held, { soakUntil: this.now + MODEL_RULES.soakMs, waited: false });
    return 'soaking';
  }
}
