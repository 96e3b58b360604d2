import { execFile } from 'node:child_process';
import { oneLine } from '../base/text.ts';

/** Speaks to the service manager that started this process. */
export interface Notifier {
  /** The service is up. Sent once. */
  ready(): void;
  /** One line for `systemctl status`. Sent when it changed, at most once a second. */
  status(line: string): void;
  /** The service is stopping. */
  stopping(): void;
  /** Ends the watchdog and the timers. */
  close(): void;
}

const SPACING_MS = 1_000;
const LONGEST_STATUS = 1_000;
/** Node fires a timer of more than this at once, and then without a pause. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Sends assignments such as `READY=1` to the service manager; `done` is called once, with what went wrong or null. */
export type Sender = (assignments: readonly string[], done: (error: Error | null) => void) => void;

/** One assignment; what begins otherwise might be an option of `systemd-notify`, and a second line another assignment. */
const ASSIGNMENT = /^[A-Z][A-Z0-9_]*=\P{Cc}*$/u;

/**
 * Sends by way of `systemd-notify`, since Node cannot write to datagram sockets. Nothing is sent when one of them is not
 * a single assignment in one line: the service manager would take each further line for one of its own.
 */
export function systemdNotify(env: Readonly<Record<string, string | undefined>>): Sender {
  return (assignments, done) => {
    const odd = assignments.find((text) => !ASSIGNMENT.test(text));
    if (odd !== undefined) {
      done(new Error(`systemd does not hear of our state: not one assignment: ${oneLine(odd, 80)}`));
      return;
    }
    // It waits until its message was taken: the manager cannot tell whose message it is once the sender has gone.
    execFile('systemd-notify', assignments, { env, timeout: 10_000 }, (error, _, stderr) => {
      done(error === null ? null : new Error(`systemd does not hear of our state: ${reason(error, stderr)}`));
    });
  };
}

/**
 * Without `NOTIFY_SOCKET` it does nothing. A failure is reported once, until it works again. With `WATCHDOG_USEC`, the
 * watchdog is fed twice in its period for as long as this process answers.
 */
export function createNotifier(
  env: Readonly<Record<string, string | undefined>>,
  onError: (error: Error) => void,
  sender: Sender = systemdNotify(env),
): Notifier {
  if ((env['NOTIFY_SOCKET'] ?? '') === '') return SILENT;
  let failing = false;
  const send = (assignment: string): void =>
    sender([assignment], (error) => {
      if (error !== null && !failing) onError(error);
      failing = error !== null;
    });
  const period = Number(env['WATCHDOG_USEC'] ?? 0) / 1000;
  const watchdog = period >= 1 ? setInterval(() => send('WATCHDOG=1'), Math.min(period / 2, LONGEST_TIMER_MS)) : null;
  const pace = paced((line) => send(`STATUS=${line}`));
  return {
    ready: () => send('READY=1'),
    status: (line) => pace.say(oneLine(line, LONGEST_STATUS)),
    stopping: () => send('STOPPING=1'),
    close: () => {
      if (watchdog !== null) clearInterval(watchdog);
      pace.stop();
    },
  };
}

/** What `systemd-notify` said last, or why it could not be run. */
function reason(error: Error, stderr: string): string {
  const said = stderr.trim().split('\n').at(-1) ?? '';
  return oneLine(said === '' ? error.message : said);
}

const SILENT: Notifier = { ready: noop, status: noop, stopping: noop, close: noop };

function noop(): void {
  // Nobody listens.
}

/** Passes on the latest of what is said: at once after a quiet second, else at the end of it. */
function paced(send: (line: string) => void): { say: (line: string) => void; stop: () => void } {
  let sent = '';
  let waiting = '';
  let timer: NodeJS.Timeout | null = null;
  const flush = (): void => {
    timer = null;
    if (waiting === sent) return;
    sent = waiting;
    send(sent);
    timer = setTimeout(flush, SPACING_MS);
  };
  return {
    say: (line) => {
      waiting = line;
      if (timer === null) flush();
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
    },
  };
}
