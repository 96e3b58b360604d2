import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { ensureFolder, readCapped, writeAtomic } from '../base/files.ts';
import { errorText } from '../base/text.ts';
import type { Memory } from './machine/memory.ts';
import { MEMORY_CAP, parseMemory, serializeMemory } from './memory-file.ts';

/** A memory as found on disk. */
export interface LoadedMemory {
  /** Null when there is none that can be used. */
  readonly memory: Memory | null;
  /** What could not be believed, fit for a log. */
  readonly problems: readonly string[];
}

/** Where the memory of an agent is kept: `state.json` in its state folder. */
export class MemoryStore {
  readonly #path: string;

  constructor(folder: string) {
    ensureFolder(folder, 0o700);
    this.#path = join(folder, 'state.json');
  }

  /** Reads the memory. A file that is none is put aside, with its content, rather than overwritten. */
  load(): LoadedMemory {
    try {
      const source = readCapped(this.#path, MEMORY_CAP);
      if (source === null) return { memory: null, problems: [] };
      const { memory, problems } = parseMemory(source);
      return { memory, problems: problems.map((problem) => `${this.#path}: ${problem}; left out`) };
    } catch (error) {
      return { memory: null, problems: [`${this.#path}: ${errorText(error)}; ${this.#putAside()}`] };
    }
  }

  /** Replaces the memory; it is on disk when this returns. Throws when it cannot be written. */
  save(memory: Memory): void {
    writeAtomic(this.#path, serializeMemory(memory));
  }

  #putAside(): string {
    const aside = `${this.#path}.unreadable`;
    try {
      renameSync(this.#path, aside);
      return `kept as ${aside}`;
    } catch (error) {
      return `it could not be put aside: ${errorText(error)}`;
    }
  }
}
