// What a manager needs for its connections. `npm run test:soak` does it with ten thousand of them.
import { describe, expect, onTestFinished, test } from 'vitest';
import { mostRssOf } from '../../../src/bench/process.ts';
import { LockNode } from '../../support/lock-node.ts';
import { type ManagerProcess, startManager } from '../../support/manager-process.ts';
import { occupy } from './occupy.ts';
import { requestText } from './raw-client.ts';

const COUNT = process.env['HOLDPOINT_MANY'] === undefined ? 2000 : 10_000;
const LIMIT = { timeout: 180_000 };

async function manager(maxConnections: number): Promise<ManagerProcess> {
  const config = `service.max_connections = ${maxConnections}\nservice.request_timeout_ms = 60000\n`;
  const one = await startManager({ config });
  onTestFinished(() => one.remove());
  return one;
}

/** Somebody with something to ask is answered. Connections are taken in order: all before his have been. */
async function expectAnswer(port: number): Promise<void> {
  const node = new LockNode('a', 'default');
  onTestFinished(() => node.close());
  expect(await node.ask(port, 'pre-reboot')).toMatchObject({ status: 200 });
}

/** The most KiB that a manager has had resident so far. */
function mostKiB({ pid }: ManagerProcess): number {
  return mostRssOf(pid) * 1024;
}

const HALF_BODY = requestText('pre-reboot').slice(0, -5);
/** KiB for one connection, whatever is on it: it takes 8 to 15. */
const MOST_KIB = 32;

describe('a connection needs little memory', () => {
  test.each([
    ['that says nothing', ''],
    ['with half a head', 'POST /v1/pre-reboot HTTP/1.1\r\nhost: x\r\n'],
    ['with half a body', HALF_BODY],
    ['that was used and is kept', requestText('pre-reboot')],
  ])('%s', LIMIT, async (_, sent) => {
    const one = await manager(COUNT + 1000);
    await expectAnswer(one.port);
    const before = mostKiB(one);
    await occupy(one.port, COUNT, sent);
    await expectAnswer(one.port);
    expect((mostKiB(one) - before) / COUNT).toBeLessThan(MOST_KIB);
  });
});

test('connections that were cut to make room for others need none', LIMIT, async () => {
  const one = await manager(256);
  /** Some are cut as others come, ten thousand in all. Gives the KiB needed at the most up to then. */
  const change = async (): Promise<number> => {
    for (let left = 10_000; left > 0; left -= COUNT) await occupy(one.port, COUNT, HALF_BODY);
    await expectAnswer(one.port);
    return mostKiB(one);
  };
  // At first the heap grows to the size at which it is tidied up, which differs between releases of Node.
  await change();
  const before = await change();
  expect(((await change()) - before) / 10_000).toBeLessThan(MOST_KIB / 8);
});
