import { afterEach, expect, test } from 'vitest';
import type { Notice } from '../../src/manager/notices.ts';
import { noticeSender } from '../../src/manager/webhook.ts';
import { listen, type LoopbackServer } from '../fleetlock/server.ts';

const servers: LoopbackServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

const NOTICE: Notice = {
  event: 'stale',
  group: 'workers',
  id: 'n1',
  at: Date.parse('2026-07-23T14:00:00Z'),
  text: 'group workers: n1 holds a slot',
  level: 'warn',
};

/** A webhook whose pauses take no time, and what it could not deliver. */
function webhook(url: string): { send: ReturnType<typeof noticeSender>; pauses: number[]; lost: string[] } {
  const [pauses, lost]: [number[], string[]] = [[], []];
  const after = (ms: number, callback: () => void): void => {
    pauses.push(ms);
    setImmediate(callback);
  };
  const to = { url, tokenPath: null, timeoutMs: 2_000 };
  const send = noticeSender(to, { after, onLost: (text) => lost.push(text), onRetry: () => undefined });
  return { send, pauses, lost };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

test('a notice is sent as JSON, one after the other', async () => {
  const server = await listen((_, response) => response.end());
  servers.push(server);
  const { send } = webhook(`http://${server.host}/hook`);
  send(NOTICE);
  send({ ...NOTICE, event: 'returned' });
  await until(() => server.requests.length === 2);
  expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({
    source: 'holdpoint-manager',
    event: 'stale',
    group: 'workers',
    id: 'n1',
    at: '2026-07-23T14:00:00Z',
    text: 'group workers: n1 holds a slot',
  });
  expect(JSON.parse(server.requests[1]?.body ?? '')).toMatchObject({ event: 'returned' });
});

test('a failure is tried again, then given up and said, without secrets', async () => {
  let answers = 0;
  const server = await listen((_, response) => {
    answers += 1;
    response.writeHead(answers === 2 ? 200 : 500).end();
  });
  servers.push(server);
  const { send, pauses, lost } = webhook(`http://${server.host}/secret-path`);
  send(NOTICE);
  await until(() => server.requests.length === 2);
  expect(lost).toEqual([]);
  send(NOTICE);
  await until(() => lost.length > 0);
  expect(pauses).toEqual([1_000, 1_000, 10_000, 60_000]);
  expect(lost[0]).toBe('the webhook did not take the notice "stale": it answered HTTP 500');
});
