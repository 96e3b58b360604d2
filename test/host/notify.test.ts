import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createNotifier, type Notifier } from '../../src/host/notify.ts';

let folder = '';
const notifiers: Notifier[] = [];
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'hp-notify-'))));
afterEach(() => {
  vi.useRealTimers();
  for (const notifier of notifiers.splice(0)) notifier.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A systemd-notify that writes down its arguments, one call a line, and whether it was told the socket. */
function fakeProgram(exitCode = 0): Readonly<Record<string, string>> {
  const program = join(folder, 'systemd-notify');
  const script = `#!/bin/sh\nprintf '%s|' "$@" >> ${folder}/calls\necho "$NOTIFY_SOCKET" >> ${folder}/calls\nexit ${exitCode}\n`;
  writeFileSync(program, script);
  chmodSync(program, 0o755);
  return { PATH: `${folder}:${process.env['PATH'] ?? ''}`, NOTIFY_SOCKET: '/run/notify' };
}

function calls(): readonly string[] {
  const path = join(folder, 'calls');
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
}

function open(env: Readonly<Record<string, string | undefined>>, onError: (error: Error) => void = fail): Notifier {
  const notifier = createNotifier(env, onError);
  notifiers.push(notifier);
  return notifier;
}

function fail(error: Error): void {
  throw error;
}

/** What was sent, without the name of the socket. */
async function sent(count: number): Promise<readonly string[]> {
  // Real time passes here, also while a test has faked the timers.
  while (calls().length < count) await setTimeout(5);
  return calls().map((line) => line.replace('|/run/notify', ''));
}

describe('createNotifier', () => {
  it('tells systemd-notify where the socket is', async () => {
    open(fakeProgram()).ready();
    expect(await sent(1)).toEqual(['READY=1']);
    expect(calls()).toEqual(['READY=1|/run/notify']);
  });

  it('does nothing when nobody listens', async () => {
    const env = { ...fakeProgram(), WATCHDOG_USEC: '1000' };
    for (const silent of [open({ ...env, NOTIFY_SOCKET: '' }), open({ ...env, NOTIFY_SOCKET: undefined })]) {
      silent.ready();
      silent.status('nobody hears this');
      silent.stopping();
    }
    const heard = open(fakeProgram());
    heard.ready();
    expect(await sent(1)).toEqual(['READY=1']);
  });

  it('sends the status at once, then at most once a second and only the latest', async () => {
    const env = fakeProgram();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const notifier = open(env);
    for (const line of ['one', 'two', 'three']) notifier.status(line);
    vi.advanceTimersByTime(999);
    notifier.status('four');
    vi.advanceTimersByTime(1);
    vi.advanceTimersByTime(10_000);
    notifier.status('four');
    vi.advanceTimersByTime(10_000);
    expect((await sent(2)).toSorted()).toEqual(['STATUS=four', 'STATUS=one']);
  });

  it('sends one line, whatever is in it', async () => {
    open(fakeProgram()).status('one\nMAINPID=1\nWATCHDOG=trigger');
    expect(await sent(1)).toEqual(['STATUS=one MAINPID=1 WATCHDOG=trigger']);
  });

  it('says that it stops', async () => {
    open(fakeProgram()).stopping();
    expect(await sent(1)).toEqual(['STOPPING=1']);
  });

  it('feeds the watchdog twice in its period, until it is closed', async () => {
    const env = { ...fakeProgram(), WATCHDOG_USEC: '300000000' };
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const notifier = open(env);
    vi.advanceTimersByTime(149_999);
    notifier.ready();
    expect(await sent(1)).toEqual(['READY=1']);
    vi.advanceTimersByTime(1);
    expect(await sent(2)).toEqual(['READY=1', 'WATCHDOG=1']);
    notifier.close();
    vi.advanceTimersByTime(1_000_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each(['', '0', 'x', '-5'])('has no watchdog for a period of "%s"', (period) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    open({ ...fakeProgram(), WATCHDOG_USEC: period });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not overflow a timer with a very long period', async () => {
    const env = { ...fakeProgram(), WATCHDOG_USEC: String(2 ** 52) };
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const notifier = open(env);
    vi.advanceTimersByTime(2 ** 31 - 2);
    notifier.ready();
    expect(await sent(1)).toEqual(['READY=1']);
    vi.advanceTimersByTime(1);
    expect(await sent(2)).toEqual(['READY=1', 'WATCHDOG=1']);
  });

  it('reports a message that could not be sent', async () => {
    const error = new Promise((resolve) => open(fakeProgram(1), resolve).ready());
    expect(await error).toBeInstanceOf(Error);
    const env = { PATH: join(folder, 'nothing-here'), NOTIFY_SOCKET: '/run/notify' };
    const missing = new Promise((resolve) => open(env, resolve).ready());
    expect(await missing).toMatchObject({ message: expect.stringContaining('ENOENT') as string });
  });

  it('reports a failure once, until a message gets through', async () => {
    const errors: Error[] = [];
    const notifier = open(fakeProgram(1), (error) => errors.push(error));
    for (const wait of [1, 2, 3]) {
      notifier.ready();
      await sent(wait);
    }
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(0));
    expect(errors).toHaveLength(1);
  });
});

/** Receives datagrams, and prints each with the id of the process that sent it and whether that is still there. */
const RECEIVER = `
import os, socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind(sys.argv[1])
print('listening', flush=True)
while True:
    data, ancillary, _, _ = s.recvmsg(4096, 1024)
    pids = [struct.unpack('3i', d)[0] for _, kind, d in ancillary if kind == socket.SCM_CREDENTIALS]
    alive = all(os.path.exists('/proc/%d/stat' % pid) for pid in pids)
    print(data.decode().strip() + (' alive' if alive else ' gone'), flush=True)
    # As the service manager does: a descriptor that comes along is closed once the messages before it are dealt with.
    for _, kind, d in ancillary:
        if kind == socket.SCM_RIGHTS:
            os.close(struct.unpack('i', d)[0])
`;

describe('with the real systemd-notify', () => {
  const missing = ['systemd-notify', 'python3'].find((name) => spawnSync(name, ['--version']).status !== 0);

  it.skipIf(missing !== undefined)(
    `reaches a real socket${missing === undefined ? '' : ` (no ${missing})`}`,
    async () => {
      const socket = join(folder, 'socket');
      const receiver = spawn('python3', ['-c', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
      try {
        const lines = createInterface(receiver.stdout)[Symbol.asyncIterator]();
        const heard = async (line: string): Promise<void> => {
          for (let next = await lines.next(); next.value !== line; next = await lines.next()) {
            if (next.done === true) throw new Error(`the receiver ended without "${line}"`);
          }
        };
        await heard('listening');
        const notifier = open({ ...process.env, NOTIFY_SOCKET: socket }, () => undefined);
        notifier.ready();
        await heard('READY=1 alive');
        notifier.status('running 43.1');
        await heard('STATUS=running 43.1 alive');
      } finally {
        const gone = once(receiver, 'exit');
        receiver.kill('SIGKILL');
        await gone;
      }
    },
  );
});
