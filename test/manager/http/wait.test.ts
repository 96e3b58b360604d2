import { describe, expect, it } from 'vitest';
import { refuse } from '../../../src/manager/answer.ts';
import { done } from './fake-manager.ts';
import { requestText } from './raw-client.ts';
import { start } from './start.ts';

function waitText(wait: string, operation = 'pre-reboot'): string {
  return requestText(operation, { headers: { prefer: wait } });
}

describe('Prefer: wait', () => {
  it.each([
    ['wait=20', 'lock workers/node-1 20000', 'wait=20'],
    ['respond-async, wait=20', 'lock workers/node-1 20000', 'wait=20'],
    ['wait=3600', 'lock workers/node-1 50000', 'wait=50'],
    ['wait=0', 'lock workers/node-1', undefined],
    ['wait=soon', 'lock workers/node-1', undefined],
    ['handling=lenient', 'lock workers/node-1', undefined],
  ])('%s', async (prefer, call, applied) => {
    const { client, manager } = await start();
    const one = await client();
    one.send(waitText(prefer));
    const answer = await one.answer();
    expect([answer.status, answer.headers['preference-applied']]).toEqual([200, applied]);
    expect(manager.calls).toEqual([call]);
  });

  it('may stand in several headers', async () => {
    const { client, manager } = await start();
    const one = await client();
    one.send(waitText('respond-async\r\nprefer: wait=7'));
    await one.answer();
    expect(manager.calls).toEqual(['lock workers/node-1 7000']);
  });

  it('means nothing where waiting is switched off, nor for steady-state', async () => {
    const { client, manager } = await start({ maxWaitMs: 0 });
    const one = await client();
    one.send(waitText('wait=20'));
    one.send(waitText('wait=20', 'steady-state'));
    for (const answer of [await one.answer(), await one.answer()]) {
      expect(answer.headers).not.toHaveProperty('preference-applied');
    }
    expect(manager.calls).toEqual(['lock workers/node-1', 'unlock workers/node-1']);
  });

  it('is told to have been applied by a refusal as well', async () => {
    const { client, manager } = await start();
    manager.next = () => refuse('slots_full', 'all taken', 60_000);
    const one = await client();
    one.send(waitText('wait=20'));
    const answer = await one.answer();
    expect([answer.status, answer.headers['retry-after'], answer.headers['preference-applied']]).toEqual([
      409,
      '60',
      'wait=20',
    ]);
  });

  it('outlasts the limits on requests and on idle connections', async () => {
    const limits = { headTimeoutMs: 100, requestTimeoutMs: 100, keepAliveMs: 100 };
    const { client, manager } = await start({ limits });
    manager.next = () => null;
    const one = await client();
    one.send(waitText('wait=50'));
    await manager.waiting(1);
    // A second client runs into each of them meanwhile.
    const other = await client();
    expect((await other.answer()).status).toBe(408);
    await other.ended();
    manager.pending[0]!.answer(done('granted'));
    expect((await one.answer()).status).toBe(200);
  });
});

describe('a client that goes away while it waits', () => {
  it('aborts the wait, which then grants nothing', async () => {
    const { client, manager } = await start();
    manager.next = () => null;
    const one = await client();
    one.send(waitText('wait=50'));
    await manager.waiting(1);
    expect(manager.pending[0]?.options.signal.aborted).toBe(false);
    one.close();
    await manager.called('aborted node-1');
    manager.pending[0]!.answer(refuse('slots_full', 'nobody is there'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(manager.calls).toEqual(['lock workers/node-1 50000', 'aborted node-1']);
  });

  it('has its grant taken back, when it was granted at the same time', async () => {
    const { client, manager } = await start();
    manager.next = () => null;
    const one = await client();
    one.send(waitText('wait=50'));
    await manager.waiting(1);
    one.close();
    await manager.called('aborted');
    manager.pending[0]!.answer(done('granted'));
    await manager.called('taken back workers/node-1');
  });

  it('has it taken back although its answer was behind another', async () => {
    const { client, manager } = await start();
    manager.next = () => null;
    const one = await client();
    one.send(requestText('steady-state') + waitText('wait=50'));
    await manager.waiting(2);
    const [before, waiting] = [...manager.pending];
    waiting!.answer(done('granted'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(manager.calls.join()).not.toContain('taken back');
    one.close();
    await manager.called('taken back workers/node-1');
    before!.answer(done('released'));
  });

  it.each(['confirmed', 'not-held'] as const)('has nothing taken back after %s', async (outcome) => {
    const { client, manager } = await start();
    manager.next = () => null;
    const one = await client();
    one.send(waitText('wait=50'));
    await manager.waiting(1);
    one.close();
    await manager.called('aborted');
    manager.pending[0]!.answer(done(outcome));
    await new Promise((resolve) => setImmediate(resolve));
    expect(manager.calls.join()).not.toContain('taken back');
  });

  it('is not taken for gone once it has its answer', async () => {
    const { client, manager, listener } = await start();
    const one = await client();
    one.send(waitText('wait=50'));
    expect((await one.answer()).status).toBe(200);
    one.close();
    while (listener.connections > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(manager.calls).toEqual(['lock workers/node-1 50000']);
  });

  it('without having waited, keeps its grant: it will ask again', async () => {
    const { client, manager, listener } = await start();
    manager.next = () => null;
    const one = await client();
    one.send(requestText('pre-reboot'));
    await manager.waiting(1);
    one.close();
    while (listener.connections > 0) await new Promise((resolve) => setImmediate(resolve));
    manager.pending[0]!.answer(done('granted'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(manager.calls).toEqual(['lock workers/node-1']);
  });

  it('makes room for others who want to wait', async () => {
    const { client, manager } = await start({ limits: { maxConnections: 2 } });
    manager.next = () => null;
    for (let round = 1; round <= 3; round += 1) {
      const one = await client();
      one.send(waitText('wait=50'));
      await manager.waiting(1);
      expect(manager.pending[0]!.options.waitMs).toBe(50_000);
      const { signal } = manager.pending[0]!.options;
      const gone = new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
      one.close();
      await gone;
      manager.pending[0]!.answer(refuse('slots_full', 'nobody is there'));
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
});
