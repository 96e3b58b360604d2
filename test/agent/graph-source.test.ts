import type { RequestListener } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { createGraphSource } from '../../src/agent/graph-source.ts';
import type { Situation } from '../../src/agent/settings.ts';
import { FailureError } from '../../src/base/failure.ts';
import { buildConfig } from '../../src/config/load.ts';
import { BOOT_WALL, deployment, instant } from '../support/agent-builders.ts';
import { serve } from '../support/http.ts';
import { smallGraph } from '../support/simulated.ts';

const NEVER = new AbortController().signal;

/** A host whose update server is at `url`. */
function situation(url: string, booted: Situation['booted'] = deployment(1, { booted: true })): Situation {
  const text = `identity.node_uuid = "00000000000040008000000000000001"\ncincinnati.base_url = "${url}"\n`;
  const { config } = buildConfig([{ path: 'test.toml', text }]);
  if (config === null) throw new Error('the configuration is wrong');
  return { config, files: { bootId: 'boot-1', machineId: null, cmdline: '' }, nodeArch: 'x64', booted };
}

async function server(handler: RequestListener): Promise<string> {
  const one = await serve(handler);
  onTestFinished(() => one.close());
  return one.url.href;
}

function ask(url: string, signal: AbortSignal = NEVER): Promise<unknown> {
  return createGraphSource({}, () => instant(0))(situation(url), signal).catch((error: unknown) =>
    error instanceof FailureError ? error.failure : error,
  );
}

test('the graph of the host is asked for by what the host is', async () => {
  let asked = '';
  const url = await server((request, response) => {
    asked = request.url ?? '';
    response.end(smallGraph(['42.1', '42.2'], [[0, 1]]));
  });
  expect(await ask(url)).toMatchObject({ releases: [{ version: '42.1' }, { version: '42.2' }] });
  expect(asked).toMatch(/basearch=x86_64.*stream=stable.*os_version=42\.1/);
});

test.each([
  ['120', 120_000],
  [new Date(BOOT_WALL + 30_000).toUTCString(), 30_000],
])('a server that wants to be left alone for a time is: Retry-After: %s', async (header, retryAfterMs) => {
  const url = await server((_, response) => response.writeHead(503, { 'retry-after': header }).end());
  expect(await ask(url)).toMatchObject({ class: 'transient', retryAfterMs });
});

test('a failure without a word about when to try again has none', async () => {
  const url = await server((_, response) => response.writeHead(502).end());
  expect(await ask(url)).toEqual({ class: 'transient', text: expect.stringContaining('502') as string });
});

test('a question that is no longer wanted is given up', async () => {
  const stop = new AbortController();
  const url = await server(() => stop.abort());
  expect(await ask(url, stop.signal)).toMatchObject({
    class: 'transient',
    text: expect.stringContaining('cancelled') as string,
  });
});

test('nothing is asked before the host is known', async () => {
  const source = createGraphSource({}, () => instant(0));
  await expect(source(situation('http://127.0.0.1:1/', null), NEVER)).rejects.toThrow('are not known yet');
});
