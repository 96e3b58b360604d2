import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** As many connections as wanted, none of which asks anything; those that the server cuts are left alone. */
export async function occupy(port: number, count: number, sent: string): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(250, count - sockets.length) }, () => connect(port, '127.0.0.1'));
    for (const socket of batch) socket.on('error', () => undefined).resume();
    await Promise.all(batch.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])));
    for (const socket of batch) if (sent !== '') socket.write(sent);
    sockets.push(...batch);
  }
  return sockets;
}
