import { expect, onTestFinished, test } from 'vitest';
import { buildManagerConfig } from '../../src/manager/config/load.ts';
import { ConfiguredPolicies } from '../../src/manager/policies.ts';
import { listen } from '../fleetlock/server.ts';

const [SECOND, HOUR] = [1_000, 3_600_000];

/** The policies of a group whose gate is kept for 30 s, and the time in which they live. */
async function gated(answer: () => number): Promise<{ policies: ConfiguredPolicies; pass: (ms: number) => number }> {
  const server = await listen((_, response) => void response.writeHead(answer()).end());
  onTestFinished(() => server.stop());
  let now = 1_000_000;
  const text = `
    service.tls = false
    [[lock.groups]]
    name = "g"
    gate_url = "http://${server.host}/"
    gate_cache_secs = 30
  `;
  const { config } = buildManagerConfig({ path: 'manager.toml', text });
  if (config === null) throw new Error('the configuration is not good');
  const policies = new ConfiguredPolicies(config, () => now);
  // Whoever asks for a slot of a group has asked for its policy.
  policies.of('g', false);
  return { policies, pass: (ms) => (now += ms) };
}

test('what a gate said stands for as long as it is kept and a store may take its time, and no longer', async () => {
  const { policies, pass } = await gated(() => 200);
  await policies.prepare('g');
  expect(policies.closed('g', pass(30 * SECOND))).toBeNull();
  expect(policies.closed('g', pass(10 * SECOND - 1))).toBeNull();
  expect(policies.closed('g', pass(2))).toMatchObject({ kind: 'blocked', retryAfterMs: SECOND });
  await policies.prepare('g');
  expect(policies.closed('g', pass(0))).toBeNull();
});

test('a gate that was closed is so however old that is', async () => {
  const { policies, pass } = await gated(() => 503);
  await policies.prepare('g');
  expect(policies.closed('g', pass(0))?.value).toContain('HTTP 503');
  expect(policies.closed('g', pass(3_600 * SECOND))?.value).toContain('HTTP 503');
});

test('a status tells what a gate said last and whether that holds, and asks nothing', async () => {
  let [status, asked] = [200, 0];
  const { policies, pass } = await gated(() => ((asked += 1), status));
  const now = pass(0);
  expect(policies.shown('g', now)).toEqual({ closed: null, gate: { asked: null, refusal: null, current: false } });
  await policies.prepare('g');
  expect(policies.shown('g', now)).toEqual({ closed: null, gate: { asked: now, refusal: null, current: true } });
  const later = pass(HOUR);
  expect(policies.shown('g', later)).toEqual({ closed: null, gate: { asked: now, refusal: null, current: false } });
  status = 503;
  await policies.prepare('g');
  const refusal = 'the gate of the group is closed: it answered HTTP 503';
  expect(policies.shown('g', later)).toEqual({
    closed: { ok: false, kind: 'blocked', value: refusal, retryAfterMs: 30 * SECOND },
    gate: { asked: later, refusal, current: true },
  });
  expect(policies.shown('g', pass(HOUR))).toEqual({ closed: null, gate: { asked: later, refusal, current: false } });
  expect(asked).toBe(2);
});
