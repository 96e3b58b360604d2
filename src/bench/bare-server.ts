import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that reads what it is sent and answers 200. Resolves with its port. */
export async function serveBare(): Promise<number> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      response.writeHead(200, { 'Content-Length': 0 });
      response.end();
      body = '';
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 4096, resolve));
  return (server.address() as AddressInfo).port;
}
