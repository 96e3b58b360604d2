import { expect, test } from 'vitest';
import type { Bus } from '../../src/bus/api.ts';
import { checkAuthorization } from '../../src/host/polkit/authority.ts';
import type { PolkitQuestion } from '../../src/sim/api.ts';
import { connectedBus } from '../support/bus.ts';
import { machine } from '../support/sim-host.ts';

const ACTION = 'io.github.holdpoint.Agent1.pause';
const LIMITS = { answerMs: 5_000, passwordMs: 5_000 };

/** What polkit says about a connection of this process. */
async function ask(bus: Bus, sender: string, limits = LIMITS): Promise<string> {
  return (await checkAuthorization(bus, { sender, action: ACTION, interactive: false }, limits)).kind;
}

/** The unique name of a connection. */
function nameOf(bus: Bus): Promise<string> {
  return new Promise((resolve) => bus.onState((state) => state.connected && resolve(state.uniqueName)));
}

test('polkit answers as it is told, about the user who calls', async () => {
  const host = await machine();
  const bus = await connectedBus(host.busAddress);
  const name = await nameOf(bus);
  const asked: PolkitQuestion[] = [];
  const answers = [await ask(bus, name)];
  for (const answer of ['no', 'challenge', 'yes'] as const) {
    await host.setPolkit((question) => {
      asked.push(question);
      return answer;
    });
    answers.push(await ask(bus, name));
  }
  expect(answers).toEqual(['yes', 'no', 'challenge', 'yes']);
  expect(asked[0]).toEqual({ uid: process.getuid?.(), action: ACTION, interactive: false });
});

test('polkit comes, goes and falls silent', async () => {
  const host = await machine();
  const bus = await connectedBus(host.busAddress);
  const name = await nameOf(bus);
  await host.setPolkit(null);
  expect(await ask(bus, name)).toBe('unknown');
  await host.setPolkit(() => 'yes');
  expect([await ask(bus, name), await ask(bus, ':1.4711')]).toEqual(['yes', 'unknown']);
  await host.setPolkit(() => 'silence');
  expect(await ask(bus, name, { answerMs: 20, passwordMs: 20 })).toBe('unknown');
});

test('polkit stays as it was set when the host reboots', async () => {
  const host = await machine();
  await host.setPolkit(() => 'no');
  await host.rebootNow();
  const bus = await connectedBus(host.busAddress);
  expect(await ask(bus, await nameOf(bus))).toBe('no');
});
