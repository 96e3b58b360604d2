import { join } from 'node:path';
import { replaceFile } from '../base/files.ts';
import { errorText } from '../base/text.ts';

/** What `status.json` says, for whoever looks. */
export interface Status {
  readonly state: string;
  /** Milliseconds since 1970 at which the state was entered. */
  readonly since: number;
  readonly booted: string | null;
  readonly target: string | null;
  readonly line: string;
}

/** `status.json` in the run folder, which is made again where somebody has removed it. */
export class StatusFile {
  readonly #folder: string;
  readonly #onError: (text: string) => void;
  #failing = false;

  /** `onError` is told of a failure once, until it works again. */
  constructor(folder: string, onError: (text: string) => void) {
    this.#folder = folder;
    this.#onError = onError;
  }

  /** Never throws: nothing depends on it. */
  write(status: Status): void {
    const path = join(this.#folder, 'status.json');
    try {
      replaceFile(path, `${JSON.stringify({ layout: 1, ...status })}\n`);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#onError(`status.json cannot be written: ${errorText(error)}`);
      this.#failing = true;
    }
  }
}
