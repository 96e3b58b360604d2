import { afterEach, describe, expect, test } from 'vitest';
import { choose } from '../../src/graph/choose.ts';
import { GraphClient } from '../../src/graph/client.ts';
import type { GraphRequest } from '../../src/graph/request.ts';
import { admitted, wariness } from '../../src/graph/rollout.ts';
import type { Graph } from '../../src/graph/types.ts';
import { type GraphServer, type GraphServerOptions, startGraphServer } from '../../src/sim/graph-server.ts';
import { POLICY_TIME, graphText, readGraph, versionOf } from '../graph/fixtures.ts';

const NAME = 'stable-x86_64-checksum';
const BEFORE = '44.20260621.3.1';
const NEWEST = '44.20260707.3.1';
const started: GraphServer[] = [];

afterEach(async () => {
  for (const server of started.splice(0)) await server.close();
});

async function start(more: Partial<GraphServerOptions> = {}): Promise<GraphServer> {
  const server = await startGraphServer({ graph: graphText(NAME), ...more });
  started.push(server);
  return server;
}

async function ask(server: GraphServer, more: Partial<GraphRequest> = {}): Promise<Graph> {
  const result = await new GraphClient({ environment: {} }).fetch({
    baseUrl: server.url,
    basearch: 'x86_64',
    stream: 'stable',
    scheme: 'checksum',
    nodeId: '074c268827d74fb59ed758e8940cd667',
    rolloutWariness: null,
    osVersion: BEFORE,
    osChecksum: 'a',
    group: 'default',
    platform: 'metal',
    ...more,
  });
  if (!result.ok) throw new Error(result.failure.text);
  return result.graph;
}

const links = (graph: Graph): number => graph.edges.flat().length;

describe('the simulated update server', () => {
  test('serves the graph as it is without a policy, and remembers who asked', async () => {
    const server = await start();
    expect(links(await ask(server))).toBe(183);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({
      method: 'GET',
      path: '/v1/graph',
      parameters: { basearch: 'x86_64', stream: 'stable', platform: 'metal' },
    });
  });

  test.each([
    ['GET', '/v1/graph', 400],
    ['GET', '/v1/graph?basearch=x86_64', 400],
    ['GET', '/v1/graph?stream=stable', 400],
    ['GET', '/v1/graph?basearch=x86_64&stream=stable&oci=yes', 400],
    ['GET', '/v1/graph?basearch=x86_64&stream=stable&oci=false', 200],
    ['HEAD', '/v1/graph?basearch=x86_64&stream=stable', 404],
    ['POST', '/v1/graph?basearch=x86_64&stream=stable', 404],
    ['GET', '/graph', 404],
  ])('answers %s %s with %i', async (method, path, status) => {
    const answer = await fetch(new URL(path, (await start()).url), { method });
    expect(answer.status).toBe(status);
    expect((await answer.text()) === '').toBe(status !== 200);
  });

  test('fails on demand, and serves another graph on demand', async () => {
    const server = await start();
    server.setFailure(502);
    await expect(ask(server)).rejects.toThrow(/answered 502/);
    server.setFailure(null);
    server.setGraph('{"nodes":[],"edges":[]}');
    expect((await ask(server)).releases).toEqual([]);
    expect(() => server.setGraph('{}')).toThrow(/needs "nodes"/);
  });

  test.each(['next', 'stable', 'testing'])('answers as the policy engine did: %s', async (stream) => {
    const name = `${stream}-x86_64-checksum`;
    const server = await start({ graph: graphText(name), policy: { now: () => POLICY_TIME, wariness: 0.25 } });
    const recorded = readGraph(`${name}.policy-t1784815200-w0.25`, 'checksum');
    const pairs = ({ releases, edges }: Graph): string[] =>
      edges.flatMap((to, from) => to.map((end) => `${releases[from]!.version} ${releases[end]!.version}`)).toSorted();
    expect(pairs(await ask(server))).toEqual(pairs(recorded));
  });

  test('and the client agree for many hosts and moments on who is reached', async () => {
    const clock = { now: 0 };
    const server = await start({ policy: { now: () => clock.now } });
    const raw = readGraph(NAME, 'checksum');
    const { rollout, payload } = versionOf(raw, NEWEST);
    const [booted, newest] = [versionOf(raw, BEFORE), { payload }];
    const outcomes = new Set<string>();
    for (let index = 0; index < 40; index += 1) {
      clock.now = POLICY_TIME + (index - 20) * 5_000_000;
      const nodeId = index.toString(16).padStart(32, '0');
      const configured = index % 4 === 0 ? index / 40 : null;
      const graph = await ask(server, { nodeId, rolloutWariness: configured });
      const host = { configured, nodeId };
      const query = { booted, deny: () => null, allowDowngrade: false, now: clock.now, wariness: host };
      const choice = choose(graph, query);
      const reached = admitted(rollout!, clock.now) >= wariness(configured, nodeId);
      expect(choice.target?.payload === newest.payload).toBe(reached);
      expect(choose({ ...raw, raw: true }, query)).toEqual(choice);
      outcomes.add(choice.target === null && choice.verdict.kind === 'rollout' ? choice.verdict.wait.state : 'offered');
    }
    expect([...outcomes].toSorted()).toEqual(['notReached', 'notStarted', 'offered']);
  });
});
