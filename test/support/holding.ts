import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { HookEvent } from '../../src/hooks/event.ts';
import type { Session } from '../../src/sim/machine.ts';
import { HostClock } from './host-clock.ts';
import { writeHook } from './hooks.ts';
import { type LockServer, startLockServer } from './lock-server.ts';
import { type Simulated, program, simulate, smallGraph } from './simulated.ts';

/** The release that a host runs at first, and the one that its graph leads to. */
export const [OLD, MID] = ['40.1.3.0', '41.2.3.0'] as const;
const HOP = smallGraph([OLD, MID], [[0, 1]]);

/** The command of the unit in which hooks run. */
const HOOK_COMMAND = program('hook', 'exec');

/** What a test has to offer. */
export interface Context {
  readonly onTestFinished: (end: () => Promise<void> | void) => void;
  readonly onTestFailed: (tell: () => void) => void;
}

/** A host with an agent that has everything before it that can keep a reboot back. */
export interface Host extends Simulated {
  readonly clock: HostClock;
  /** One slot; asked only with `lock`. */
  readonly locks: LockServer;
  /** Replaces what was added to the configuration, and has it read. */
  readonly reconfigure: (config: string, steadySecs?: number) => void;
  /** The line of status.json. */
  readonly status: () => string;
  /** Writes a hook: a shell script that knows the folder `$D`. */
  readonly hook: (event: HookEvent, script: string, mode?: number) => void;
  /** What is in a file of the folder `$D`; empty while it is not there. */
  readonly told: (name: string) => string;
  /** Makes a file in the folder `$D`. */
  readonly tell: (name: string) => void;
  /** The folder of the markers. */
  readonly marks: string;
  /** Sets a marker, as another tool would. */
  readonly mark: (name: string, text: string) => void;
  /** Moment on the host's clock at which it went down, of every reboot so far. */
  readonly downs: readonly number[];
}

export interface HostOptions {
  readonly config?: string;
  /** It asks a lock server for each reboot. */
  readonly lock?: boolean;
  /** Hooks run in units of systemd in place of children. */
  readonly units?: boolean;
  /** Milliseconds since 1970 on its clock at first. */
  readonly wall?: number;
  /** The update graph in JSON, in place of one hop from `OLD` to `MID`. */
  readonly graph?: string;
  /** What chance is for its agent. */
  readonly dice?: number;
}

/** Makes such a host, which ends with its test. Its agent is not started yet. */
export async function host({ onTestFinished, onTestFailed }: Context, options: HostOptions = {}): Promise<Host> {
  const { config = '', lock = false, units = false, wall, graph = HOP, dice } = options;
  const locks = await startLockServer();
  onTestFinished(() => locks.close());
  const clock = new HostClock();
  if (wall !== undefined) clock.set(wall);
  onTestFinished(() => clock.remove());
  const fleet = lock ? `updates.fleet_lock.base_url = "${locks.url}"\n` : '';
  const strategy = lock && !config.includes('updates.strategy') ? 'updates.strategy = "fleet_lock"\n' : '';
  const one = await simulate({
    graph,
    from: OLD,
    config: `${strategy}${fleet}${config}`,
    ...(dice === undefined ? clock.agent() : withDice(clock.agent(), dice)),
    ...(units ? { machine: { hookCommand: HOOK_COMMAND } } : {}),
  });
  onTestFinished(() => one.stop());
  onTestFailed(() => {
    const said = one.lines.slice(-40).map(({ level, text }) => `${level} ${text}\n`);
    process.stderr.write(`${said.join('')}${locks.log.join(', ')}\n`);
  });
  return extend(one, { clock, locks, fleet: strategy + fleet });
}

/** A command whose chance is this number. */
function withDice(
  { command: [node, ...args], env }: ReturnType<HostClock['agent']>,
  dice: number,
): ReturnType<HostClock['agent']> {
  const preload = join(import.meta.dirname, 'dice-preload.mjs');
  return { command: [node, '--import', preload, ...args], env: { ...env, HOLDPOINT_TEST_DICE: String(dice) } };
}

function extend(one: Simulated, { clock, locks, fleet }: { clock: HostClock; locks: LockServer; fleet: string }): Host {
  const { machine, agent, server } = one;
  const [dir, marks] = [join(machine.dir, 'told'), join(agent.runDir, 'holds.d')];
  mkdirSync(dir);
  mkdirSync(marks, { recursive: true });
  const downs: number[] = [];
  machine.onShutdown(() => {
    downs.push(clock.now());
    clock.boot();
  });
  return {
    ...one,
    clock,
    locks,
    marks,
    downs,
    reconfigure: (config, steadySecs = 1) => {
      const base = `agent.timing.steady_interval_secs = ${steadySecs}\ncincinnati.base_url = "${server.url}"\n`;
      agent.configure(base + fleet + config);
      agent.signal('SIGHUP');
    },
    status: () => lineIn(join(agent.runDir, 'status.json')),
    hook: (event, script, mode) => {
      writeHook(join(machine.root, 'etc/holdpoint/hooks.d'), event, '50-test', `D='${dir}'\n${script}`, mode);
    },
    told: (name) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8') : ''),
    tell: (name) => writeFileSync(join(dir, name), 'yes\n'),
    mark: (name, text) => writeFileSync(join(marks, name), text),
  };
}

function lineIn(path: string): string {
  if (!existsSync(path)) return '';
  const { line } = JSON.parse(readFileSync(path, 'utf8')) as { line: string };
  return line;
}

/** Waits until something holds that nothing tells of. */
export async function until(check: () => boolean): Promise<void> {
  while (!check()) await delay(20);
}

/** Waits until the host runs the new release and its agent watches it. */
export async function arrives(one: Host): Promise<void> {
  await one.machine.until(({ deployments }) => deployments.some((each) => each.booted && each.version === MID));
  await one.line((line) => line.state === 'watching' && line.text.startsWith(`running ${MID}`));
}

/** What the lock server was asked since it last granted the slot, that answer included. */
export function sinceGrant({ locks: { log } }: Host): readonly string[] {
  return log.slice(log.lastIndexOf('pre-reboot 200'));
}

/** What people were told, in order. */
export function messages({ lines }: Host): readonly string[] {
  return lines.flatMap(({ text }) => (text.startsWith('told people: ') ? [text.slice('told people: '.length)] : []));
}

/** Ann at a terminal; what is given is different. */
export function session(more: Partial<Session> = {}): Session {
  const ann = { id: '7', uid: 1000, user: 'ann', tty: 'tty1', class: 'user', remote: false, type: 'tty' };
  return { ...ann, state: 'active', ...more };
}
