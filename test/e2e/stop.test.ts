import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type Simulated, simulate, smallGraph } from '../support/simulated.ts';

const [OLD, MID] = ['40.1.3.0', '41.2.3.0'] as const;
/** Far less than the minute, or the half hour, that what is stalled would take to be given up. */
const LIMIT = { timeout: 25_000 };

interface Context {
  readonly onTestFinished: (end: () => Promise<void> | void) => void;
}

interface Host {
  readonly one: Simulated;
  /** How the agent ended. */
  readonly ended: Promise<readonly [number | null, NodeJS.Signals | null]>;
}

/** A host whose agent is left alone when it ends. */
async function host({ onTestFinished }: Context): Promise<Host> {
  let end: (how: readonly [number | null, NodeJS.Signals | null]) => void = () => undefined;
  const ended = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve) => (end = resolve));
  const one = await simulate({
    graph: smallGraph([OLD, MID], [[0, 1]]),
    from: OLD,
    onDeath: (code, signal) => end([code, signal]),
  });
  onTestFinished(() => one.stop());
  return { one, ended };
}

/** A server that takes every request and answers none; `asked` resolves with the first. */
async function stalledServer({ onTestFinished }: Context): Promise<{ url: string; asked: Promise<void> }> {
  let ask: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (ask = resolve));
  const server = createServer(() => ask());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

describe('SIGTERM ends the agent', () => {
  test.concurrent('while the update server does not answer', LIMIT, async (context) => {
    const { one, ended } = await host(context);
    const { url, asked } = await stalledServer(context);
    one.agent.configure(`agent.timing.steady_interval_secs = 1\ncincinnati.base_url = "${url}"\n`);
    one.agent.start();
    await asked;
    one.agent.signal('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(one.lines.at(-1)?.text).toBe('stopped');
  });

  test.concurrent('while a report is owed and the lock server does not answer', LIMIT, async (context) => {
    const { one, ended } = await host(context);
    const { url, asked } = await stalledServer(context);
    one.agent.configure(
      `cincinnati.base_url = "${one.server.url}"\nupdates.strategy = "fleet_lock"\nupdates.fleet_lock.base_url = "${url}"\n`,
    );
    one.agent.start();
    await asked;
    one.agent.signal('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(one.memory()['owed']).toHaveLength(1);
  });

  test.concurrent('while rpm-ostree neither goes on nor ends', LIMIT, async (context) => {
    const { one, ended } = await host(context);
    one.machine.setFault('hang', { method: 'Deploy', times: 1 });
    one.agent.start();
    while (one.machine.faults().hang !== undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    one.agent.signal('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
});
