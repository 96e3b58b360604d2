import { expect, onTestFinished, test, vi } from 'vitest';
import { askLock } from '../../src/fleetlock/client.ts';
import { listen, waiting } from './server.ts';

const ACCESS = {
  connectTimeoutMs: 10_000,
  totalTimeoutMs: 20_000,
  tokenFile: null,
  caFile: null,
  clientCertFile: null,
  clientKeyFile: null,
  environment: {},
};

/** A question to a server that has kept it for so many milliseconds; then the slot is free. */
async function freeAfter(ms: number): Promise<unknown> {
  const fleet = waiting();
  const server = await listen(fleet.answer);
  const clock = vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(async () => {
    vi.useRealTimers();
    await server.stop();
  });
  const lock = { baseUrl: `http://${server.host}/`, group: 'g', id: 'a' };
  const { signal } = new AbortController();
  const answer = askLock({ operation: 'pre-reboot', lock, waitMs: 50_000, wall: 0, signal }, ACCESS);
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  while (fleet.waiting.size === 0) await turn();
  clock.advanceTimersByTime(ms);
  fleet.free();
  return answer;
}

test('a slot that is free shortly before the end of the wait and the time to answer is taken', async () => {
  expect(await freeAfter(69_999)).toEqual({ kind: 'yes' });
});

test('after that nobody listens any more', async () => {
  expect(await freeAfter(70_000)).toMatchObject({ kind: 'failed', failure: { class: 'unknown' } });
});
