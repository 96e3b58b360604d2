import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readPower } from '../../src/host/power.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hp-power-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** As in sysfs, where a supply is a link to its device. */
function supply(name: string, attributes: Readonly<Record<string, string>>): void {
  for (const [file, value] of Object.entries(attributes)) write(`sys/devices/${name}/${file}`, `${value}\n`);
  mkdirSync(join(root, 'sys/class/power_supply'), { recursive: true });
  symlinkSync(`../../devices/${name}`, join(root, 'sys/class/power_supply', name));
}

test('a host without power supplies is not known to run on either', () => {
  expect(readPower(root)).toBe('unknown');
  mkdirSync(join(root, 'sys/class/power_supply'), { recursive: true });
  expect(readPower(root)).toBe('unknown');
});

test('follows a laptop that is unplugged', () => {
  supply('AC', { type: 'Mains', online: '1' });
  supply('BAT0', { type: 'Battery', status: 'Not charging', present: '1' });
  expect(readPower(root)).toBe('ac');
  write('sys/devices/AC/online', '0\n');
  write('sys/devices/BAT0/status', 'Discharging\n');
  expect(readPower(root)).toBe('battery');
});

test('passes over what powers a device', () => {
  supply('hidpp_battery_0', { type: 'Battery', status: 'Discharging', scope: 'Device' });
  expect(readPower(root)).toBe('unknown');
});

test('looks at the ports of a USB-C controller', () => {
  supply('BAT0', { type: 'Battery', status: 'Discharging' });
  supply('ucsi-source-psy-1', { type: 'USB', online: '1', 'device/typec/port0/power_role': '[source] sink' });
  expect(readPower(root)).toBe('battery');
  write('sys/devices/ucsi-source-psy-1/device/typec/port1/power_role', 'source [sink]\n');
  expect(readPower(root)).toBe('ac');
});

test('does without what cannot be read', () => {
  supply('AC', { type: 'Mains', online: '1' });
  supply('BAT0', { type: 'Battery', status: 'Discharging' });
  rmSync(join(root, 'sys/devices/AC/online'));
  mkdirSync(join(root, 'sys/devices/AC/online'));
  symlinkSync('../../devices/gone', join(root, 'sys/class/power_supply/gone'));
  execFileSync('mkfifo', [join(root, 'sys/devices/BAT0/scope')]);
  write('sys/devices/BAT0/present', 'x'.repeat(5000));
  expect(readPower(root)).toBe('battery');
});
