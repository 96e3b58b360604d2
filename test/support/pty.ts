import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** Opens a pseudo-terminal and prints its name; for each byte of standard input a line of hex with what was written. */
const PTY = `
import os, pty, sys
main, side = pty.openpty()
print(os.ttyname(side), flush=True)
while sys.stdin.buffer.read(1):
    print(os.read(main, 65536).hex(), flush=True)
`;

/** A pseudo-terminal, as somebody who is logged in has it. */
export interface Pty {
  /** As logind names it. */
  readonly name: string;
  /** What was written to it so far, and not read yet; waits until there is something. */
  readonly read: () => Promise<string>;
  readonly close: () => void;
}

/** Opens a pseudo-terminal. Needs python3. */
export async function openPty(): Promise<Pty> {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn('python3', ['-c', PTY], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);
  const name = (await next()).replace('/dev/', '');
  const read = async (): Promise<string> => {
    child.stdin.write('x');
    return Buffer.from(await next(), 'hex').toString();
  };
  return { name, read, close: () => void child.kill('SIGKILL') };
}
