import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Simulation, readSimulation } from '../../src/simulate/report.ts';
import { type Host, MID, OLD, host, until } from '../support/holding.ts';
import { program, smallGraph } from '../support/simulated.ts';

const LIMIT = { timeout: 60_000 };
const MINUTE = 60_000;
/** Milliseconds by which a process on a busy machine may act later than in theory. Never before its time. */
const LATE_MS = 1_500;
/** A Wednesday. */
const NOON = Date.parse('2026-07-22T12:00:00Z');
const NEW = '42.3.3.0';
const TWO_HOPS = smallGraph(
  [OLD, MID, NEW],
  [
    [0, 1],
    [1, 2],
  ],
);
const ONE_HOP = smallGraph([OLD, MID], [[0, 1]]);

/** What `holdpoint simulate` says of a host at this moment on its clock, with the configuration that its agent has. */
async function foretell({ machine, agent, clock }: Host, from: string, ...more: string[]): Promise<Simulation> {
  const [file, ...args] = program(
    'simulate',
    `--config-dir=${join(agent.runDir, '../config.d')}`,
    `--root=${machine.root}`,
    `--from=${from}`,
    `--at=${new Date(clock.now()).toISOString()}`,
    '--stage-time=0',
    '--json',
    ...more,
  );
  const out = await new Promise<string>((resolve, reject) => {
    execFile(file, args, (error, stdout, stderr) => (error === null ? resolve(stdout) : reject(new Error(stderr))));
  });
  return readSimulation(out);
}

/** The first moment at which it does something. */
function first({ steps }: Simulation, kind: Simulation['steps'][number]['kind']): Simulation['steps'][number] {
  const found = steps.find((step) => step.kind === kind);
  return found ?? expect.fail(`nothing of the kind ${kind} was foretold`);
}

/** Expects something to be done at its moment, or a little later. */
function expectAt(done: number | undefined, moment: number, late = LATE_MS): void {
  expect(done ?? Number.NaN).toBeGreaterThanOrEqual(moment);
  expect((done ?? Number.NaN) - moment).toBeLessThan(late);
}

async function runs(one: Host, version: string): Promise<void> {
  await one.machine.until(({ deployments }) => deployments.some((each) => each.booted && each.version === version));
  await one.line((line) => line.state === 'watching' && line.text.startsWith(`running ${version}`));
}

describe('a host does at its time what was foretold of it', () => {
  test.concurrent('at the opening of its windows, hop by hop', LIMIT, async (context) => {
    const windows = '{ schedule = "0,30 13 * * *", length_minutes = 1 }';
    const config = `updates.strategy = "periodic"\nupdates.periodic.window = [${windows}]\n`;
    const one = await host(context, { config, graph: TWO_HOPS, wall: NOON + 60 * MINUTE - 8_000 });
    const foretold = first(await foretell(one, OLD), 'finalize');
    expect([foretold.at, foretold.release]).toEqual([NOON + 60 * MINUTE, MID]);
    // While the host is down, the first window ends, and it will soon be time for the second one.
    const skipped = new Promise<void>((resolve) => {
      one.machine.onShutdown(() => {
        one.clock.set(NOON + 90 * MINUTE - 15_000);
        resolve();
      });
    });
    one.agent.start();
    await skipped;
    const next = first(await foretell(one, MID), 'finalize');
    expect([next.at, next.release]).toEqual([NOON + 90 * MINUTE, NEW]);
    await runs(one, NEW);
    expectAt(one.downs[0], foretold.at);
    expectAt(one.downs[1], next.at);
  });

  test.concurrent('when a rollout of a graph in a file reaches it', LIMIT, async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'hp-simulate-'));
    context.onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'graph.json');
    writeFileSync(file, withRollout(ONE_HOP, MID, NOON, 10));
    // In the middle of the rollout it is this host's turn.
    const turn = NOON + 5 * MINUTE;
    const one = await host(context, { wall: turn - 8_000 });
    const url = pathToFileURL(file).href;
    one.agent.configure(
      `agent.timing.steady_interval_secs = 1\ncincinnati.base_url = "${url}"\nidentity.rollout_wariness = 0.5\n`,
    );
    const foretold = first(await foretell(one, OLD), 'finalize').at;
    one.agent.start();
    await runs(one, MID);
    // Each looks at the graph once a second; which part of a second is up to chance.
    expectAt(foretold, turn, 1_100);
    expectAt(one.downs[0], turn, 1_100 + LATE_MS);
  });

  test.concurrent('when it looks at the graph, where chance is the same', LIMIT, async (context) => {
    const config = 'updates.periodic.window = [{ schedule = "0 3 * * *", length_minutes = 1 }]\n';
    const one = await host(context, { wall: NOON, dice: 0.5 });
    one.agent.configure(
      `agent.timing.steady_interval_secs = 6\ncincinnati.base_url = "${one.server.url}"\nupdates.strategy = "periodic"\n${config}`,
    );
    const foretold = await foretell(one, OLD, '--dice=0.5');
    const { at: look, next } = first(foretold, 'check');
    const asked = one.server.requests.length;
    one.agent.start();
    await one.line(/^ready; node/);
    const ready = one.clock.now();
    for (const moment of [look, next ?? 0]) {
      const before = one.server.requests.length;
      await until(() => one.server.requests.length > before);
      // The line that says so needs a moment, too.
      expectAt(one.clock.now() - ready + 250, moment - foretold.at, LATE_MS + 250);
    }
    expect(one.server.requests).toHaveLength(asked + 2);
  });
});

/** The same graph, with a release that is rolled out to everybody within some minutes. */
function withRollout(graph: string, version: string, startWall: number, minutes: number): string {
  const { nodes, edges } = JSON.parse(graph) as { nodes: { version: string; metadata: object }[]; edges: unknown };
  const prefix = 'org.fedoraproject.coreos.updates';
  const rollout = {
    [`${prefix}.rollout`]: 'true',
    [`${prefix}.start_epoch`]: String(startWall / 1000),
    [`${prefix}.start_value`]: '0.0',
    [`${prefix}.duration_minutes`]: String(minutes),
  };
  const changed = nodes.map((node) => {
    return node.version === version ? { ...node, metadata: { ...node.metadata, ...rollout } } : node;
  });
  return JSON.stringify({ nodes: changed, edges });
}
