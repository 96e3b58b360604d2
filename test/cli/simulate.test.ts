import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'prettier';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { EXIT } from '../../src/cli/command.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { simulateCommand } from '../../src/cli/simulate.ts';
import { startGraphServer } from '../../src/sim/graph-server.ts';
import { SIMULATE_SCHEMA, readSimulation } from '../../src/simulate/report.ts';
import { expectGolden } from '../support/golden.ts';
import { commit, smallGraph } from '../support/simulated.ts';
import { testIo } from './io.ts';

const STABLE = join(import.meta.dirname, '../fixtures/graphs/stable-x86_64-checksum.json');
const [OLD, NEW] = ['42.20250818.3.0', '44.20260707.3.1'] as const;
const AT = '2026-07-23T14:00Z';
const NODE_ID = '978a225b3d7b40e9acd7ce9b62f68444';
const CONFIG = `identity.node_uuid = "${NODE_ID}"
[updates]
strategy = ["periodic", "fleet_lock"]
min_uptime_secs = 600
fleet_lock.base_url = "https://lock.example/"
freeze = [{ from = "2026-08-01", until = "2026-08-02", reason = "summer fair" }]
[updates.periodic]
time_zone = "Europe/Berlin"
window = [{ days = ["Sat"], start_time = "02:00", length_minutes = 12 }]
`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hp-simulate-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

let count = 0;

function written(name: string, content: string): string {
  const dir = join(folder, String((count += 1)));
  mkdirSync(dir);
  writeFileSync(join(dir, name), content);
  return join(dir, name);
}

async function run(config: string, ...argv: string[]): Promise<Ran> {
  const dir = join(written('50-test.toml', config), '..');
  const io = testIo();
  const status = await dispatch([simulateCommand], ['simulate', `--config-dir=${dir}`, ...argv], io);
  return { status, out: io.out(), err: io.err() };
}

describe('a timeline', () => {
  test('is for people, in the time of the windows', async () => {
    const { status, out, err } = await run(CONFIG, `--graph=${STABLE}`, `--from=${OLD}`, `--at=${AT}`);
    expect([status, err]).toEqual([EXIT.ok, '']);
    expectGolden(out.replace(STABLE, 'stable.json'), join(import.meta.dirname, 'golden/simulate.txt'));
  });

  test('is JSON on demand, that can be read again', async () => {
    const { status, out } = await run(CONFIG, `--graph=${STABLE}`, `--from=${OLD}`, `--at=${AT}`, '--json');
    expect(status).toBe(EXIT.ok);
    const { nodeId, summary, end, steps } = readSimulation(out);
    expect([nodeId, summary.updates, summary.runs, summary.newest, summary.left]).toEqual([NODE_ID, 4, NEW, true, '']);
    expect(end.kind).toBe('newest');
    expect(steps.filter(({ kind }) => kind === 'finalize')).toHaveLength(4);
    expect(JSON.parse(out)).toMatchObject({
      version: 1,
      at: '2026-07-23T14:00:00.000Z',
      graph: { raw: true, releases: 179 },
    });
  });

  test('ends with what is left when it ends early', async () => {
    const { out } = await run(CONFIG, `--graph=${STABLE}`, `--from=${OLD}`, `--at=${AT}`, '--for=3d');
    expect(out).toMatch(
      /\nEnds Sun 2026-07-26 16:00: the simulated 3 d are over\.\nAfter 1 update this host runs .*\. Left: 3 updates to 44\.20260707\.3\.1, next barrier /,
    );
  });

  test('says by how much clocks are ahead where that changes on the way', async () => {
    const windows = CONFIG.replace('2026-08-01', '2026-07-01').replace('2026-08-02', '2026-10-26');
    const { out } = await run(windows, `--graph=${STABLE}`, `--from=${OLD}`, `--at=${AT}`, '--for=120d');
    expect(out).toMatch(/^Thu 2026-07-23 16:00:00 \+02:00 /m);
    expect(out).toMatch(/^Sat 2026-10-31 02:00:00 \+01:00 /m);
  });

  test('of a host that is up to date says that there is nothing to do', async () => {
    const { status, out } = await run('', `--graph=${STABLE}`, `--from=${NEW}`, `--at=${AT}`);
    expect(status).toBe(EXIT.ok);
    expect(out).toContain(`This host runs the newest release, ${NEW}: there is nothing to do.`);
  });
});

