import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Destination, Webhook, type WebhookOptions } from '../../src/base/webhook.ts';
import { type LoopbackServer, listen } from '../fleetlock/server.ts';

const servers: LoopbackServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

/** Answers with these statuses, one after the other, the last one again and again; 0: never. */
async function receiver(...statuses: readonly number[]): Promise<LoopbackServer> {
  const left = [...statuses];
  const server = await listen((_, response) => {
    const status = (left.length > 1 ? left.shift() : left[0]) ?? 200;
    if (status !== 0) response.writeHead(status).end();
  });
  servers.push(server);
  return server;
}

interface Hook {
  readonly webhook: Webhook;
  readonly pauses: number[];
  readonly lost: string[];
  readonly tried: string[];
  /** Ends the oldest pause. */
  readonly wake: () => void;
}

/** A webhook whose pauses take no time, or end when the test says so. */
function hook(to: Partial<Destination> | null, options: Partial<WebhookOptions> & { manual?: boolean } = {}): Hook {
  const [pauses, lost, waiting]: [number[], string[], (() => void)[]] = [[], [], []];
  const tried: string[] = [];
  const { manual = false, ...rest } = options;
  const after = (ms: number, callback: () => void): void => {
    pauses.push(ms);
    if (manual) waiting.push(callback);
    else setImmediate(callback);
  };
  const destination = to === null ? null : { url: '', tokenPath: null, timeoutMs: 5_000, ...to };
  const webhook = new Webhook({
    to: () => destination,
    retriesMs: [1, 2, 3],
    after,
    onLost: (text) => lost.push(text),
    onRetry: (text) => tried.push(text),
    ...rest,
  });
  return { webhook, pauses, lost, tried, wake: () => waiting.shift()?.() };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

function post(name: string): { name: string; body: string } {
  return { name, body: JSON.stringify({ name }) };
}

function names({ requests }: LoopbackServer): readonly string[] {
  return requests.map(({ body }) => (JSON.parse(body) as { name: string }).name);
}

/** A port of the loopback at which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('notices arrive in order, also when the first is refused for a while', async () => {
  const server = await receiver(500, 429, 200);
  const { webhook, pauses, lost } = hook({ url: `http://${server.host}/` });
  for (const name of ['a', 'b', 'c']) webhook.send(post(name));
  await until(() => server.requests.length === 5);
  expect(names(server)).toEqual(['a', 'a', 'a', 'b', 'c']);
  expect([pauses, lost]).toEqual([[1, 2], []]);
});

test('the first failure of a notice is said once, with the next try', async () => {
  const server = await receiver(500, 429, 200, 503, 200);
  const { webhook, lost, tried } = hook({ url: `http://${server.host}/secret` }, { retriesMs: [60_000, 2] });
  for (const name of ['a', 'b']) webhook.send(post(name));
  await until(() => server.requests.length === 5);
  expect(tried).toEqual([
    'the webhook has not taken the notice "a" so far: it answered HTTP 500 (next try in 60 s)',
    'the webhook has not taken the notice "b" so far: it answered HTTP 503 (next try in 60 s)',
  ]);
  expect(lost).toEqual([]);
});

describe('what is not delivered is given up with one line', () => {
  test('an error of the receiver', async () => {
    const server = await receiver(503);
    const { webhook, pauses, lost } = hook({ url: `http://${server.host}/` });
    webhook.send(post('a'));
    await until(() => lost.length > 0);
    expect(lost).toEqual(['the webhook did not take the notice "a": it answered HTTP 503']);
    expect([server.requests.length, pauses]).toEqual([4, [1, 2, 3]]);
  });

  test('a redirect is not followed', async () => {
    const server = await receiver(307);
    const { webhook, lost } = hook({ url: `http://${server.host}/` }, { retriesMs: [] });
    webhook.send(post('a'));
    await until(() => lost.length > 0);
    expect(lost).toEqual(['the webhook did not take the notice "a": it answered HTTP 307']);
  });

  test('silence', async () => {
    const server = await receiver(0);
    const { webhook, lost } = hook({ url: `http://${server.host}/`, timeoutMs: 50 }, { retriesMs: [1] });
    webhook.send(post('a'));
    await until(() => lost.length > 0);
    expect(lost[0]).toMatch(/^the webhook did not take the notice "a": http:\/\/127\.0\.0\.1:\d+: no complete answer/);
    expect(server.requests).toHaveLength(2);
  });

  test('nobody listens', async () => {
    const { webhook, lost } = hook({ url: `http://127.0.0.1:${await closedPort()}/` });
    webhook.send(post('a'));
    await until(() => lost.length > 0);
    expect(lost).toEqual([expect.stringMatching(/notice "a": http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/)]);
  });

  test('more than a hundred that wait', async () => {
    const server = await receiver(500, 200);
    const { webhook, lost, wake } = hook({ url: `http://${server.host}/` }, { manual: true });
    for (let n = 0; n < 103; n += 1) webhook.send(post(String(n)));
    expect(lost).toEqual([
      'more than 100 notices wait for the webhook; the oldest is given up',
      'more than 100 notices wait for the webhook; the oldest is given up',
    ]);
    await until(() => server.requests.length === 1);
    await new Promise((resolve) => setImmediate(resolve));
    wake();
    await until(() => server.requests.length >= 3);
    expect(names(server).slice(0, 3)).toEqual(['0', '0', '3']);
  });
});

test('nothing is sent where nobody is configured any more', async () => {
  const { webhook, lost, pauses } = hook(null);
  webhook.send(post('a'));
  await webhook.close(AbortSignal.timeout(5_000));
  expect([lost, pauses]).toEqual([[], []]);
});

describe('when there is no time', () => {
  test('the pause ends at once', async () => {
    const server = await receiver(500, 200);
    const { webhook, pauses } = hook({ url: `http://${server.host}/` }, { manual: true });
    webhook.send(post('a'));
    await until(() => pauses.length === 1);
    webhook.send(post('b'));
    webhook.hurry();
    await until(() => server.requests.length === 3);
    expect(names(server)).toEqual(['a', 'a', 'b']);
  });

  test('the next pause is left out', async () => {
    const answers: (() => void)[] = [];
    const server = await listen((_, response) => {
      answers.push(() => response.writeHead(answers.length === 1 ? 500 : 200).end());
      if (answers.length > 1) answers.at(-1)?.();
    });
    servers.push(server);
    const { webhook, pauses } = hook({ url: `http://${server.host}/` }, { manual: true });
    webhook.send(post('a'));
    await until(() => answers.length === 1);
    webhook.send(post('b'));
    webhook.hurry();
    answers[0]?.();
    await until(() => server.requests.length === 3);
    expect([names(server), pauses]).toEqual([['a', 'a', 'b'], []]);
  });

  test('the end tries each that is left once', async () => {
    const server = await receiver(500);
    const { webhook, lost, pauses } = hook({ url: `http://${server.host}/` }, { manual: true });
    for (const name of ['a', 'b']) webhook.send(post(name));
    await until(() => pauses.length === 1);
    await webhook.close(AbortSignal.timeout(60_000));
    webhook.send(post('c'));
    expect(names(server)).toEqual(['a', 'a', 'b']);
    expect(lost).toHaveLength(2);
  });

  test('the end tries once more what fails just then', async () => {
    const answers: (() => void)[] = [];
    const server = await listen((_, response) => {
      answers.push(() => response.writeHead(answers.length === 1 ? 500 : 200).end());
      if (answers.length > 1) answers.at(-1)?.();
    });
    servers.push(server);
    const { webhook, lost } = hook({ url: `http://${server.host}/` }, { manual: true });
    webhook.send(post('a'));
    await until(() => answers.length === 1);
    const closed = webhook.close(AbortSignal.timeout(60_000));
    answers[0]?.();
    await closed;
    expect([names(server), lost]).toEqual([['a', 'a'], []]);
  });

  test('the end waits for nobody who does not answer', async () => {
    const server = await receiver(0);
    const { webhook, lost } = hook({ url: `http://${server.host}/` });
    for (const name of ['a', 'b']) webhook.send(post(name));
    await until(() => server.requests.length === 1);
    const end = new AbortController();
    const closed = webhook.close(end.signal);
    end.abort();
    await closed;
    expect(lost).toEqual([
      expect.stringMatching(/notice "a": http:.*: cancelled$/),
      'the webhook did not take the notice "b": there was no time left for it',
    ]);
  });
});

describe('secrets', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hp-webhook-'));
  const tokenPath = join(folder, 'token');
  const SECRET = /hunter2|aHVudGVyMg|aG9sZDpodW50ZXIy/;

  test('are sent, and not said', async () => {
    onTestFinished(() => rmSync(tokenPath, { force: true }));
    writeFileSync(tokenPath, 'hunter2-token\n');
    const server = await receiver(500);
    const withToken = hook({ url: `http://${server.host}/hunter2?key=hunter2`, tokenPath });
    withToken.webhook.send(post('a'));
    await until(() => withToken.lost.length > 0);
    const { url, headers } = server.requests[0] ?? {};
    expect([url, headers?.authorization]).toEqual(['/hunter2?key=hunter2', 'Bearer hunter2-token']);
    const withUser = hook({ url: `http://hold:hunter2@${server.host}/hunter2` });
    withUser.webhook.send(post('a'));
    await until(() => withUser.lost.length > 0);
    expect(server.requests.at(-1)?.headers.authorization).toBe('Basic aG9sZDpodW50ZXIy');
    expect([...withToken.lost, ...withUser.lost].join('\n')).not.toMatch(SECRET);
  });

  test.each([
    ['a port at which nobody listens', 'http://hold:hunter2@127.0.0.1:PORT/hunter2?hunter2', null],
    ['a URL that is none', 'http://hunter2:hunter2', null],
    ['another scheme', 'ftp://hold:hunter2@127.0.0.1/hunter2', null],
    ['a token that no header can hold', 'http://127.0.0.1:PORT/', 'hunter2\nhunter2'],
    ['a token that is empty', 'http://127.0.0.1:PORT/hunter2', '\n'],
    ['a token that is too long', 'http://127.0.0.1:PORT/hunter2', 'hunter2'.repeat(1_000)],
  ])('are not said about %s', async (_, url, token) => {
    onTestFinished(() => rmSync(tokenPath, { force: true }));
    if (token !== null) writeFileSync(tokenPath, token);
    const to = url.replace('PORT', String(await closedPort()));
    const { webhook, lost } = hook({ url: to, tokenPath: token === null ? null : tokenPath });
    webhook.send(post('a'));
    await until(() => lost.length > 0);
    expect(lost[0]).toMatch(/^the webhook did not take the notice "a": ./);
    expect(lost[0]).not.toMatch(SECRET);
  });

  test('a token file that is not there is named', async () => {
    const { webhook, lost } = hook({ url: 'http://127.0.0.1:1/hunter2', tokenPath });
    webhook.send(post('a'));
    await until(() => lost.length > 0);
    expect(lost).toEqual([`the webhook did not take the notice "a": ${tokenPath}: there is no such file`]);
  });
});
