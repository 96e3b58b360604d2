import { expect, onTestFinished, test } from 'vitest';
import { createLog } from '../../src/base/log.ts';
import { startLookout } from '../../src/manager/lookout.ts';
import { type Bench, policies, policyOf, startBench } from '../support/manager.ts';

const ORDER = { by: 'ann', reason: 'a test' };
const MINUTE = 60_000;

/** A manager that is looked at, and what was said of it. */
async function watched(): Promise<{ bench: Bench; told: string[] }> {
  const rules = policyOf('g', { staleAfterMs: 10 * MINUTE, haltAfter: 1, slots: { kind: 'count', count: 3 } });
  const bench = await startBench(policies([rules]));
  const told: string[] = [];
  const log = createLog({ format: 'text', level: 'error', journald: true, write: () => undefined });
  const { service, time } = bench;
  const manager = {
    status: () => service.status(),
    peek: () => service.peek(),
    observe: service.observe.bind(service),
  };
  onTestFinished(
    startLookout({ manager, log, time, send: ({ event, id }) => told.push(`${event} ${id ?? ''}`.trim()) }),
  );
  await time.settle();
  return { bench, told };
}

test('a freeze is told at once, however short it is and whatever else is going on', async () => {
  const { bench, told } = await watched();
  await bench.lock('a');
  await bench.time.pass(10);
  await bench.service.freeze(null, null, ORDER);
  await bench.time.settle();
  expect(told).toEqual(['frozen']);
  await bench.service.thaw(null, ORDER);
  await bench.time.settle();
  expect(told).toEqual(['frozen', 'thawed']);
  await bench.service.freeze('g', bench.time.now() + 3_000, ORDER);
  await bench.time.settle();
  await bench.time.pass(3_000);
  expect(told).toEqual(['frozen', 'thawed', 'frozen', 'thawed']);
});

test('a holder is told to be stale the moment it is, with the halt that follows, and its return when it comes', async () => {
  const { bench, told } = await watched();
  await bench.time.pass(1_234);
  await bench.lock('a');
  await bench.time.pass(10 * MINUTE);
  expect(told).toEqual([]);
  await bench.time.pass(1);
  expect(told).toEqual(['stale a', 'halted']);
  await bench.time.pass(5_000);
  await bench.unlock('a');
  await bench.time.settle();
  expect(told).toEqual(['stale a', 'halted', 'returned a', 'resumed']);
});

test('many changes are looked at once a second', async () => {
  const { bench } = await watched();
  let looks = 0;
  const { service, time } = bench;
  const log = createLog({ format: 'text', level: 'error', journald: true, write: () => undefined });
  const manager = {
    status: () => service.status(),
    peek: () => {
      looks += 1;
      return service.peek();
    },
    observe: service.observe.bind(service),
  };
  onTestFinished(startLookout({ manager, log, time, send: () => undefined }));
  for (let round = 0; round < 50; round += 1) {
    await bench.lock('a');
    await bench.unlock('a');
    await time.pass(100);
  }
  expect(looks).toBeGreaterThan(3);
  expect(looks).toBeLessThan(9);
});
