import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Key } from '../../src/config/keys.ts';
import { buildConfig } from '../../src/config/load.ts';
import { AGENT_KEYS } from '../../src/config/schema.ts';
import { toTomlValue } from '../../src/config/show.ts';
import { expectGolden } from '../support/golden.ts';

const PATH = join(import.meta.dirname, '../../docs/configuration.md');
const SECTION = /(<!-- keys: .* -->\n)[^]*(<!-- end of keys -->\n)/;

function describeKey([path, { type, plain, adds, doc }]: [string, Key<unknown>]): string {
  const title = adds ? `[[${path}]]` : path;
  const fallback = adds ? 'none' : plain === null ? 'unset' : `\`${toTomlValue(plain)}\``;
  const accepts = type.expected.replaceAll(/"[^"]+"/g, '`$&`').replaceAll(/'[^']'|\w+:\/\//g, '`$&`');
  return `### \`${title}\`\n\n${doc}\n\n- Value: ${accepts}\n- Default: ${fallback}\n`;
}

test('docs/configuration.md describes every key', () => {
  const text = readFileSync(PATH, 'utf8');
  const keys = Object.entries<Key<unknown>>(AGENT_KEYS).map(describeKey).join('\n');
  expect(text).toMatch(SECTION);
  expectGolden(
    text.replace(SECTION, (_, start: string, end: string) => `${start}\n${keys}\n${end}`),
    PATH,
  );
});

test('the examples in docs/configuration.md have no problem but what this version cannot do', () => {
  const blocks = [...readFileSync(PATH, 'utf8').matchAll(/```toml\n([^]*?)```/g)].map(([, block = '']) => block);
  expect(blocks).toHaveLength(2);
  const problems = blocks.flatMap((text) => buildConfig([{ path: 'docs', text }]).problems);
  expect(problems.map(({ message }) => message)).toEqual([
    expect.stringContaining('this version does not carry out "periodic" yet'),
  ]);
});
