import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tellTerminals } from '../../src/host/terminals.ts';
import { type Pty, openPty } from '../support/pty.ts';

const undo: (() => void)[] = [];
let dev: string;

beforeEach(() => {
  dev = mkdtempSync(join(tmpdir(), 'hp-dev-'));
  mkdirSync(join(dev, 'pts'));
});

afterEach(() => {
  for (const one of undo.splice(0)) one();
  rmSync(dev, { recursive: true });
});

/** A terminal that is gone when the test is over. */
async function terminal(): Promise<Pty> {
  const pty = await openPty();
  undo.push(() => pty.close());
  return pty;
}

describe('a message to terminals', () => {
  test('arrives, with a bell, at each of them once', async () => {
    const [one, two] = [await terminal(), await terminal()];
    expect(await tellTerminals([one.name, two.name, one.name], 'Reboot soon.\nSave your work.')).toEqual([]);
    // The terminal itself makes CR LF of each LF.
    const written = '\r\r\n\u0007Reboot soon.\r\r\nSave your work.\r\r\n\r\r\n';
    expect([await one.read(), await two.read()]).toEqual([written, written]);
  });

  test('never waits for one that nobody reads from, and says so', async () => {
    const { name } = await terminal();
    const problems: string[] = [];
    for (let tries = 0; tries < 200 && problems.length === 0; tries += 1) {
      problems.push(...(await tellTerminals([name], 'x '.repeat(900))));
    }
    expect(problems).toEqual([`${name}: takes no more text at the moment`]);
  });

  test('to nobody, to who is gone, or to what is no terminal stops nobody else', async () => {
    const { name, read } = await terminal();
    expect(await tellTerminals([], 'hello')).toEqual([]);
    const problems = await tellTerminals(['pts/9999999', '../etc/passwd', name, 'a\nb'], 'hello');
    expect(problems).toEqual([
      expect.stringMatching(/^pts\/9999999: ENOENT/),
      '../etc/passwd: not the name of a terminal',
      'a b: not the name of a terminal',
    ]);
    expect(await read()).toContain('hello');
  });
});

describe('what is named like a terminal and is none', () => {
  test('is not written to: a file', async () => {
    writeFileSync(join(dev, 'tty1'), 'precious');
    expect(await tellTerminals(['tty1'], 'hello', dev)).toEqual(['tty1: not a terminal']);
    expect(readFileSync(join(dev, 'tty1'), 'utf8')).toBe('precious');
  });

  test('is not written to: a fifo, whether or not anybody reads from it', async () => {
    const path = join(dev, 'pts', '0');
    execFileSync('mkfifo', [path]);
    expect(await tellTerminals(['pts/0'], 'hello', dev)).toEqual([expect.stringMatching(/^pts\/0: ENXIO/)]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    undo.push(() => closeSync(reader));
    expect(await tellTerminals(['pts/0'], 'hello', dev)).toEqual(['pts/0: not a terminal']);
    expect(readSync(reader, Buffer.alloc(10))).toBe(0);
  });

  test('is not followed: a link, even to a terminal', async () => {
    const { name } = await terminal();
    symlinkSync(join('/dev', name), join(dev, 'tty1'));
    expect(await tellTerminals(['tty1'], 'hello', dev)).toEqual([expect.stringMatching(/^tty1: ELOOP/)]);
  });

  test.skipIf(process.getuid?.() !== 0)('is not written to: another device', async () => {
    execFileSync('mknod', [join(dev, 'tty1'), 'c', '1', '3']);
    expect(await tellTerminals(['tty1'], 'hello', dev)).toEqual(['tty1: not a terminal']);
  });

  test('is not created', async () => {
    expect(await tellTerminals(['tty1'], 'hello', dev)).toEqual([expect.stringMatching(/^tty1: ENOENT/)]);
    expect(() => readFileSync(join(dev, 'tty1'))).toThrow('ENOENT');
  });
});
