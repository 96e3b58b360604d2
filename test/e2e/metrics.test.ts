import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { parseExposition } from '../support/exposition.ts';
import { type Simulated, simulate, smallGraph } from '../support/simulated.ts';

const [OLD, MID] = ['40.1.3.0', '41.2.3.0'] as const;
const LIMIT = { timeout: 60_000 };
const SCRAPE = '/metrics';
const ALONE = 'updates.sessions.enabled = false\n';

interface Context {
  readonly onTestFinished: (end: () => Promise<void> | void) => void;
}

async function host({ onTestFinished }: Context, config = ''): Promise<Simulated> {
  const graph = smallGraph([OLD, MID], [[0, 1]]);
  const sim = await simulate({ graph, from: OLD, config: ALONE + config });
  onTestFinished(() => sim.stop());
  return sim;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function get(options: { socketPath: string } | { host: string; port: number }, path = SCRAPE): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ ...options, path }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => (body += part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body }),
      );
      response.on('error', reject);
    });
    asked.on('error', reject).end();
  });
}

/** As local_exporter reads zincati's socket. */
function plain(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    connect(path)
      .setEncoding('utf8')
      .on('data', (part: string) => (text += part))
      .on('end', () => resolve(text))
      .on('error', reject);
  });
}

function http({ agent }: Simulated): Promise<Answer> {
  return get({ socketPath: join(agent.runDir, 'metrics.sock') });
}

/** The value of a sample, by its name with all labels in order; undefined where there is none. */
async function sample(sim: Simulated, name: string): Promise<number | undefined> {
  return parseExposition((await http(sim)).body).get(name);
}

function motd({ agent }: Simulated): string | null {
  const path = join(agent.runDir, 'motd');
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const eventually = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 20_000, interval: 50 });

/** Keeps the host from rebooting. */
const BLOCKED = [{ what: 'shutdown', who: 'dnf', why: 'an installation', mode: 'block', uid: 0, pid: 1 }] as const;

describe('the metrics of an agent', () => {
  test('can be had on both sockets and over TCP, and follow it into the next release', LIMIT, async (context) => {
    const port = await freePort();
    const sim = await host(context, `metrics.port = ${port}\n`);
    const { agent, machine } = sim;
    machine.setInhibitors(BLOCKED);
    agent.start();
    await sim.line(/is staged; waiting: dnf/);
    await eventually(async () => {
      expect(await sample(sim, 'holdpoint_gate_open{gate="inhibitors"}')).toBe(0);
    });
    for (const answer of [await http(sim), await get({ host: '127.0.0.1', port })]) {
      expect(answer).toMatchObject({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8' });
      expect(answer.body).toContain(`holdpoint_target_release_info{version="${MID}"} 1`);
    }
    const text = await plain(join(agent.runDir, 'metrics.promsock'));
    expect(parseExposition(text).get('holdpoint_state{state="holding"}')).toBe(1);
    expect(text).toContain(`zincati_identity_os_info{os_version="${OLD}",basearch="x86_64",stream="stable",`);
    const booted = machine.nextBoot();
    machine.setInhibitors([]);
    await booted;
    await eventually(async () => {
      expect(await sample(sim, `holdpoint_booted_release_info{version="${MID}"}`)).toBe(1);
      expect(await sample(sim, 'holdpoint_graph_verdict{verdict="newest"}')).toBe(1);
      expect(await sample(sim, 'holdpoint_target_release_info')).toBeUndefined();
    });
  });

  test('are what promtool takes, but for names that are as zincati has them', LIMIT, async (context) => {
    const sim = await host(context);
    sim.machine.setInhibitors(BLOCKED);
    sim.agent.start();
    await sim.line(/is staged; waiting: dnf/);
    await eventually(async () => {
      expect(await sample(sim, 'holdpoint_state{state="holding"}')).toBe(1);
    });
    const { body } = await http(sim);
    expect(parseExposition(body).size).toBeGreaterThan(50);
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
    // Not everybody has it.
    if (checked.error !== undefined) return;
    const complaints = `${checked.stdout}${checked.stderr}`.split('\n').filter((line) => line !== '');
    expect(complaints.map((line) => line.split(' ')[0])).toEqual([
      'zincati_cincinnati_graph_edges_count',
      'zincati_cincinnati_graph_nodes_count',
      'zincati_update_agent_finalization_successes',
    ]);
  });

  test('are there for everybody on this host, and gone with the agent', LIMIT, async (context) => {
    const sim = await host(context);
    const { agent } = sim;
    const sockets = ['metrics.sock', 'metrics.promsock'].map((name) => join(agent.runDir, name));
    agent.start();
    const modes = (): string[] => sockets.map((path) => (statSync(path).mode & 0o777).toString(8));
    await eventually(() => expect(modes()).toEqual(['666', '666']));
    await agent.kill();
    expect(sockets.map((path) => existsSync(path))).toEqual([true, true]);
    agent.start();
    await eventually(async () => {
      expect((await http(sim)).status).toBe(200);
      expect(await plain(sockets[1] ?? '')).toContain('holdpoint_build_info');
    });
    await agent.stop();
    expect(sockets.map((path) => existsSync(path))).toEqual([false, false]);
  });

  test('can be turned off and on while it runs', LIMIT, async (context) => {
    const sim = await host(context);
    const { agent, server } = sim;
    const path = join(agent.runDir, 'metrics.sock');
    const reconfigure = (config: string): void => {
      agent.configure(
        `agent.timing.steady_interval_secs = 1\ncincinnati.base_url = "${server.url}"\n${ALONE}${config}`,
      );
      agent.signal('SIGHUP');
    };
    sim.machine.setInhibitors(BLOCKED);
    agent.start();
    await eventually(() => expect(existsSync(path)).toBe(true));
    reconfigure('metrics.enabled = false\nmotd.enabled = false\n');
    await eventually(() => expect([existsSync(path), motd(sim)]).toEqual([false, null]));
    reconfigure('');
    await eventually(() => expect([existsSync(path), motd(sim) !== null]).toEqual([true, true]));
  });
});

describe('those who log in', () => {
  test('are told of the reboot that waits, until it is over', LIMIT, async (context) => {
    const sim = await host(context);
    const { agent, machine } = sim;
    machine.setInhibitors(BLOCKED);
    agent.start();
    await eventually(() => expect(motd(sim)).toMatch(/^holdpoint: 41\.2\.3\.0 is staged; the reboot waits: dnf/));
    expect((statSync(join(agent.runDir, 'motd')).mode & 0o777).toString(8)).toBe('644');
    const booted = machine.nextBoot();
    machine.setInhibitors([]);
    await booted;
    await eventually(() => expect([sim.booted(), motd(sim)]).toEqual([MID, null]));
  });

  test('are told that nobody decides about it while the agent is stopped', LIMIT, async (context) => {
    const sim = await host(context);
    sim.machine.setInhibitors(BLOCKED);
    sim.agent.start();
    await eventually(() => expect(motd(sim)).toContain('the reboot waits'));
    await sim.agent.stop();
    expect(motd(sim)).toBe(
      'holdpoint: 41.2.3.0 is staged, and the agent is stopped: nothing decides about\nthe reboot into it\n',
    );
  });
});
