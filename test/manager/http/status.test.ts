import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLog } from '../../../src/base/log.ts';
import { limitsOf } from '../../../src/manager/http/limits.ts';
import { listen } from '../../../src/manager/http/listen.ts';
import { Readiness } from '../../../src/manager/http/probes.ts';
import { statusHandler } from '../../../src/manager/http/status.ts';
import { createMetrics } from '../../../src/manager/metrics.ts';
import { type FakeManager, fakeManager } from './fake-manager.ts';
import { type RawAnswer, rawClient } from './raw-client.ts';

async function startStatus(): Promise<{ manager: FakeManager; ask: (line: string) => Promise<RawAnswer> }> {
  const manager = fakeManager();
  const listener = await listen({
    section: 'status',
    address: '127.0.0.1',
    port: 0,
    tls: null,
    limits: limitsOf({ maxConnections: 16, requestTimeoutMs: 1000, maxWaitMs: 0 }),
    handler: statusHandler({
      manager,
      readiness: new Readiness(manager),
      metrics: createMetrics({ version: '1.2.3', isGroup: () => false }),
      connections: () => 42,
    }),
    log: createLog({ format: 'text', level: 'error', journald: true, write: () => undefined }),
  });
  onTestFinished(() => listener.close(0));
  const client = await rawClient(listener.port);
  onTestFinished(() => client.close());
  return {
    manager,
    ask: (line) => {
      client.send(`${line} HTTP/1.1\r\nhost: x\r\n\r\n`);
      return client.answer({ bodiless: line.startsWith('HEAD') });
    },
  };
}

describe('the status listener', () => {
  it('has metrics', async () => {
    const { ask } = await startStatus();
    const answer = await ask('GET /metrics?x');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.body).toContain('holdpoint_build_info{version="1.2.3"} 1\n');
    expect(answer.body).toContain('holdpoint_manager_http_connections 42\n');
  });

  it('has the probes', async () => {
    const { ask, manager } = await startStatus();
    expect(await ask('GET /healthz')).toMatchObject({ status: 200, body: 'ok' });
    expect(await ask('HEAD /readyz')).toMatchObject({ status: 200 });
    manager.state.notReady = 'draining';
    expect(await ask('GET /readyz')).toMatchObject({ status: 503 });
  });

  it.each(['/', '/v1/pre-reboot', '/v1/steady-state'])('has no %s', async (path) => {
    const { ask, manager } = await startStatus();
    expect((await ask(`POST ${path}`)).status).toBe(404);
    expect(manager.calls).toEqual([]);
  });

  it('takes no POST', async () => {
    const { ask } = await startStatus();
    expect((await ask('POST /metrics')).headers['allow']).toBe('GET, HEAD');
  });
});

describe('readiness', () => {
  it('is asked once for all who ask at the same time', async () => {
    let asked = 0;
    const readiness = new Readiness({
      readiness: () => {
        asked += 1;
        return Promise.resolve(null);
      },
    });
    expect(await Promise.all([readiness.problem(), readiness.problem()])).toEqual([null, null]);
    expect(asked).toBe(1);
    expect(await readiness.problem()).toBe(null);
    expect(asked).toBe(2);
  });

  it('is not had from a store that fails or does not answer', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const text = 'the store of the lock manager did not answer within 5 s';
    const failing = new Readiness({ readiness: () => Promise.reject(new Error('http://etcd.internal')) });
    expect(await failing.problem()).toBe(text);
    const late = new Readiness({ readiness: () => new Promise(() => undefined) }).problem();
    await vi.advanceTimersByTimeAsync(5000);
    expect(await late).toBe(text);
  });
});
