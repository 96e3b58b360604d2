import type { EventEmitter } from 'node:events';

/**
 * What SIGHUP means to a program that starts, runs and stops: it never ends it. What comes before the program is ready is
 * remembered, what comes while it stops counts for nothing.
 */
export class Hangups {
  #missed = false;
  #act: () => void = () => (this.#missed = true);

  /** From here on. `source`: the process. */
  constructor(source: Pick<EventEmitter, 'on'>) {
    source.on('SIGHUP', () => this.#act());
  }

  /** Calls `reload` for each one from now on, and once for all that came before. */
  ready(reload: () => void): void {
    this.#act = reload;
    if (this.#missed) reload();
    this.#missed = false;
  }

  /** Nothing is reloaded any more; `told` hears of each one. */
  over(told: () => void): void {
    this.#act = told;
  }
}
