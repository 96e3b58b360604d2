import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Refusal } from '../answer.ts';
import { refusalAnswer } from './answers.ts';

/**
 * Milliseconds for which a connection that is to end is still read from. If it were closed at once, what the client has
 * yet to send would be answered with a reset, and that can overtake the answer.
 */
export const LINGER_MS = 1000;

/** Answers where there is no request to answer to, and ends the connection. `extra`: more lines of the head. */
export function writeRaw(socket: Socket, refusal: Refusal, extra: readonly string[] = []): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = refusalAnswer(refusal);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`];
  for (let i = 0; i < headers.length; i += 2) head.push(`${headers[i] ?? ''}: ${headers[i + 1] ?? ''}`);
  socket.end([...head, ...extra, 'Connection: close', '', body].join('\r\n'));
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
