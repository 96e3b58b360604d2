import type { Log } from '../base/log.ts';
import { errorText } from '../base/text.ts';
import type { FleetStatus } from './api.ts';
import { type Notice, noticesBetween } from './notices.ts';
import { every, type Time } from './time.ts';

/** Milliseconds between two looks at the fleet and its store. */
const LOOK_MS = 15_000;
/** Milliseconds between two looks because of changes. */
const CHANGES_MS = 1_000;

/** What the lookout needs. */
export interface LookoutOptions {
  readonly manager: Watched;
  readonly log: Log;
  /** Sends a notice to whoever wants it. */
  readonly send: (notice: Notice) => void;
  readonly time: Time;
}

/** What of a manager is looked at. */
export interface Watched {
  /** Rejects when the store does not answer. */
  readonly status: () => Promise<FleetStatus>;
  /** As far as it is known, without asking the store. */
  readonly peek: () => FleetStatus;
  /** Calls back when there is something new to see. Returns the way to stop. */
  readonly observe: (observer: (isFreeze: boolean) => void) => () => void;
}

/**
 * Looks at the fleet and says what a person should hear of: as soon as it changes, at most once a second (a freeze always,
 * however short), and now and then anyhow. Returns the way to stop.
 */
export function startLookout(options: LookoutOptions): () => void {
  const lookout = new Lookout(options);
  return () => lookout.stop();
}

class Lookout {
  readonly #options: LookoutOptions;
  readonly #stops: readonly (() => void)[];
  #before: FleetStatus | null = null;
  #warnings = new Set<string>();
  #looking = false;
  /** No look because of changes before the timer has run; there has been a change since. */
  #resting: { again: boolean; readonly stop: () => void } | null = null;

  constructor(options: LookoutOptions) {
    this.#options = options;
    const { manager, time } = options;
    void this.#look();
    this.#stops = [
      manager.observe((isFreeze) => this.#changed(isFreeze)),
      every(time, LOOK_MS, () => void this.#look()),
    ];
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#resting?.stop();
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { manager, log } = this.#options;
    try {
      const after = await manager.status();
      this.#tell(after);
      const { warnings } = after.store;
      for (const warning of warnings) if (!this.#warnings.has(warning)) log.warn(`store: ${warning}`);
      this.#warnings = new Set(warnings);
    } catch (error) {
      log.debug(`the fleet could not be looked at: ${errorText(error)}`);
    } finally {
      this.#looking = false;
    }
  }

  #changed(isFreeze: boolean): void {
    if (this.#resting !== null && !isFreeze) {
      this.#resting.again = true;
      return;
    }
    this.#resting?.stop();
    this.#rest();
    this.#tell(this.#options.manager.peek());
  }

  #rest(): void {
    const stop = this.#options.time.after(CHANGES_MS, () => {
      const isDue = this.#resting?.again === true;
      this.#resting = null;
      if (isDue) this.#changed(false);
    });
    this.#resting = { again: false, stop };
  }

  #tell(after: FleetStatus): void {
    const { log, send } = this.#options;
    for (const notice of noticesBetween(this.#before, after)) {
      log[notice.level]({ event: notice.event }, notice.text);
      send(notice);
    }
    this.#before = after;
  }
}
