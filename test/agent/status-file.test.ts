import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { StatusFile } from '../../src/agent/status-file.ts';

const STATUS = { state: 'watching', since: 1, booted: '42.1', target: null, line: 'running 42.1' };

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'hp-status-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('the status is written, also where the folder has been removed meanwhile', () => {
  const path = join(folder(), 'run');
  const said: string[] = [];
  const file = new StatusFile(path, (text) => said.push(text));
  file.write(STATUS);
  rmSync(path, { recursive: true });
  file.write({ ...STATUS, line: 'another' });
  expect(JSON.parse(readFileSync(join(path, 'status.json'), 'utf8'))).toEqual({
    layout: 1,
    ...STATUS,
    line: 'another',
  });
  expect(said).toEqual([]);
});

test('what keeps it from being written is said once, until it works again', () => {
  const path = join(folder(), 'run');
  const said: string[] = [];
  const file = new StatusFile(path, (text) => said.push(text));
  writeFileSync(path, 'in the way');
  file.write(STATUS);
  file.write(STATUS);
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch('status.json cannot be written');
  rmSync(path);
  file.write(STATUS);
  writeFileSync(join(path, 'x'), '');
  rmSync(path, { recursive: true });
  writeFileSync(path, 'in the way');
  file.write(STATUS);
  expect(said).toHaveLength(2);
});
