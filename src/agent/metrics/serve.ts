import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Where the metrics come from, rendered. Rejects when that goes wrong. */
export type Text = () => Promise<string>;

/** What is done with a connection. Its data does not flow yet. */
export type Serve = (socket: Socket) => void;

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
/** Bytes of the head of a request. */
const MOST_HEAD = 8_192;

/** zincati's plain form: whoever connects gets the text, and then the end. What he sends is read and forgotten. */
export function servePlain(text: Text): Serve {
  return (socket) => {
    socket.resume();
    text().then(
      (all) => socket.end(all),
      () => socket.destroy(),
    );
  };
}

/**
 * `GET /metrics`, one request a connection. Node's HTTP is loaded with the first of them: a host whose metrics nobody
 * asks for does without it.
 */
export function serveHttp(text: Text): Serve {
  let http: Promise<Server> | null = null;
  return (socket) => {
    http ??= createHttp(text);
    http.then(
      (server) => {
        if (socket.destroyed) return;
        server.emit('connection', socket);
        socket.resume();
      },
      () => socket.destroy(),
    );
  };
}

async function createHttp(text: Text): Promise<Server> {
  const { createServer } = await import('node:http');
  return createServer({ maxHeaderSize: MOST_HEAD }, (request, response) => {
    response.setHeader('connection', 'close');
    const say = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
    };
    const { method, url = '' } = request;
    if (url.split('?')[0] !== '/metrics') say(404, 'The metrics are at /metrics.\n');
    else if (method !== 'GET' && method !== 'HEAD') say(405, 'GET /metrics, please.\n');
    else
      text().then(
        (all) => say(200, all, CONTENT_TYPE),
        () => say(500, 'The metrics cannot be made; the log says why.\n'),
      );
  });
}
