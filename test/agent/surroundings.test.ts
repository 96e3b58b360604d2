import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Around } from '../../src/agent/gates/around.ts';
import { createSurroundings } from '../../src/agent/surroundings.ts';
import { createLog } from '../../src/base/log.ts';
import { buildConfig } from '../../src/config/load.ts';
import { instant } from '../support/agent-builders.ts';
import { busPair } from '../support/bus.ts';
import { folder, temporary, writeHook } from '../support/hooks.ts';

/** Reads the surroundings of a host with these files, and nobody on its bus. */
async function read(root: string): Promise<Around> {
  const { agent: bus } = await busPair();
  const { config } = buildConfig([]);
  const log = createLog({ format: 'text', level: 'error', journald: false, write: () => undefined });
  const surroundings = createSurroundings({
    ...{ bus, log, root, clock: () => instant(0) },
    ...{ config: () => config!, runDir: folder(join(root, 'run')) },
  });
  return surroundings.read();
}

test('a hooks folder that cannot be read has hooks, which will say so', async () => {
  const root = temporary();
  const hooks = folder(join(root, 'etc/holdpoint/hooks.d'));
  writeHook(hooks, 'may-reboot', '10-check', 'exit 0');
  mkdirSync(join(hooks, 'pre-stage'));
  symlinkSync('pre-reboot', join(hooks, 'pre-reboot'));
  expect((await read(root)).hooks).toEqual(['may-reboot', 'pre-reboot']);
});
