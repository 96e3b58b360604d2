import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename } from 'node:path';

/** Milliseconds between looks for a folder that is missing, was replaced, or cannot be watched. */
const LOOK_MS = 30_000;

/**
 * Calls `changed` soon after something in the folder of holds may have changed, until the returned function is called.
 * A folder that is missing or was replaced is looked for every 30 s; while the system refuses to watch it, `changed` is
 * called each time. The end of a hold is no change: see `Hold.until`. Never throws; keeps no process alive.
 */
export function watchHolds(dir: string, changed: () => void): () => void {
  const watching = new FolderWatch(dir, changed);
  return () => watching.stop();
}

class FolderWatch {
  readonly #dir: string;
  readonly #changed: () => void;
  readonly #timer: NodeJS.Timeout;
  #watcher: FSWatcher | null = null;
  /** Which folder is being watched; null when none is. */
  #watched: string | null = null;
  #telling: NodeJS.Immediate | null = null;

  constructor(dir: string, changed: () => void) {
    this.#dir = dir;
    this.#changed = changed;
    this.#open(identityOf(dir));
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#close();
    if (this.#telling !== null) clearImmediate(this.#telling);
  }

  #look(): void {
    const found = identityOf(this.#dir);
    if (found === this.#watched) return;
    this.#open(found);
    this.#tell();
  }

  #open(found: string | null): void {
    this.#close();
    if (found === null) return;
    try {
      const watcher = watch(this.#dir, { persistent: false }, (event, file) => this.#seen(event, file));
      watcher.on('error', () => this.#lost());
      [this.#watcher, this.#watched] = [watcher, found];
    } catch {
      // Too many watches, or no right to this one: the next look tries again.
    }
  }

  #close(): void {
    this.#watcher?.close();
    [this.#watcher, this.#watched] = [null, null];
  }

  /** The folder's own name stands for its removal; a file in it may be called the same, which costs a new watch. */
  #seen(event: string, file: string | null): void {
    this.#tell();
    if (event === 'rename' && file === basename(this.#dir)) this.#open(identityOf(this.#dir));
  }

  #lost(): void {
    this.#close();
    this.#tell();
  }

  /** One write to a file arrives as several events. */
  #tell(): void {
    this.#telling ??= setImmediate(() => {
      this.#telling = null;
      this.#changed();
    });
  }
}

function identityOf(dir: string): string | null {
  try {
    const { dev, ino } = statSync(dir, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}
