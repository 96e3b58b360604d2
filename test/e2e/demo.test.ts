import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { climbTogether } from '../../src/sim/fleet/climb.ts';
import { planFleet } from '../../src/sim/fleet/plan.ts';
import { loadScenery } from '../../src/sim/scenery.ts';
import { program } from '../support/simulated.ts';

interface DemoEvent {
  readonly event: string;
  readonly host?: string;
  readonly [key: string]: unknown;
}

interface Demo {
  readonly folder: string;
  readonly pid: number;
  readonly ended: Promise<number | null>;
  readonly lines: readonly string[];
  /** What it has printed, which is JSON. */
  readonly events: () => readonly DemoEvent[];
  /** Resolves when it has printed so many events of a kind. */
  readonly seen: (event: RegExp, count: number) => Promise<void>;
}

const LIMIT = { timeout: 120_000 };
const hasEtcd = spawnSync('etcd', ['--version']).status === 0;

/** Starts the demo in a process group and temporary folder of its own. */
function startDemo(...args: string[]): Demo {
  const folder = mkdtempSync(join(tmpdir(), 'hp-demo-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [command, ...rest] = program('demo', ...args);
  const child = spawn(command, rest, {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: folder },
  });
  const lines: string[] = [];
  let waiting: (() => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const waiter of waiting) waiter();
  });
  return {
    folder,
    pid: child.pid ?? 0,
    lines,
    events: () => lines.map((line) => JSON.parse(line) as DemoEvent),
    ended: new Promise((resolve) => child.once('close', resolve)),
    seen: (event, count) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (lines.filter((line) => event.test(line)).length >= count) resolve();
        };
        waiting = [...waiting, check];
        check();
      }),
  };
}

const BOOT = /"event":"boot"/;

/** Processes whose command line names the folder. */
function processesIn(folder: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(folder) ? [command] : [];
      } catch {
        return [];
      }
    });
}

/** What must be true once a demo is over, however it ended. */
function expectNothingLeft(folder: string): void {
  expect(readdirSync(folder)).toEqual([]);
  expect(processesIn(folder)).toEqual([]);
}

/** The most hosts that were down at once, counted from their own shutdowns and from the slots given back. */
function mostDown(events: readonly DemoEvent[]): number {
  const down = new Set<unknown>();
  let most = 0;
  for (const { event, host, action } of events) {
    if (event === 'reboot') down.add(host);
    if (event === 'slot' && action === 'released') down.delete(host);
    most = Math.max(most, down.size);
  }
  return most;
}

