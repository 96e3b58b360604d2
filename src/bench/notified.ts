import { mkdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Stands for the service manager: takes what the agent has to say by way of `systemd-notify`. */
export interface Notified {
  /** For the environment of the agent. */
  readonly env: Readonly<Record<string, string>>;
  /** Resolves once `assignment` has been sent, from now on. */
  next(assignment: string): Promise<void>;
}

/**
 * Puts a `systemd-notify` on the agent's PATH that writes down what it is given: Node cannot receive datagrams. `dir` is
 * a folder of the bench.
 */
export function standForSystemd(dir: string): Notified {
  const folder = join(dir, 'notify');
  const heard = join(folder, 'heard');
  mkdirSync(folder);
  writeFileSync(heard, '');
  const script = `#!/bin/sh\nfor one in "$@"; do echo "$one"; done >> '${heard}'\n`;
  writeFileSync(join(folder, 'systemd-notify'), script, { mode: 0o755 });
  return {
    env: { NOTIFY_SOCKET: join(folder, 'socket'), PATH: `${folder}:${process.env['PATH'] ?? ''}` },
    next: (assignment) =>
      new Promise((resolve) => {
        writeFileSync(heard, '');
        const watcher = watch(heard, () => {
          if (!readFileSync(heard, 'utf8').split('\n').includes(assignment)) return;
          watcher.close();
          resolve();
        });
      }),
  };
}
