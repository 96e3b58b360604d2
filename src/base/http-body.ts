import { type Readable, type Transform, pipeline } from 'node:stream';
import { HttpError } from './http-types.ts';

/**
 * The body of an answer as text, decompressed. What is larger than `maxBytes` is refused as soon as that is known.
 * A body that accompanies a failure is not worth a failure of its own: it is left out when it cannot be read.
 */
export async function readBody(
  response: { readonly statusCode: number; readonly body: Readable },
  headers: Readonly<Record<string, string>>,
  maxBytes: number,
): Promise<string> {
  const { statusCode, body } = response;
  const isSuccess = statusCode >= 200 && statusCode < 300;
  try {
    const decoder = await decoderFor(headers['content-encoding'] ?? '');
    return new TextDecoder().decode(await collect(body, decoder, maxBytes));
  } catch (error) {
    if (isSuccess) throw error;
    return '';
  } finally {
    body.on('error', () => undefined).destroy();
  }
}

async function collect(body: Readable, decoder: Transform | null, maxBytes: number): Promise<Buffer> {
  // The pipeline hands the end of either stream to the other; its own report would only repeat what reading throws.
  const stream: Readable = decoder === null ? body : pipeline(body, decoder, () => undefined);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > maxBytes) throw new HttpError('too-large', `the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

async function decoderFor(encoding: string): Promise<Transform | null> {
  const name = encoding.trim().toLowerCase();
  if (name === '' || name === 'identity') return null;
  const { createBrotliDecompress, createGunzip, createInflate } = await import('node:zlib');
  if (name === 'gzip' || name === 'x-gzip') return createGunzip();
  if (name === 'deflate') return createInflate();
  if (name === 'br') return createBrotliDecompress();
  throw new HttpError('invalid', `the answer is encoded in a way that was not asked for`);
}
