import { expect, test } from 'vitest';
import type { Bus } from '../../src/bus/api.ts';
import { readMetered, watchMetered } from '../../src/host/metered.ts';
import { readPower } from '../../src/host/power.ts';
import { readClockSynced } from '../../src/host/time-sync.ts';
import { connectedBus } from '../support/bus.ts';
import { machine } from '../support/sim-host.ts';

function agentOn(address: string): Promise<Bus> {
  return connectedBus(address, { random: () => 0, minRetryMs: 20 });
}

test('NetworkManager says whether traffic costs, tells of changes, and comes and goes', async () => {
  const host = await machine();
  const agent = await agentOn(host.busAddress);
  const answers: (boolean | null)[] = [];
  let waiting: () => void = () => undefined;
  const stop = watchMetered(agent, () => waiting());
  const told = (): Promise<void> => new Promise((resolve) => (waiting = resolve));
  await told();
  answers.push(await readMetered(agent));
  for (const metered of ['guess-yes', 'no', 'yes', 'unknown', null, 'yes'] as const) {
    const next = told();
    await host.setMetered(metered);
    await next;
    answers.push(await readMetered(agent));
  }
  stop();
  expect(answers).toEqual([false, true, false, true, null, null, true]);
});

test('timedate1 says whether the clock is synchronised', async () => {
  const host = await machine();
  const agent = await agentOn(host.busAddress);
  const answers = [await readClockSynced(agent)];
  for (const synced of [false, null, true]) {
    await host.setClockSynced(synced);
    answers.push(await readClockSynced(agent));
  }
  expect(answers).toEqual([true, false, null, true]);
});

test('both stay as they were set when the host reboots, and can be set while it is down', async () => {
  const host = await machine();
  await host.setMetered('yes');
  await host.setClockSynced(false);
  host.onShutdown(() => host.setClockSynced(null));
  await host.rebootNow();
  const agent = await agentOn(host.busAddress);
  expect([await readMetered(agent), await readClockSynced(agent)]).toEqual([true, null]);
  await host.stop();
  await host.setMetered(null);
});

test('the kernel says what powers the host', async () => {
  const host = await machine();
  const seen = [readPower(host.root)];
  for (const power of ['battery', 'ac', 'none'] as const) {
    host.setPower(power);
    seen.push(readPower(host.root));
  }
  host.setPower('battery');
  await host.rebootNow();
  seen.push(readPower(host.root));
  expect(seen).toEqual(['unknown', 'battery', 'ac', 'unknown', 'battery']);
});
