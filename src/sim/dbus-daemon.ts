import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A service that the bus starts when somebody calls it. */
export interface Activatable {
  readonly name: string;
  readonly command: readonly string[];
}

/** A private bus, run by the real dbus-daemon. */
export interface DbusDaemon {
  /** Ends it and every process that it has started. */
  stop(): Promise<void>;
}

/** The address of the bus of a machine in this folder. */
export function busAddressIn(dir: string): string {
  return `unix:path=${join(dir, 'bus')}`;
}

/** Starts a bus at `busAddressIn(dir)`, open to every local user. Rejects when dbus-daemon is missing or fails. */
export async function startDbusDaemon(dir: string, service: Activatable): Promise<DbusDaemon> {
  const config = writeConfiguration(dir, service);
  rmSync(join(dir, 'bus'), { force: true });
  // A process group of its own: what the bus activates can be ended with it, and Ctrl-C in a terminal is left to us.
  const child = spawn('dbus-daemon', [`--config-file=${config}`, '--nofork', '--nosyslog', '--print-address=1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: busAddressIn(dir) },
  });
  await listening(child);
  return { stop: () => stop(child) };
}

async function listening(child: ChildProcess): Promise<void> {
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2000)));
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve());
    child.once('error', (error) => reject(new Error(`dbus-daemon cannot be started: ${error.message}`)));
    child.once('exit', (code) => reject(new Error(`dbus-daemon ended with ${String(code)}: ${complaint.trim()}`)));
  });
  child.stdout?.resume();
}

async function stop(child: ChildProcess): Promise<void> {
  const group = child.pid;
  if (group === undefined) return;
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }
  killGroup(group);
}

/** Kills what the bus has started and is not gone by itself. */
function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // The group is empty, as it should be.
  }
}

function writeConfiguration(dir: string, service: Activatable): string {
  const services = join(dir, 'services');
  mkdirSync(services, { recursive: true });
  const exec = service.command.map(quote).join(' ');
  const lines = ['[D-BUS Service]', `Name=${service.name}`, `Exec=${exec}`, ''];
  writeFileSync(join(services, `${service.name}.service`), lines.join('\n'));
  const config = join(dir, 'bus.conf');
  writeFileSync(
    config,
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>${busAddressIn(dir)}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>${services}</servicedir>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
</busconfig>
`,
  );
  return config;
}

/** One word of an Exec line. Throws for characters that such a line cannot carry. */
function quote(word: string): string {
  if (/['\\\n]/.test(word)) throw new Error(`${word}: a quote or backslash cannot be passed on by the bus`);
  return `'${word}'`;
}
