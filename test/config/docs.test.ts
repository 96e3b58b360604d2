import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readCron } from '../../src/config/cron-library.ts';
import { buildConfig } from '../../src/config/load.ts';
import { AGENT_KEYS } from '../../src/config/schema.ts';
import { documentKeys, tomlBlocks } from '../support/config-docs.ts';
import { expectGolden } from '../support/golden.ts';

const PATH = join(import.meta.dirname, '../../docs/configuration.md');

test('docs/configuration.md describes every key', () => {
  expectGolden(documentKeys(readFileSync(PATH, 'utf8'), 'keys', AGENT_KEYS), PATH);
});

test('the examples in docs/configuration.md have no problem', () => {
  const blocks = tomlBlocks(readFileSync(PATH, 'utf8'));
  expect(blocks).toHaveLength(5);
  const problems = blocks.flatMap((text) => buildConfig([{ path: 'docs', text }], [], readCron).problems);
  expect(problems).toEqual([]);
});
