import { describe, expect, test } from 'vitest';
import { type Context, type Host, arrives, host, until } from '../support/holding.ts';

const LIMIT = { timeout: 60_000 };

interface InFleet {
  readonly one: Host;
  /** Resolves with what the lock server was asked until the host went down, and whether this host then had the slot. */
  readonly down: Promise<{ readonly log: readonly string[]; readonly held: boolean }>;
}

/** A host that asks a lock manager for each reboot. */
async function inFleet(context: Context): Promise<InFleet> {
  const one = await host(context, { lock: true });
  const { locks } = one;
  const down = new Promise<Awaited<InFleet['down']>>((resolve) => {
    one.machine.onShutdown(() => resolve({ log: [...locks.log], held: locks.holders.size === 1 }));
  });
  return { one, down };
}

/** Waits until the host runs the new release, and the slot is back. */
async function arrivesUnderLock({ one, down }: InFleet): Promise<void> {
  await arrives(one);
  await until(() => one.locks.holders.size === 0);
  const { log, held } = await down;
  expect(held, 'the slot is held when the host goes down').toBe(true);
  // From the first grant to the reboot it was never given back, at most confirmed.
  const granted = log.slice(log.indexOf('pre-reboot 200'));
  expect(granted).not.toContain('steady-state 200');
  expect(one.machine.state().bootCount).toBe(2);
}

describe('a finalize of which no result comes', () => {
  test.concurrent.for([
    ['die', 'start'],
    ['die', 'done'],
    ['vanish', 'start'],
    ['vanish', 'done'],
  ] as const)('(%s at %s) keeps the slot, and is repeated under it', LIMIT, async ([fault, at], context) => {
    const fleet = await inFleet(context);
    const { one } = fleet;
    one.machine.setFault(fault, { method: 'FinalizeDeployment', at, times: 1 });
    one.agent.start();
    await one.line(/^finalizing.*attempt 1/);
    await arrivesUnderLock(fleet);
  });
});

test.concurrent(
  'a reboot that does not come is said aloud, and the slot stays until it does',
  LIMIT,
  async (context) => {
    const fleet = await inFleet(context);
    const { one } = fleet;
    one.machine.setFault('rebootLost');
    one.agent.start();
    await one.line((line) => line.level === 'error' && line.text.includes('has not rebooted'));
    // The state says so for as long as it lasts, and nobody else may reboot meanwhile.
    const polls = one.server.requests.length;
    await one.line(/has not rebooted.*\(attempt 2/);
    expect([one.locks.holders.size, one.machine.state().bootCount]).toEqual([1, 1]);
    expect(one.server.requests.length).toBe(polls);
    one.machine.clearFault('rebootLost');
    await one.machine.rebootNow();
    await arrivesUnderLock(fleet);
  },
);