describe('the demo of one host', () => {
  test('prints one JSON object for each event, and ends well', LIMIT, async () => {
    const demo = startDemo('--hosts', '1', '--json', '--from', '43.20260217.3.1');
    expect(await demo.ended).toBe(0);
    expect(demo.events()[0]).toMatchObject({ event: 'start', from: '43.20260217.3.1' });
    expect(demo.events().at(-1)).toMatchObject({ event: 'end', ok: true, to: '44.20260707.3.1', reboots: 2 });
    expectNothingLeft(demo.folder);
  });

  test('is the full climb', LIMIT, async () => {
    const demo = startDemo('--hosts', '1', '--json');
    await demo.seen(BOOT, 2);
    process.kill(-demo.pid, 'SIGINT');
    expect(await demo.ended).toBe(1);
    expect(demo.events()[0]).toMatchObject({ event: 'start', from: '31.20200108.3.0' });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('leaves nothing behind after %s', LIMIT, async (signal) => {
    const demo = startDemo('--hosts', '1', '--json');
    await demo.seen(BOOT, 2);
    // As a terminal does it: the whole group gets the signal. Twice: what is being put away must not be cut short.
    process.kill(-demo.pid, signal);
    process.kill(-demo.pid, signal);
    expect(await demo.ended).toBe(1);
    expect(demo.events().at(-1)).toMatchObject({ event: 'end', ok: false, error: 'interrupted' });
    expectNothingLeft(demo.folder);
  });

  test('says what is wrong with a graph that is none', LIMIT, async () => {
    const demo = startDemo('--graph', '/nowhere.json');
    expect(await demo.ended).toBe(1);
  });
});

describe('the demo of a fleet', () => {
  test('takes three hosts up, one at a time', LIMIT, async () => {
    const demo = startDemo('--json', '--hops', '2');
    expect(await demo.ended).toBe(0);
    const events = demo.events();
    expect(events[0]).toMatchObject({ event: 'start', slots: 1, store: 'embedded', hops: 2, to: '44.20260707.3.1' });
    expect(events.at(-1)).toMatchObject({ event: 'end', ok: true, to: '44.20260707.3.1', reboots: 6, most: 1 });
    expect(mostDown(events)).toBe(1);
    for (const host of ['host-1', 'host-2', 'host-3']) {
      const booted = events.filter((one) => one.event === 'boot' && one.host === host).map(({ version }) => version);
      expect(booted).toEqual(['43.20260217.3.1', '43.20260413.3.2', '44.20260707.3.1']);
    }
    expectNothingLeft(demo.folder);
  });

  const needsEtcd = hasEtcd ? '' : ' (skipped: etcd is not installed)';
  test.skipIf(!hasEtcd)(`runs on a real etcd, with two slots${needsEtcd}`, LIMIT, async () => {
    const demo = startDemo('--json', '--hosts', '4', '--slots', '2', '--hops', '1', '--store', 'etcd');
    expect(await demo.ended).toBe(0);
    expect(demo.events().at(-1)).toMatchObject({ event: 'end', ok: true, reboots: 4 });
    expect(mostDown(demo.events())).toBeLessThanOrEqual(2);
    expectNothingLeft(demo.folder);
  });

  test('says what to install when there is no etcd', LIMIT, () => {
    const folder = mkdtempSync(join(tmpdir(), 'hp-demo-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [command, ...rest] = program('demo', '--store', 'etcd');
    const { status, stdout } = spawnSync(command, rest, {
      env: { PATH: '/nowhere', TMPDIR: folder },
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stdout).toContain('etcd is not installed: install the package that brings the program etcd');
    expect(readdirSync(folder)).toEqual([]);
  });

  // From before the lock manager is up to the middle of reboots; the last two are different in each run.
  const moments = [1, 2, 5, ...[1, 2].map(() => 6 + Math.floor(Math.random() * 40))];
  test.each(moments)('leaves nothing behind when it is interrupted after event %i', LIMIT, async (count) => {
    const demo = startDemo('--json', ...(hasEtcd && count % 2 === 0 ? ['--store', 'etcd'] : []));
    await demo.seen(/./, count);
    process.kill(-demo.pid, 'SIGINT');
    process.kill(-demo.pid, 'SIGINT');
    expect(await demo.ended).toBe(1);
    expect(demo.events().at(-1)).toMatchObject({ event: 'end', ok: false, error: 'interrupted' });
    expectNothingLeft(demo.folder);
  });

  test('fails when more hosts are down than there are slots', LIMIT, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hp-demo-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const command = [process.execPath, generousProgram(folder)] as const;
    const scenery = loadScenery({ hops: 1 });
    const plan = planFleet(scenery, { hosts: 2, slots: 1, store: 'embedded' });
    const { signal } = new AbortController();
    const climb = climbTogether({ scenery, plan, command, onEvent: () => undefined, signal });
    await expect(climb).rejects.toThrow(/^2 hosts were down at once with 1 slot: host-\d, host-\d$/);
  });
});

/** The program with a lock manager that gives away one slot too many, and agents that are never steady again. */
function generousProgram(folder: string): string {
  const file = join(folder, 'generous.mjs');
  writeFileSync(
    file,
    `import { existsSync, readFileSync, writeFileSync } from 'node:fs';
const value = (name) => process.argv.find((arg) => arg.startsWith(name + '='))?.slice(name.length + 1);
if (process.argv[2] === 'manager') {
  const file = process.argv[process.argv.indexOf('--config') + 1];
  writeFileSync(file, readFileSync(file, 'utf8').replace('default_slots = 1', 'default_slots = 2'));
}
const isBack = process.argv[2] === 'agent' && existsSync(value('--state-dir') + '/state.json');
if (isBack) setInterval(() => undefined, 1000);
else await import(${JSON.stringify(join(inject('bundle'), 'holdpoint.js'))});
`,
  );
  return file;
}
