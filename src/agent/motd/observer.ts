import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../base/files.ts';
import type { Log } from '../../base/log.ts';
import { errorText } from '../../base/text.ts';
import type { Observer } from '../observer.ts';
import { motdOf } from './text.ts';

/**
 * Keeps `motd` in the run folder: replaced when what matters has changed, removed when nothing does. At the end of the
 * agent it stays, as its last step has left it: a staged release is still staged.
 */
export function createMotd(runDir: string, log: Log): Observer {
  const file = new MotdFile(runDir);
  let problem: string | null = null;
  return {
    name: 'motd',
    see: ({ after, at, event, config }) => {
      try {
        const text = config.motd.enabled ? motdOf(after, at) : null;
        // Before the host was read, what the agent before has left is all that is known.
        if (text === null && config.motd.enabled && after.phase.name === 'starting') return;
        // With nothing but time, a file that somebody has removed is written again.
        file.write(text, event === null);
        problem = null;
      } catch (error) {
        const why = errorText(error);
        if (why !== problem) log.warn(`motd cannot be written: ${why}`);
        problem = why;
      }
    },
    close: () => undefined,
  };
}

/** Readable by everybody: it is read with the rights of whoever logs in. */
class MotdFile {
  readonly #path: string;
  /** What is there; undefined while nobody knows. */
  #content: string | null | undefined;

  constructor(folder: string) {
    this.#path = join(folder, 'motd');
  }

  /** `null`: no file. Throws when that cannot be; the next call tries again. */
  write(content: string | null, look: boolean): void {
    const isGone = look && this.#content !== null && !existsSync(this.#path);
    if (content === this.#content && !isGone) return;
    this.#content = undefined;
    if (content === null) rmSync(this.#path, { force: true });
    else replaceFile(this.#path, content);
    this.#content = content;
  }
}
