import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createMotd } from '../../../src/agent/motd/observer.ts';
import type { Observer, Sight } from '../../../src/agent/observer.ts';
import { createLog } from '../../../src/base/log.ts';
import { instant } from '../../support/agent-builders.ts';
import { Driver } from '../../support/agent-driver.ts';
import { configOf } from '../../support/agent-shell.ts';
import { held, settled } from '../../support/agent-situations.ts';

interface Motd {
  readonly folder: string;
  readonly path: string;
  readonly said: string[];
  readonly observer: Observer;
  readonly see: (driver: Driver, config?: string, timeOnly?: boolean) => void;
}

function start(): Motd {
  const parent = mkdtempSync(join(tmpdir(), 'hp-motd-'));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  const folder = join(parent, 'run');
  mkdirSync(folder);
  const said: string[] = [];
  const write = (text: string): void => void said.push(text.trim());
  const observer = createMotd(folder, createLog({ format: 'text', level: 'warn', write, journald: false }));
  const see: Motd['see'] = (driver, config = '', timeOnly = false) => {
    const at = instant(driver.mono);
    const event: Sight['event'] = timeOnly ? null : { kind: 'tick', at, dice: 0 };
    observer.see({ before: driver.state, after: driver.state, at, event, line: '', config: configOf(config) });
  };
  return { folder, path: join(folder, 'motd'), said, observer, see };
}

const WAITING = 'holdpoint: 42.2 is staged; the reboot waits: paused by root (maintenance)\n';

test('the file is there while there is something to tell, readable by everybody', () => {
  const { folder, path, see } = start();
  see(settled());
  expect(readdirSync(folder)).toEqual([]);
  see(held({}, { pause: true }));
  expect(readdirSync(folder)).toEqual(['motd']);
  expect(readFileSync(path, 'utf8')).toBe(WAITING);
  expect((statSync(path).mode & 0o777).toString(8)).toBe('644');
  see(settled());
  expect(readdirSync(folder)).toEqual([]);
});

test('it is written only when something has changed, and then replaced', () => {
  const { path, see } = start();
  const driver = held({}, { pause: true });
  see(driver);
  const first = statSync(path, { bigint: true });
  driver.mono += 1_000;
  see(driver);
  expect(statSync(path, { bigint: true }).ctimeNs).toBe(first.ctimeNs);
  driver.send({ kind: 'pause', by: 'root', until: null, reason: 'another' });
  see(driver);
  expect(statSync(path, { bigint: true }).ino).not.toBe(first.ino);
  expect(readFileSync(path, 'utf8')).toContain('another');
});

test('what an agent before has left stays until this one knows better', () => {
  const { path, see } = start();
  writeFileSync(path, WAITING);
  const driver = new Driver();
  driver.send({ kind: 'started' });
  see(driver);
  expect(readFileSync(path, 'utf8')).toBe(WAITING);
  see(settled());
  expect(existsSync(path)).toBe(false);
});

test('it stays at the end of the agent', async () => {
  const { path, observer, see } = start();
  see(held({}, { pause: true }));
  await observer.close(AbortSignal.timeout(1_000));
  expect(existsSync(path)).toBe(true);
});

test('it is removed when it is turned off, also before the host was read', () => {
  const { path, see } = start();
  writeFileSync(path, WAITING);
  see(new Driver(), 'motd.enabled = false\n');
  expect(existsSync(path)).toBe(false);
});

test('one that somebody has removed is written again within the hour', () => {
  const { folder, path, see } = start();
  const driver = held({}, { pause: true });
  see(driver);
  rmSync(folder, { recursive: true });
  see(driver);
  expect(existsSync(path)).toBe(false);
  see(driver, '', true);
  expect(readFileSync(path, 'utf8')).toBe(WAITING);
});

test('what keeps it from being written is said once, until it works again', () => {
  const { folder, path, said, see } = start();
  rmSync(folder, { recursive: true });
  writeFileSync(folder, 'in the way');
  const driver = held({}, { pause: true });
  see(driver);
  see(driver);
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/motd cannot be written: /);
  rmSync(folder);
  see(driver);
  expect(readFileSync(path, 'utf8')).toBe(WAITING);
});
