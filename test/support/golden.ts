import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'vitest';

/**
 * Compares text with the golden file at `path` (absolute; start it with `import.meta.dirname`). With UPDATE_GOLDEN=1 the
 * file is written instead: read the difference before you commit it. A missing file fails like a different one.
 */
export function expectGolden(actual: string, path: string): void {
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
    return;
  }
  if (!existsSync(path)) expect.fail(`no golden file ${path}: run once with UPDATE_GOLDEN=1 and read what it wrote`);
  expect(actual, `differs from ${path} (UPDATE_GOLDEN=1 writes it anew)`).toBe(readFileSync(path, 'utf8'));
}
