import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';

let top = '';
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'holdpoint-config-'));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function write(name: string, text: string): void {
  const path = join(top, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const group = (name: string): string => `identity.group = "${name}"\n`;
const DIRS = ['usr', 'run', 'etc'];

async function load(
  dirs: readonly string[] = DIRS,
): Promise<{ group: string | null; problems: string[]; files: string[] }> {
  const { config, problems, files } = await loadConfig(dirs.map((dir) => join(top, dir)));
  const short = (text: string): string => text.replaceAll(`${top}/`, '');
  return {
    group: config?.identity.group ?? null,
    problems: problems.map((problem) => short(formatProblem(problem))),
    files: files.map(short),
  };
}

describe('drop-in folders', () => {
  beforeEach(() => DIRS.forEach((dir) => mkdirSync(join(top, dir))));

  test('of files with one name the one in the last folder counts', async () => {
    write('usr/50-a.toml', 'identity.stream = "never read"');
    write('run/50-a.toml', group('run'));
    expect(await load()).toEqual({ group: 'run', problems: [], files: ['run/50-a.toml'] });
    write('etc/50-a.toml', group('etc'));
    expect(await load()).toEqual({ group: 'etc', problems: [], files: ['etc/50-a.toml'] });
  });

  test('files merge in the order of their names, whatever their folder', async () => {
    write('etc/10-a.toml', group('etc'));
    write('usr/90-z.toml', group('usr'));
    write('run/50-m.toml', group('run'));
    expect(await load()).toEqual({
      group: 'usr',
      problems: [],
      files: ['etc/10-a.toml', 'run/50-m.toml', 'usr/90-z.toml'],
    });
  });

  test('a link to /dev/null and an empty file mask a name', async () => {
    write('usr/50-a.toml', group('usr'));
    symlinkSync('/dev/null', join(top, 'etc/50-a.toml'));
    expect(await load()).toEqual({ group: 'default', problems: [], files: [] });
    rmSync(join(top, 'etc/50-a.toml'));
    write('etc/50-a.toml', '');
    expect(await load()).toEqual({ group: 'default', problems: [], files: ['etc/50-a.toml'] });
  });

  test('a link to a file elsewhere is followed', async () => {
    write('elsewhere.txt', group('linked'));
    symlinkSync(join(top, 'elsewhere.txt'), join(top, 'etc/50-a.toml'));
    expect((await load()).group).toBe('linked');
  });

  test('names that start with a dot or end otherwise are skipped', async () => {
    for (const name of ['.50-a.toml', '.toml', '50-a.toml~', '50-a.conf', 'README', '50-a.TOML']) {
      write(`etc/${name}`, 'not = toml at all');
    }
    expect(await load()).toEqual({ group: 'default', problems: [], files: [] });
  });

  test('what is not a readable file is a problem, never a hang', async () => {
    execFileSync('mkfifo', [join(top, 'etc/10-pipe.toml')]);
    symlinkSync('/dev/zero', join(top, 'etc/20-device.toml'));
    mkdirSync(join(top, 'etc/30-folder.toml'));
    symlinkSync('nowhere', join(top, 'etc/40-dangling.toml'));
    symlinkSync('50-loop.toml', join(top, 'etc/50-loop.toml'));
    write('etc/60-large.toml', `#${'x'.repeat(65_536)}`);
    expect(await load()).toEqual({
      group: null,
      files: [],
      problems: [
        'etc/10-pipe.toml: error: cannot read this file: it is not a regular file',
        'etc/20-device.toml: error: cannot read this file: it is not a regular file',
        'etc/30-folder.toml: error: cannot read this file: it is not a regular file',
        'etc/40-dangling.toml: error: cannot read this file: ENOENT: no such file or directory',
        'etc/50-loop.toml: error: cannot read this file: ELOOP: too many symbolic links encountered',
        'etc/60-large.toml: error: cannot read this file: larger than 65536 bytes',
      ],
    });
  });

  test('a folder that cannot be read is an error', async () => {
    write('file', '');
    symlinkSync('loop', join(top, 'loop'));
    const { group, problems } = await load(['etc', 'file', 'loop']);
    expect(group).toBe(null);
    expect(problems).toEqual([
      expect.stringMatching(/^file: error: cannot read this folder: ENOTDIR/),
      expect.stringMatching(/^loop: error: cannot read this folder: ELOOP/),
    ]);
  });

  test('more than 256 files are too many', async () => {
    for (let index = 100; index < 356; index += 1) write(`etc/${index}.toml`, '');
    expect((await load()).problems).toEqual([]);
    write('etc/999.toml', '');
    expect((await load()).problems).toEqual(['etc/999.toml: error: more than 256 files, this one is too many']);
  });

  test('the same files give the same answer again, and a bad change is seen', async () => {
    write('etc/50-a.toml', group('a'));
    expect(await load()).toEqual(await load());
    write('etc/50-a.toml', 'identity.group = 1');
    expect((await load()).group).toBe(null);
    write('etc/50-a.toml', group('b'));
    expect((await load()).group).toBe('b');
  });

  test('a file with thousands of problems shows the first hundred', async () => {
    write('etc/50-a.toml', Array.from({ length: 3000 }, (_, index) => `key_${index} = 1\n`).join(''));
    const { problems } = await load();
    expect(problems).toHaveLength(101);
    expect(problems).toContain('etc/50-a.toml: error: more problems, not shown');
  });
});

test('a folder that was named and is not there is an error', async () => {
  expect(await load(['none'])).toEqual({ group: null, files: [], problems: ['none: error: there is no such folder'] });
});

test('the usual three folders may be missing', async () => {
  expect((await loadConfig()).problems.filter(({ message }) => message.includes('no such folder'))).toEqual([]);
});

test('for any files in any folders: last name wins, last folder first', async () => {
  const file = fc.record({
    dir: fc.constantFrom(...DIRS),
    name: fc.stringMatching(/^[0-9a-cA-C_-]{1,3}$/),
    group: fc.option(fc.stringMatching(/^[a-z]{1,4}$/), { nil: null }),
    length: fc.option(fc.integer({ min: 1, max: 99 }), { nil: null }),
  });
  const window = (length: number): string =>
    `[[updates.periodic.window]]\ndays = ["Mon"]\nstart_time = "00:00"\nlength_minutes = ${length}\n`;
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(file, { selector: ({ dir, name }) => `${dir}/${name}`, maxLength: 6 }),
      async (files) => {
        for (const dir of DIRS) {
          rmSync(join(top, dir), { recursive: true, force: true });
          mkdirSync(join(top, dir));
        }
        for (const { dir, name, group: value, length } of files) {
          write(`${dir}/${name}.toml`, (value === null ? '' : group(value)) + (length === null ? '' : window(length)));
        }
        const names = [...new Set(files.map(({ name }) => `${name}.toml`))].sort();
        const effective = names.flatMap((name) => {
          const same = files.filter((candidate) => `${candidate.name}.toml` === name);
          return same.sort((a, b) => DIRS.indexOf(b.dir) - DIRS.indexOf(a.dir)).slice(0, 1);
        });
        const { config } = await loadConfig(DIRS.map((dir) => join(top, dir)));
        expect(config?.identity.group).toBe(effective.findLast((one) => one.group !== null)?.group ?? 'default');
        expect(config?.updates.periodic.windows.map(({ lengthMinutes }) => lengthMinutes)).toEqual(
          effective.flatMap(({ length }) => length ?? []),
        );
      },
    ),
    { numRuns: 60 },
  );
});
