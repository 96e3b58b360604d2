import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readHostFiles } from '../../../src/host/identity/read.ts';

const BOOT_ID = '1c09ca98-649c-4c7a-bc77-9cd04c96812e';
const MACHINE_ID = '2e074e9b299c41a59923c51ae16f279b';

let root = '';
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'hp-host-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

it('reads what a host says about itself', () => {
  write('proc/sys/kernel/random/boot_id', `${BOOT_ID}\n`);
  write('etc/machine-id', `${MACHINE_ID}\n`);
  write('proc/cmdline', 'ro ignition.platform.id=aws\n');
  expect(readHostFiles(root)).toEqual({
    bootId: BOOT_ID,
    machineId: MACHINE_ID,
    cmdline: 'ro ignition.platform.id=aws\n',
  });
});

it('does without a machine id and a command line', () => {
  write('proc/sys/kernel/random/boot_id', BOOT_ID);
  expect(readHostFiles(root)).toEqual({ bootId: BOOT_ID, machineId: null, cmdline: '' });
});

it('does not do without a boot id', () => {
  expect(() => readHostFiles(root)).toThrow(`${root}/proc/sys/kernel/random/boot_id`);
});

it('refuses a malformed machine id', () => {
  write('proc/sys/kernel/random/boot_id', BOOT_ID);
  write('etc/machine-id', 'uninitialized\n');
  expect(() => readHostFiles(root)).toThrow('machine-id');
});

it('refuses files that are far too large', () => {
  write('proc/sys/kernel/random/boot_id', 'x'.repeat(65 * 1024));
  expect(() => readHostFiles(root)).toThrow('larger than 65536 bytes');
});

it('reads the files of this very machine, of which /proc states no size', () => {
  expect(readHostFiles('/').bootId).toMatch(/^[0-9a-f-]{36}$/);
});
