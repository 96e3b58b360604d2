import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { temporary } from '../support/hooks.ts';

const SYSTEMD = join(import.meta.dirname, '../../systemd');
const LINKS = [
  ['holdpoint.tmpfiles.conf', '/run/motd.d/30-holdpoint', '/run/holdpoint/motd'],
  [
    'holdpoint-zincati-metrics.tmpfiles.conf',
    '/run/zincati/public/metrics.promsock',
    '/run/holdpoint/metrics.promsock',
  ],
] as const;

test.each(LINKS)('%s links %s to %s', (file, link, target) => {
  const lines = readFileSync(join(SYSTEMD, file), 'utf8').split('\n');
  const [, path = '', , , , , to = ''] = lines.find((line) => line.startsWith('L'))?.split(/\s+/) ?? [];
  expect([path, resolve(path, '..', to)]).toEqual([link, target]);
});

const HAS_TMPFILES = spawnSync('systemd-tmpfiles', ['--version']).error === undefined && process.getuid?.() === 0;

test.skipIf(!HAS_TMPFILES).each(LINKS)('systemd-tmpfiles makes the link of %s', (file, link, target) => {
  const root = temporary();
  const conf = join(root, 'x.conf');
  copyFileSync(join(SYSTEMD, file), conf);
  // The user is one of the package.
  writeFileSync(conf, readFileSync(conf, 'utf8').replaceAll(' holdpoint holdpoint ', ' root root '));
  const made = spawnSync('systemd-tmpfiles', ['--create', `--root=${root}`, conf], { encoding: 'utf8' });
  expect(made.stderr).toBe('');
  expect(resolve(link, '..', readlinkSync(join(root, link)))).toBe(target);
});
