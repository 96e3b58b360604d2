import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GROUP_KEYS } from '../../../src/manager/config/group.ts';
import { buildManagerConfig } from '../../../src/manager/config/load.ts';
import { MANAGER_KEYS } from '../../../src/manager/config/schema.ts';
import { documentKeys, tomlBlocks } from '../../support/config-docs.ts';
import { expectGolden } from '../../support/golden.ts';

const ROOT = join(import.meta.dirname, '../../..');
const DOCS = join(ROOT, 'docs/manager-configuration.md');
const EXAMPLE = join(ROOT, 'examples/manager.toml');

describe('docs/manager-configuration.md', () => {
  test('describes every key', () => {
    const text = readFileSync(DOCS, 'utf8');
    const keys = documentKeys(text, 'keys', MANAGER_KEYS);
    expectGolden(documentKeys(keys, 'keys of a group', GROUP_KEYS, 'lock.groups.'), DOCS);
  });

  test('has examples without a problem', () => {
    const blocks = tomlBlocks(readFileSync(DOCS, 'utf8'));
    expect(blocks).toHaveLength(3);
    for (const text of blocks) expect(buildManagerConfig({ path: 'docs', text }).problems).toEqual([]);
  });
});

describe('examples/manager.toml', () => {
  const text = readFileSync(EXAMPLE, 'utf8');

  test('has no problem', () => {
    expect(buildManagerConfig({ path: EXAMPLE, text }).problems).toEqual([]);
  });

  test('has no problem with everything in it that is a comment, but for the choice of one store', () => {
    const all = text.replaceAll(/^# (\[|\w+ = )/gm, '$1');
    const { config, problems } = buildManagerConfig({ path: EXAMPLE, text: all });
    expect(problems.map(({ message }) => message)).toEqual([
      'store.path: has no effect, because etcd3.endpoints is set',
    ]);
    expect(config?.etcd3).not.toBe(null);
    expect(config?.notify).not.toBe(null);
    expect([...(config?.groups.values() ?? [])].map(({ gate }) => gate?.kind)).toContain('prometheus');
  });
});
