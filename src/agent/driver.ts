import type { AgentState } from './machine/state.ts';

/** Phases that last, and the work of which none may be under way: a finalize would be refused meanwhile. */
const RESTING: ReadonlySet<string> = new Set(['watching', 'holding']);
const BUSY = ['look', 'stage', 'discard', 'finalize', 'lock'] as const;

/**
 * Registers this agent as rpm-ostree's update driver, where it is one: with updates disabled, or staged by others, their
 * command line has to go on working. A registration lasts until the next boot.
 */
export class DriverRegistration {
  readonly #register: () => Promise<boolean>;
  #stands: 'wanted' | 'asked' | 'refused' | 'registered' = 'wanted';

  /** `register` says whether it worked; it never rejects. */
  constructor(register: () => Promise<boolean>) {
    this.#register = register;
  }

  /** Registers if it is time to. */
  consider({ settings, host, phase, pending }: AgentState): void {
    const isDriver = settings.enabled && settings.source === 'graph' && (host?.booted ?? null) !== null;
    const isQuiet = RESTING.has(phase.name) && BUSY.every((kind) => pending[kind] === undefined);
    if (this.#stands !== 'wanted' || !isDriver || !isQuiet) return;
    this.#stands = 'asked';
    void this.#register().then((isRegistered) => (this.#stands = isRegistered ? 'registered' : 'refused'));
  }

  /** Something has happened since: what was refused may be tried again. */
  again(): void {
    if (this.#stands === 'refused') this.#stands = 'wanted';
  }
}
