import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { unlessCut } from '../../src/base/deadline.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const NEVER = new Promise<never>(() => undefined);

test('what comes in time is passed on, and nothing is left behind', async () => {
  const wanted = new AbortController();
  expect(await unlessCut(Promise.resolve(7), 1_000, wanted.signal)).toBe(7);
  await expect(unlessCut(Promise.reject(new Error('no')), 1_000, wanted.signal)).rejects.toThrow('no');
  expect([vi.getTimerCount(), getEventListeners(wanted.signal, 'abort')]).toEqual([0, []]);
});

test('what takes longer is not waited for', async () => {
  const first = unlessCut(NEVER, 1_000, new AbortController().signal);
  await vi.advanceTimersByTimeAsync(999);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await first).toEqual({ kind: 'timeout' });
});

test('what is called off is not waited for, nor what was called off before', async () => {
  const wanted = new AbortController();
  const first = unlessCut(NEVER, 1_000, wanted.signal);
  wanted.abort();
  expect(await first).toEqual({ kind: 'called-off' });
  expect(await unlessCut(NEVER, 1_000, wanted.signal)).toEqual({ kind: 'called-off' });
  expect(vi.getTimerCount()).toBe(0);
});
