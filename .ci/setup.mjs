// Brings what a checkout needs before it can build, run its demo or its tests: the npm packages of the lockfile and,
// where this user may install them, the programs named on the command line (default: dbus-daemon). After the word `demo`
// come the arguments of the demo instead, which say what it needs.
// Prints to standard error only, so that a command after it owns standard output.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { delimiter, join } from 'node:path';
import process from 'node:process';

const root = join(import.meta.dirname, '..');
/** Program → the package that brings it, per package manager. */
const PACKAGES = {
  'dbus-daemon': { 'apt-get': 'dbus-daemon', dnf: 'dbus-daemon', apk: 'dbus', zypper: 'dbus-1-daemon' },
  etcd: { 'apt-get': 'etcd-server', dnf: 'etcd', zypper: 'etcd' },
};
const MANAGERS = {
  'apt-get': (name) => [
    ['apt-get', 'update', '-qq'],
    ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', name],
  ],
  dnf: (name) => [['dnf', 'install', '-y', '-q', name]],
  apk: (name) => [['apk', 'add', '--quiet', name]],
  zypper: (name) => [['zypper', '--quiet', '--non-interactive', 'install', name]],
};

function say(text) {
  process.stderr.write(`holdpoint setup: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}

function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs a command with its output on standard error; true when it ended with 0. */
function run(command, env = {}) {
  const [program, ...args] = command;
  const done = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, ...env } });
  return done.status === 0;
}

function installPackages() {
  const stamp = join(root, 'node_modules', '.holdpoint-lock');
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  say('installing the npm packages of the lockfile …');
  if (!run(['npm', 'ci', '--loglevel=error'])) fail('`npm ci` failed: see above. Is the npm registry reachable?');
  writeFileSync(stamp, lock);
}

function installProgram(program) {
  if (onPath(program)) return;
  const manager = Object.keys(MANAGERS).find(onPath);
  const name = manager && PACKAGES[program]?.[manager];
  if (!name || process.getuid?.() !== 0) {
    fail(
      `${program} is needed and not installed; install ${name ? `the package ${name}` : 'it'} as root, then run this again.`,
    );
  }
  say(`installing ${name} with ${manager} …`);
  const done = MANAGERS[manager](name).every((command) => run(command, { DEBIAN_FRONTEND: 'noninteractive' }));
  if (!done || !onPath(program)) fail(`${program} could not be installed with ${manager}: see above.`);
}

function needed([first, ...others]) {
  if (first === 'demo')
    return ['dbus-daemon', ...(others.some((arg) => /^(--store=)?etcd$/.test(arg)) ? ['etcd'] : [])];
  return first === undefined ? ['dbus-daemon'] : [first, ...others];
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) fail(`Node 20.19 or later is needed; this is ${process.version}.`);
installPackages();
for (const program of needed(process.argv.slice(2))) installProgram(program);
