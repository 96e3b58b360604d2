import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.ts';

/** How the lock manager of a simulated fleet is to be. */
export interface LockManagerOptions {
  /** The command of this program: `manager serve` is added. */
  readonly command: readonly [string, ...string[]];
  /** Folder for its configuration, its socket and its store. At most 80 bytes. */
  readonly folder: string;
  readonly slots: number;
  /** Client URL of etcd; null: the embedded store. */
  readonly etcd: string | null;
  readonly onLine: (line: ManagerLine) => void;
  /** Gives up waiting for it to serve. */
  readonly signal: AbortSignal;
}

/** One line of its log. */
export interface ManagerLine {
  /** `error`, `warn`, `info` or `debug`. */
  readonly level: string;
  readonly text: string;
  /** What was changed, as the audit calls it (`granted`, `released`, …), when the line tells of that. */
  readonly action: string | null;
  /** The id of the host that it was changed for, or null. */
  readonly id: string | null;
}

/** A real lock manager, as a process of its own. */
export interface LockManager {
  /** What hosts are configured with. */
  readonly url: string;
  /** Resolves when it has ended, whether it was told to or not. */
  readonly ended: Promise<Error>;
  stop(): Promise<void>;
}

/** Starts a lock manager on a free port of the loopback address. Rejects when it ends before it serves, or is aborted. */
export async function startLockManager(options: LockManagerOptions): Promise<LockManager> {
  const file = join(options.folder, 'manager.toml');
  writeFileSync(file, configuration(options));
  let serves: (url: string) => void = () => undefined;
  const url = new Promise<string>((resolve) => (serves = resolve));
  const child = new Child({
    name: 'the lock manager',
    command: [...options.command, 'manager', 'serve', '--config', file, '--log-format', 'json'],
    onLine: (text) => {
      const line = parseLine(text);
      const [, address] = /serving (http:\S+)/.exec(line.text) ?? [];
      if (address !== undefined) serves(address);
      options.onLine(line);
    },
  });
  return { url: await child.ready(url, options.signal), ended: child.ended, stop: () => child.stop() };
}

function configuration({ folder, slots, etcd }: LockManagerOptions): string {
  return `[service]
address = "127.0.0.1"
port = 0
tls = false
[admin]
socket = ${JSON.stringify(join(folder, 'admin.sock'))}
[store]
path = ${JSON.stringify(join(folder, 'store'))}
[etcd3]
endpoints = ${JSON.stringify(etcd === null ? [] : [etcd])}
[lock]
default_slots = ${slots}
`;
}

/** Reads a line of the log; one that is none of it (a crash of Node, say) is an error with the line as its text. */
function parseLine(text: string): ManagerLine {
  try {
    const { level, msg, action, id } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return { level: textOf(level) ?? 'info', text: textOf(msg) ?? '', action: textOf(action), id: textOf(id) };
  } catch {
    return { level: 'error', text, action: null, id: null };
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
