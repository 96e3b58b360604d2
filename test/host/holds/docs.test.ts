import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readHolds } from '../../../src/host/holds/read.ts';

const GUIDE = readFileSync(join(import.meta.dirname, '../../../docs/operations.md'), 'utf8');
const [, SECTION = ''] = /^## Holding a host back from other tools\n(.*?)^## /ms.exec(GUIDE) ?? [];

let folder: string;
let dir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hp-docs-'));
  dir = join(folder, 'holds.d');
  mkdirSync(dir);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sh = (script: string): void => void execFileSync('sh', ['-e', '-c', script], { stdio: 'inherit' });

test('the example holds while its work is done, and no longer', () => {
  const example = [...SECTION.matchAll(/^ {4}(.*)$/gm)].map(([, line = '']) => line).join('\n');
  expect(example).toContain('tar -cf');
  const during = join(folder, 'during');
  // What it does while it holds is to keep a copy, as it then stands.
  const script = example.replace('/run/holdpoint/holds.d', dir).replace(/^tar .*$/m, `cp -Rp "$dir" ${during}`);
  sh(script);
  const { holds, problems } = readHolds(during, Date.now());
  expect(problems).toEqual([]);
  expect(holds).toMatchObject([{ name: 'backup', reason: 'nightly backup to vault2' }]);
  expect((holds[0]?.until ?? 0) - (holds[0]?.since ?? 0)).toBe(7_200_000);
  expect(readHolds(dir, Date.now()).holds).toEqual([]);
});

test('touch makes a hold, and what date prints is an end', () => {
  sh(`cd ${dir}; touch a; { echo x; echo "until=$(TZ=Asia/Kolkata date --iso-8601=seconds -d @4000000000)"; } > b`);
  const { holds, problems } = readHolds(dir, Date.now());
  expect([holds.map(({ until }) => until), problems]).toEqual([[null, 4_000_000_000_000], []]);
});
