import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configCommands } from '../../src/cli/config.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { testIo } from './io.ts';

let top = '';
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'holdpoint-cli-'));
  mkdirSync(join(top, 'a'));
  mkdirSync(join(top, 'b'));
  writeFileSync(join(top, 'a/10.toml'), 'identity.group = "workers"\nupdates.enable = true\n');
  writeFileSync(join(top, 'b/20.toml'), 'cincinnati.base_url = "https://a:hunter2@updates.example.com/"\n');
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const WARNING = "10.toml:2:9: warning: unknown key 'updates.enable' is ignored, did you mean 'updates.enabled'?\n";

async function run(...argv: string[]): Promise<{ status: number; out: string; err: string }> {
  const io = testIo();
  const dirs = ['a', 'b'].flatMap((dir) => ['--config-dir', join(top, dir)]);
  const status = await dispatch(configCommands, [...argv, ...dirs], io);
  const short = (text: string): string => text.replaceAll(/[^ "\n]*\/(?=\d\d\.toml)/g, '');
  return { status, out: short(io.out()), err: short(io.err()) };
}

function breakIt(): void {
  writeFileSync(join(top, 'b/30.toml'), 'identity.group = 7\n');
}

const ERROR =
  "30.toml:1:18: error: identity.group: expected a group name (letters, digits, '.', '-'), found the integer 7\n";

describe('config check', () => {
  test('passes with warnings', async () => {
    const verdict = 'The configuration is good: 0 errors, 1 warning in 2 files.\n';
    expect(await run('config', 'check')).toEqual({ status: 0, out: WARNING + verdict, err: '' });
  });

  test('warns of freezes that are over, wherever on earth the host is', async () => {
    const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    const freeze = (from: string, until: string): string =>
      `[[updates.freeze]]\nfrom = "${from}"\nuntil = "${until}"\nreason = "a holiday"\n`;
    writeFileSync(
      join(top, 'b/30.toml'),
      freeze('2020-01-01', '2020-01-06') + freeze(day(-9), day(0)) + freeze(day(-9), day(-2)),
    );
    const { status, out } = await run('config', 'check');
    const over = (line: number, last: string): string =>
      `30.toml:${line}:1: warning: updates.freeze: it was over after ${last}, and has no effect any more\n`;
    expect([status, out]).toEqual([
      0,
      `${WARNING}${over(1, '2020-01-06')}${over(9, day(-2))}The configuration is good: 0 errors, 3 warnings in 3 files.\n`,
    ]);
  });

  test('fails with errors', async () => {
    breakIt();
    const verdict = 'The configuration is not usable: 1 error, 1 warning in 3 files.\n';
    expect(await run('config', 'check')).toEqual({ status: 3, out: WARNING + ERROR + verdict, err: '' });
  });

  test('prints JSON', async () => {
    breakIt();
    const { status, out } = await run('config', 'check', '--json');
    expect(status).toBe(3);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      files: ['10.toml', '20.toml', '30.toml'],
      problems: [
        { severity: 'warning', file: '10.toml', line: 2, column: 9 },
        { severity: 'error', file: '30.toml', line: 1, column: 18 },
      ],
    });
  });
});

describe('config show', () => {
  test('prints values, problems on the side', async () => {
    const { status, out, err } = await run('config', 'show');
    expect(status).toBe(0);
    expect(err).toBe(WARNING);
    expect(out).toContain('\ngroup = "workers"\n');
    expect(out).toContain('\nbase_url = "https://***@updates.example.com/"\n');
  });

  test('says where each value comes from', async () => {
    const { out } = await run('config', 'show', '--origins');
    expect(out).toContain('\ngroup = "workers"  # from 10.toml:1\n');
    expect(out).toContain('\nenabled = true  # default\n');
  });

  test('prints JSON, with origins on wish', async () => {
    const plain: unknown = JSON.parse((await run('config', 'show', '--json')).out);
    expect(plain).toMatchObject({
      config: { identity: { group: 'workers', stream: null }, updates: { enabled: true } },
    });
    expect(plain).not.toHaveProperty('origins');
    const { out } = await run('config', 'show', '--json', '--origins');
    expect(JSON.parse(out)).toMatchObject({ origins: { 'identity.group': ['10.toml:1'], 'updates.enabled': [] } });
  });

  test('prints nothing that is not in effect', async () => {
    breakIt();
    expect(await run('config', 'show', '--json')).toEqual({ status: 3, out: '', err: WARNING + ERROR });
  });
});
