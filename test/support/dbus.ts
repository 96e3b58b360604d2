import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A private message bus run by the real dbus-daemon. */
export interface PrivateBus {
  /** D-Bus address, `unix:path=…`; the same after a restart. */
  readonly address: string;
  /** Path of the socket. */
  readonly socket: string;
  /** Ends the daemon at once (SIGKILL); everybody loses the connection. */
  kill(): Promise<void>;
  /** Starts the daemon again at the same address, after `kill`. */
  start(): Promise<void>;
  /** Ends the daemon and removes its folder. */
  stop(): Promise<void>;
}

/** How the private bus differs from the default. */
export interface PrivateBusOptions {
  /** Folder with `.service` files (`[D-BUS Service]`, `Name=`, `Exec=`) for activation. */
  readonly serviceDir?: string;
  /** More lines for the configuration, for example `<limit name="…">…</limit>` or a `<policy>`. */
  readonly extraConfig?: string;
}

function configuration(socket: string, options: PrivateBusOptions): string {
  const services = options.serviceDir === undefined ? '' : `<servicedir>${options.serviceDir}</servicedir>`;
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>custom</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  ${services}
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
  ${options.extraConfig ?? ''}
</busconfig>
`;
}

/** The daemon prints its address once it listens. It ends with this process, even when that is killed. */
async function launch(config: string): Promise<ChildProcess> {
  const daemon = ['dbus-daemon', `--config-file=${config}`, '--nofork', '--nosyslog', '--print-address'];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...daemon], { stdio: ['ignore', 'pipe', 'pipe'] });
  const messages: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => messages.push(chunk));
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`dbus-daemon ended with ${String(code)}: ${Buffer.concat(messages).toString()}`);
  });
  ended.catch(() => undefined);
  await Promise.race([once(child.stdout, 'data'), ended]);
  child.stdout.resume();
  return child;
}

async function end(child: ChildProcess | null): Promise<void> {
  if (child?.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Starts a private bus with a permissive configuration. Stop it when the test is over. */
export async function startDbus(options: PrivateBusOptions = {}): Promise<PrivateBus> {
  const folder = mkdtempSync(join(tmpdir(), 'hp-dbus-'));
  const socket = join(folder, 'bus');
  const config = join(folder, 'bus.conf');
  writeFileSync(config, configuration(socket, options));
  let child: ChildProcess | null = await launch(config);
  return {
    address: `unix:path=${socket}`,
    socket,
    async kill(): Promise<void> {
      await end(child);
      child = null;
    },
    async start(): Promise<void> {
      if (child !== null) throw new Error('the bus is running');
      if (existsSync(socket)) rmSync(socket);
      child = await launch(config);
    },
    async stop(): Promise<void> {
      await end(child);
      child = null;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
