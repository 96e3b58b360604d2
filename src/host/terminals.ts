import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { isatty } from 'node:tty';
import { withDeadline } from '../base/deadline.ts';
import { errorText, oneLine } from '../base/text.ts';
import { isTerminalName, terminalText } from './terminal-text.ts';

/** No terminal is waited for; but the last one to close a serial line may be kept until it is drained. */
const TERMINAL_MS = 5_000;
/** Never becomes our controlling terminal, and neither the opening nor the writing waits for anything. */
const FLAGS = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY | constants.O_NOFOLLOW;

/**
 * Writes a message to terminals, named below `dev` as logind does (`pts/0`, `tty1`); each gets it once. Resolves with
 * what did not work, one line for each terminal, and never rejects: somebody's terminal that is gone, held (Ctrl-S) or
 * closed to messages (`mesg n`) stops nothing. What is no terminal is not written to.
 */
export async function tellTerminals(ttys: readonly string[], text: string, dev = '/dev'): Promise<readonly string[]> {
  const bytes = Buffer.from(terminalText(text));
  const told = [...new Set(ttys)].map(async (name) => {
    try {
      if (!isTerminalName(name)) throw new Error('not the name of a terminal');
      await withDeadline(tell(join(dev, name), bytes), TERMINAL_MS, `not done within ${TERMINAL_MS} ms`);
      return null;
    } catch (error) {
      return `${oneLine(name, 64)}: ${errorText(error)}`;
    }
  });
  return (await Promise.all(told)).filter((problem) => problem !== null);
}

async function tell(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, FLAGS);
  try {
    const isDevice = (await file.stat()).isCharacterDevice();
    if (!isDevice || !isatty(file.fd)) throw new Error('not a terminal');
    await writeAll(file, bytes);
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at).catch((error: unknown) => {
      throw isFull(error) ? new Error('takes no more text at the moment', { cause: error }) : error;
    });
    at += bytesWritten;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN';
}
