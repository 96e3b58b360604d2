import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';

const { loads } = vi.hoisted(() => ({ loads: [] as string[] }));
vi.mock('cron-parser', async (original) => {
  loads.push('cron-parser');
  return original();
});

const CASES = join(import.meta.dirname, 'cases');

test('cron-parser is loaded when a window has a schedule, at a reload too', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'holdpoint-lazy-'));
  try {
    cpSync(join(CASES, 'zincati-periodic'), dir, { recursive: true });
    expect((await loadConfig([dir])).config?.updates.periodic.windows).toHaveLength(3);
    expect(loads).toEqual([]);
    cpSync(join(CASES, 'cron'), dir, { recursive: true });
    expect((await loadConfig([dir])).config?.updates.periodic.windows).toHaveLength(7);
    expect(loads).toEqual(['cron-parser']);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
