import type { ServerResponse } from 'node:http';
import type * as Timers from 'node:timers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { connectorFor } from '../../../../src/manager/store/etcd/connect.ts';
import { Endpoint } from '../../../../src/manager/store/etcd/endpoint.ts';
import { Gateway } from '../../../../src/manager/store/etcd/gateway.ts';
import { one } from '../../../../src/manager/store/etcd/messages.ts';
import { watchKeys } from '../../../../src/manager/store/etcd/watch.ts';
import { serve } from '../../../support/http.ts';

const SECOND = 1_000;

// Vitest's timers are the global ones only.
vi.mock('node:timers', async (original) => ({
  ...(await original<typeof Timers>()),
  setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms),
}));

/** Things that happen, to be waited for one after the other. */
class Happenings<T> {
  readonly #seen: T[] = [];
  #wake = (): void => undefined;

  readonly add = (each: T): void => {
    this.#seen.push(each);
    this.#wake();
  };

  async next(): Promise<T> {
    while (this.#seen.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#seen.shift()!;
  }
}

/** A server that a watch has been begun at; what it sends is up to the test. Time passes only when told. */
async function watched(): Promise<{ stream: ServerResponse; what: Happenings<string> }> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const [what, streams] = [new Happenings<string>(), new Happenings<ServerResponse>()];
  const server = await serve((_, response) => {
    response.on('close', () => what.add('over'));
    streams.add(response);
  });
  const gateway = new Gateway([await Endpoint.at(server.url, await connectorFor(null, 60 * SECOND))], null);
  const stop = watchKeys(gateway, [one('k')], {
    begun: () => what.add('begun'),
    changed: (revision) => what.add(`changed in ${revision}`),
    failed: what.add,
  });
  onTestFinished(async () => {
    stop();
    await gateway.close();
    await server.close();
  });
  const stream = await streams.next();
  stream.write('{"result":{"created":true}}\n');
  expect(await what.next()).toBe('begun');
  return { stream, what };
}

function event(revision: number): string {
  const kv = { key: Buffer.from('k').toString('base64'), mod_revision: String(revision), value: '' };
  return `${JSON.stringify({ result: { events: [{ kv }] } })}\n`;
}

test('a stream that is silent for a minute is given up', async () => {
  const { what } = await watched();
  vi.advanceTimersByTime(60 * SECOND);
  expect(await what.next()).toBe('over');
});

test('a stream on which something comes now and then is kept', async () => {
  const { stream, what } = await watched();
  for (let revision = 2; revision < 6; revision += 1) {
    vi.advanceTimersByTime(59 * SECOND);
    stream.write(event(revision));
    expect(await what.next()).toBe(`changed in ${revision}`);
  }
  vi.advanceTimersByTime(60 * SECOND);
  expect(await what.next()).toBe('over');
});