/** A server that has one graph at every path; what it was asked for. */
async function graphServer(): Promise<{ readonly asked: readonly string[]; readonly url: string }> {
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    response.end(smallGraph(['1.0', '2.0'], [[0, 1]]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('a graph', () => {
  test('whose URL ends in .json is a document, the same for everybody, as for `holdpoint graph`', async () => {
    const { asked, url } = await graphServer();
    const source = `${url}/a/graph.json`;
    const { status, out } = await run('', `--graph=${source}`, '--from=1.0', `--at=${AT}`, '--json');
    expect([status, asked]).toEqual([EXIT.ok, ['/a/graph.json']]);
    expect(readSimulation(out).graph).toEqual({ source, raw: true, releases: 2 });
  });

  test('may be at a server by the address at which it was asked, which says what is asked', async () => {
    const { asked, url } = await graphServer();
    const source = `${url}/v1/graph?stream=testing`;
    expect((await run('', `--graph=${source}`, '--from=1.0', '--scheme=checksum')).status).toBe(EXIT.ok);
    expect(asked).toEqual([expect.stringMatching(/^\/v1\/graph\?.*\bstream=testing\b/) as string]);
    expect(asked[0]?.match(/stream=/g)).toHaveLength(1);
  });

  test.each(['ftp://x/', 'http://['])('is none at %s: the command line is wrong', async (source) => {
    const { status, err } = await run('', `--graph=${source}`, '--from=1.0');
    expect([status, err]).toEqual([EXIT.usage, expect.stringMatching(/--graph: expected a file, or a URL/) as string]);
  });

  test('comes from the configured server where none is named, as that server judges it', async () => {
    const server = await startGraphServer({ graph: smallGraph(['1.0', '2.0'], [[0, 1]]) });
    const { out } = await run(`cincinnati.base_url = "${server.url}"\n`, '--from=1.0', `--at=${AT}`, '--json');
    await server.close();
    const { graph, summary } = readSimulation(out);
    expect([graph, summary.runs]).toEqual([{ source: server.url, raw: false, releases: 2 }, '2.0']);
    expect(server.requests[0]?.parameters).toMatchObject({ os_version: '1.0', stream: 'stable' });
  });

  test.each([
    ['nothing', null, /: expected a file with an update graph in JSON, found none$/],
    ['no JSON', '{\n  "nodes": [}', /graph\.json: expected a graph in JSON, found ".*" \(.*'?\}'?.*JSON.*\)$/],
    ['another shape', '{ "nodes": 3, "edges": [] }', /graph\.json: "nodes": expected a list, found 3$/],
  ])('that is %s is said to be so, and where', async (_, content, expected) => {
    const file = content === null ? join(folder, 'none.json') : written('graph.json', content);
    const { status, out, err } = await run('', `--graph=${file}`, '--from=1.0');
    expect([status, out]).toEqual([EXIT.failure, '']);
    expect(err.trimEnd()).toMatch(expected);
  });

  test('without the version names what is near, or what there is', async () => {
    const near = await run('', `--graph=${STABLE}`, '--from=42.20250818.3.1');
    expect([near.status, near.err]).toEqual([
      EXIT.failure,
      expect.stringMatching(
        /^holdpoint simulate: --from: expected a version of the graph, found '42\.20250818\.3\.1'; did you mean 42\.20250818\.3\.0 or .*\?\n$/,
      ),
    ]);
    const far = await run('', `--graph=${STABLE}`, '--from=none');
    expect(far.err).toMatch(/found 'none'; they go from \S+ to 44\.20260707\.3\.1\n$/);
  });

  test('with one version as commit and as image takes the first, and says so', async () => {
    const graph = JSON.parse(smallGraph(['1.0', '2.0'], [[0, 1]])) as {
      nodes: { metadata: object }[];
      edges: number[][];
    };
    const image = `quay.io/a/b@sha256:${commit('1.0')}`;
    const [first] = graph.nodes;
    const metadata = { ...first?.metadata, 'org.fedoraproject.coreos.scheme': 'oci' };
    graph.nodes.push({ ...first, payload: image, metadata } as (typeof graph.nodes)[0]);
    const file = written('graph.json', JSON.stringify(graph));
    const both = await run('', `--graph=${file}`, '--from=1.0', `--at=${AT}`);
    expect(both.out).toContain('- 1.0 is in the graph as checksum and as oci: this host has it as checksum (--scheme)');
    const oci = await run('', `--graph=${file}`, '--from=1.0', `--at=${AT}`, '--scheme=oci', '--json');
    expect(readSimulation(oci.out).from.payload).toBe(image);
  });
});

describe('what is not known of this host', () => {
  test('is assumed, and said', async () => {
    const { out } = await run('', `--graph=${STABLE}`, `--from=${NEW}`, `--root=${folder}`, `--at=${AT}`);
    expect(out).toMatch(
      /- nobody knows the id of this host \(there is no .*machine-id, and no identity\.node_uuid\): 0{32} decides/,
    );
  });

  test('an id that is none is a failure', async () => {
    mkdirSync(join(folder, 'odd/etc'), { recursive: true });
    writeFileSync(join(folder, 'odd/etc/machine-id'), 'uninitialized\n');
    const { status, err } = await run('', `--graph=${STABLE}`, `--from=${NEW}`, `--root=${join(folder, 'odd')}`);
    expect([status, err]).toEqual([
      EXIT.failure,
      expect.stringContaining('machine-id: 32 hexadecimal digits were expected'),
    ]);
  });
});

test('a configuration with errors is a status of its own, with all that is wrong', async () => {
  const { status, out, err } = await run('updates.enabled = 3\n', `--graph=${STABLE}`, `--from=${OLD}`);
  expect([status, out]).toEqual([EXIT.configuration, '']);
  expect(err).toMatch(/50-test\.toml:1:\d+: error: updates\.enabled: /);
});

describe('a command line', () => {
  test.each([
    [[], /--from: the version that runs is missing/],
    [['--at=1969-12-31'], /--at: expected a moment such as .*, found '1969-12-31'/],
    [['--at=soon'], /--at: expected a moment/],
    [['--at=2026-02-30'], /--at: expected a moment/],
    [['--until=2026-07-01T00:00Z'], /--until: expected a moment after the start/],
    [['--until=2027-01-01', '--for=1d'], /--until and --for say the same/],
    [['--for=0d'], /--for: expected a duration/],
    [['--stage-time=long'], /--stage-time: expected a duration/],
    [['--slot=soon'], /--slot: expected granted, refused or a duration/],
    [['--dice=1'], /--dice: expected a number from 0 to below 1/],
    [['--scheme=tar'], /--scheme: expected checksum or oci/],
  ])('%j is wrong', async (argv, expected) => {
    const rest =
      argv.length === 0 ? [] : [`--from=${OLD}`, ...(argv[0]?.startsWith('--at') === true ? [] : [`--at=${AT}`])];
    const { status, out, err } = await run('', `--graph=${STABLE}`, ...rest, ...argv);
    expect([status, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(expected);
  });

  test('may say how the world is', async () => {
    const how = ['--slot=1h', '--people', '--dice=0', '--uptime=0', '--stage-time=0', '--boot-time=5m'];
    const { out } = await run(CONFIG, `--graph=${STABLE}`, `--from=${OLD}`, `--at=${AT}`, ...how);
    expect(out).toContain('the lock server has a slot free 1 h after it is first asked for');
    expect(out).toContain('- somebody is logged in;');
    expect(out).toMatch(/\+0 s +checks the graph/);
  });
});

test('the JSON is documented', async () => {
  const text = await format(JSON.stringify(SIMULATE_SCHEMA), { parser: 'json', printWidth: 120 });
  expectGolden(text, join(import.meta.dirname, '../../docs/simulate.schema.json'));
});
