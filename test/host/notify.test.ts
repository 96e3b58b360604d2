import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createNotifier, type Notifier, systemdNotify } from '../../src/host/notify.ts';

const SOCKET = { NOTIFY_SOCKET: '/run/notify' };
let folder = '';
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  folder = mkdtempSync(join(tmpdir(), 'hp-notify-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

/** A notifier whose messages are written down, and fail while `broken` says so. */
class Heard {
  readonly messages: string[] = [];
  readonly errors: string[] = [];
  broken: Error | null = null;
  readonly notifier: Notifier;

  constructor(env: Readonly<Record<string, string | undefined>> = SOCKET) {
    this.notifier = createNotifier(
      env,
      (error) => void this.errors.push(error.message),
      (assignments, done) => {
        this.messages.push(...assignments);
        done(this.broken);
      },
    );
  }
}

describe('createNotifier', () => {
  it('says that the service is up, and that it stops', () => {
    const heard = new Heard();
    heard.notifier.ready();
    heard.notifier.stopping();
    expect(heard.messages).toEqual(['READY=1', 'STOPPING=1']);
  });

  it.each(['', undefined])('does nothing when nobody listens (%j)', (socket) => {
    const silent = new Heard({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1000' });
    silent.notifier.ready();
    silent.notifier.status('nobody hears this');
    silent.notifier.stopping();
    vi.advanceTimersByTime(10_000);
    expect(silent.messages).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('sends the status at once, then at most once a second and only the latest', () => {
    const { notifier, messages } = new Heard();
    for (const line of ['one', 'two', 'three']) notifier.status(line);
    vi.advanceTimersByTime(999);
    notifier.status('four');
    expect(messages).toEqual(['STATUS=one']);
    vi.advanceTimersByTime(1);
    expect(messages).toEqual(['STATUS=one', 'STATUS=four']);
    vi.advanceTimersByTime(10_000);
    notifier.status('four');
    vi.advanceTimersByTime(10_000);
    expect(messages).toHaveLength(2);
  });

  it('sends one line, whatever is in it', () => {
    const { notifier, messages } = new Heard();
    notifier.status('one\nMAINPID=1\nWATCHDOG=trigger');
    expect(messages).toEqual(['STATUS=one MAINPID=1 WATCHDOG=trigger']);
  });

  it('feeds the watchdog twice in its period, until it is closed', () => {
    const { notifier, messages } = new Heard({ ...SOCKET, WATCHDOG_USEC: '300000000' });
    vi.advanceTimersByTime(149_999);
    expect(messages).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(messages).toEqual(['WATCHDOG=1']);
    vi.advanceTimersByTime(150_000);
    expect(messages).toHaveLength(2);
    notifier.status('soon over');
    notifier.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each(['', '0', 'x', '-5'])('has no watchdog for a period of "%s"', (period) => {
    new Heard({ ...SOCKET, WATCHDOG_USEC: period });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not overflow a timer with a very long period', () => {
    const { messages } = new Heard({ ...SOCKET, WATCHDOG_USEC: String(2 ** 52) });
    vi.advanceTimersByTime(2 ** 31 - 2);
    expect(messages).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(messages).toEqual(['WATCHDOG=1']);
  });

  it('reports a failure once, until a message gets through', () => {
    const heard = new Heard();
    const send = (broken: Error | null): void => {
      heard.broken = broken;
      heard.notifier.ready();
    };
    for (let times = 0; times < 3; times += 1) send(new Error('nobody there'));
    expect(heard.errors).toEqual(['nobody there']);
    send(null);
    send(new Error('gone again'));
    expect(heard.errors).toEqual(['nobody there', 'gone again']);
  });
});

describe('systemdNotify', () => {
  /** A systemd-notify that writes down its arguments and whether it was told the socket. */
  function fakeProgram(exitCode: number): Readonly<Record<string, string>> {
    const script = `#!/bin/sh\nprintf '%s|' "$@" > ${folder}/call\necho "$NOTIFY_SOCKET" >> ${folder}/call\necho 'no such luck' >&2\nexit ${exitCode}\n`;
    writeFileSync(join(folder, 'systemd-notify'), script, { mode: 0o755 });
    return { ...SOCKET, PATH: `${folder}:${process.env['PATH'] ?? ''}` };
  }

  const send = (env: Readonly<Record<string, string>>): Promise<Error | null> =>
    new Promise((resolve) => systemdNotify(env)(['READY=1', 'STATUS=up'], resolve));

  it('tells the program what to send, and where', async () => {
    expect(await send(fakeProgram(0))).toBeNull();
    expect(readFileSync(join(folder, 'call'), 'utf8')).toBe('READY=1|STATUS=up|/run/notify\n');
  });

  it('passes on what the program complains of', async () => {
    const error = await send(fakeProgram(1));
    expect(error?.message).toBe('systemd does not hear of our state: no such luck');
  });

  it.each(['STATUS=up\nMAINPID=1', 'STATUS=up\r', 'STATUS=up\0', '\nMAINPID=1', '--pid=1', '-h', 'status', '=1', ''])(
    'sends nothing that is not one assignment: %j',
    async (text) => {
      const env = fakeProgram(0);
      const error = await new Promise<Error | null>((resolve) => systemdNotify(env)(['READY=1', text], resolve));
      expect(error?.message).toMatch(/^systemd does not hear of our state: not one assignment: \P{Cc}*$/u);
      expect(existsSync(join(folder, 'call'))).toBe(false);
    },
  );

  it('says that there is no such program', async () => {
    const error = await send({ ...SOCKET, PATH: join(folder, 'nothing-here') });
    expect(error?.message).toContain('ENOENT');
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
    { timeout: 60_000 },
    async () => {
      vi.useRealTimers();
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
        const notifier = createNotifier({ ...process.env, NOTIFY_SOCKET: socket }, () => undefined);
        notifier.ready();
        await heard('READY=1 alive');
        notifier.status('running 43.1');
        await heard('STATUS=running 43.1 alive');
        notifier.close();
      } finally {
        const gone = once(receiver, 'exit');
        receiver.kill('SIGKILL');
        await gone;
      }
    },
  );
});
