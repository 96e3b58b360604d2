import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';

/**
 * The whole body as text; null when it is larger than `maxBytes`, which is known as soon as it is. Rejects when the
 * client goes away or when it is not UTF-8.
 */
export async function readBody(message: IncomingMessage, maxBytes: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop must not end the connection: there is an answer to come.
  for await (const chunk of message.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks, size);
  if (!isUtf8(body)) throw new Error('the body is not UTF-8');
  return body.toString('utf8');
}
