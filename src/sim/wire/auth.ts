import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';

const LONGEST_LINE = 16_384;

/**
 * Reads lines until `next` says that the talk is over; what came behind the last line is put back. Rejects when the
 * other side ends, talks too long, or `next` throws.
 */
function converse(socket: Socket, next: (line: string) => 'more' | 'over'): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (error: Error | null): void => {
      socket.pause();
      socket.off('data', read).off('close', ended).off('error', finish);
      if (error === null) resolve();
      else reject(error);
    };
    const ended = (): void => finish(new Error('the other side ended the connection before it was authenticated'));
    let waiting = '';
    const read = (chunk: Buffer): void => {
      waiting += chunk.toString('latin1');
      try {
        for (let end = waiting.indexOf('\n'); end >= 0; end = waiting.indexOf('\n')) {
          const line = waiting.slice(0, end).trim();
          waiting = waiting.slice(end + 1);
          if (next(line) === 'more') continue;
          finish(null);
          socket.unshift(Buffer.from(waiting, 'latin1'));
          return;
        }
        if (waiting.length > LONGEST_LINE) throw new Error('an endless line instead of authentication');
      } catch (error) {
        finish(error instanceof Error ? error : new Error(String(error)));
      }
    };
    socket.on('data', read).on('close', ended).on('error', finish);
  });
}

/** Authenticates to a bus or a peer as this process's user (EXTERNAL). */
export async function authenticate(socket: Socket): Promise<void> {
  const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex');
  socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
  await converse(socket, (line) => {
    if (!line.startsWith('OK')) throw new Error(`EXTERNAL authentication was refused: ${line}`);
    return 'over';
  });
  socket.write('BEGIN\r\n');
}

/** Lets any local user in (EXTERNAL), as the socket of a transaction does. */
export function admit(socket: Socket): Promise<void> {
  const ok = `OK ${randomBytes(16).toString('hex')}\r\n`;
  return converse(socket, (line) => {
    const [command, mechanism, identity] = line.replace(/^\0/, '').split(' ');
    if (command === 'BEGIN') return 'over';
    if (command === 'DATA') socket.write(ok);
    else if (command !== 'AUTH') socket.write('ERROR\r\n');
    else if (mechanism !== 'EXTERNAL') socket.write('REJECTED EXTERNAL\r\n');
    else socket.write(identity === undefined ? 'DATA\r\n' : ok);
    return 'more';
  });
}
