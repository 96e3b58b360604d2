import { renameSync, writeFileSync } from 'node:fs';

/** Replaces a file in one step, for readers at the same time. Not made for power cuts: the host is a simulated one. */
export function replaceFile(path: string, content: string): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}
