import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { EXIT } from '../../src/cli/command.ts';
import { createMachine } from '../../src/sim/machine.ts';
import { type GraphServer, startGraphServer } from '../../src/sim/graph-server.ts';
import { POLICY_TIME } from '../graph/fixtures.ts';
import { serve, type TestServer } from '../support/http.ts';
import { graphText, program, smallGraph } from '../support/simulated.ts';

const STABLE = join(import.meta.dirname, '../fixtures/graphs/stable-x86_64-checksum.json');
const IMAGES = STABLE.replace('checksum', 'oci');
const [OLD, NEWEST] = ['42.20250818.3.0', '44.20260707.3.1'];
const AT = '2026-07-23T14:00Z';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hp-graph-'));
  mkdirSync(join(dir, 'etc'));
  writeFileSync(join(dir, 'etc/machine-id'), '00112233445566778899aabbccddeeff\n');
  mkdirSync(join(dir, 'proc/sys/kernel/random'), { recursive: true });
  writeFileSync(join(dir, 'proc/sys/kernel/random/boot_id'), '2e6a5aca-7bb5-4ad4-a1bb-6bbd4a3bd2d1\n');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `holdpoint graph` with a configuration; there is no system bus unless an argument names one. */
function graph(toml: string, ...argv: string[]): Promise<Ran> {
  writeFileSync(join(dir, '50.toml'), toml);
  const [node, ...args] = program('graph', '--config-dir', dir, '--root', dir, ...argv);
  const env = { ...process.env, TZ: 'UTC', DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/nowhere/bus' };
  return new Promise((resolve) => {
    execFile(node, args, { env, maxBuffer: 2 ** 26 }, (error, out, err) => {
      const status = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
      resolve({ status, out, err: err.replaceAll(`${dir}/`, '') });
    });
  });
}

const like = (text: RegExp): string => expect.stringMatching(text) as string;

describe('a graph in a file', () => {
  test('is shown hop by hop', async () => {
    const { status, out, err } = await graph('', '--graph', STABLE, '--from', OLD, '--at', AT);
    expect([status, err]).toEqual([EXIT.ok, '']);
    expect(out).toMatch(/^From 42\.20250818\.3\.0 to 44\.20260707\.3\.1: 4 updates, 3 barriers /);
    expect(out).toMatch(/◆ {2}43\.20260217\.3\.1 {2}barrier: https:/);
  });

  test('as images, where there are no commits in it', async () => {
    const { status, out } = await graph('', '--graph', IMAGES, '--from', OLD, '--json');
    expect([status, JSON.parse(out)]).toMatchObject([EXIT.ok, { scheme: 'oci', source: IMAGES }]);
  });

  test.each([
    ['svg', /^<svg xmlns/],
    ['dot', /^digraph updates \{/],
    ['json', /^\{\n {2}"at"|^\{\n {2}"version"/],
  ])('can be had as %s', async (format, text) => {
    const { status, out } = await graph('', '--graph', STABLE, '--from', OLD, '--format', format, '--all');
    expect([status, out]).toEqual([EXIT.ok, like(text)]);
  });

  test('whole, needs no start', async () => {
    const { status, out, err } = await graph('', '--graph', STABLE, '--all', '--json');
    expect([status, err]).toEqual([EXIT.ok, '']);
    expect(JSON.parse(out)).toMatchObject({ from: null, booted: false, end: null, path: [], all: true, releases: 179 });
  });

  test('whose way is one update has a way on', async () => {
    const file = join(dir, 'short.json');
    writeFileSync(file, smallGraph(['1.0', '2.0'], [[0, 1]]));
    const { status, out } = await graph('', '--graph', file, '--from', '1.0');
    expect([status, out]).toEqual([EXIT.ok, like(/^From 1\.0 to 2\.0: 1 update, 0 barriers/)]);
  });

  test('may have no way on: then it says why, and nothing is to be done', async () => {
    const { status, out } = await graph('', '--graph', STABLE, '--from', NEWEST);
    expect([status, out]).toEqual([EXIT.nothingToDo, like(/44\.20260707\.3\.1 is the newest release\.\n$/)]);
    const dead = await graph('', '--graph', STABLE.replace('stable', 'next'), '--from', '38.20230310.1.0');
    expect([dead.status, dead.out]).toEqual([EXIT.nothingToDo, like(/is a dead end \(https:.*no update leads away/)]);
  });

  test.each<[string, string, RegExp]>([
    ['is not there', '', /a\.json: expected a file with an update graph in JSON, found none\n$/],
    ['is no graph', '{"nodes": 7}', /a\.json: "nodes": expected a list, found 7\n$/],
    ['is no JSON', '\u001b[2J<html>', /a\.json: expected a graph in JSON, found "\[2J<html>" \(.*JSON\)\n$/],
    ['is too large', ' '.repeat(9 * 2 ** 20), /a\.json/],
    ['has nothing to begin at', '{"nodes": [], "edges": []}', /--from: there is no 1 in the graph: it has 0 releases/],
  ])('that %s is a failure', async (_, text, words) => {
    if (text !== '') writeFileSync(join(dir, 'a.json'), text);
    const { status, out, err } = await graph('', '--graph', join(dir, 'a.json'), '--from', '1');
    expect([status, out, err]).toEqual([EXIT.failure, '', like(words)]);
  });

  test('a version that is not in it is a failure, with one that may be meant', async () => {
    const { status, err } = await graph('', '--graph', STABLE, '--from', '42.20250818.3.1');
    expect([status, err]).toEqual([EXIT.failure, like(/it has 179 releases, did you mean 42\.20250818\.3\.0\?\n$/)]);
  });
});

describe('an update server', () => {
  let server: GraphServer;
  beforeAll(async () => {
    const policy = { now: () => POLICY_TIME };
    server = await startGraphServer({ graph: graphText('stable-x86_64-checksum'), policy });
  });
  afterAll(() => server.close());

  const CONFIG = 'identity.stream = "stable"\nidentity.basearch = "x86_64"\nidentity.rollout_wariness = 0.9\n';

  test('of the configuration is told about this host', async () => {
    const toml = `${CONFIG}identity.group = "workers"\ncincinnati.base_url = "${server.url}"\n`;
    const { status, out, err } = await graph(toml, '--from', OLD, '--at', AT);
    expect([status, err]).toEqual([EXIT.ok, '']);
    // What is being rolled out is not for a host that waits so long.
    expect(out).toMatch(/to 44\.20260621\.3\.1: 4 updates/);
    expect(out).toMatch(/\n44\.20260707\.3\.1 reaches this host at about 2026-07-2/);
    expect(server.requests.at(-1)?.parameters).toMatchObject({
      ...{ stream: 'stable', basearch: 'x86_64', group: 'workers', os_version: OLD, rollout_wariness: '0.900000' },
    });
    expect(server.requests.at(-1)?.parameters['node_uuid']).toMatch(/^[0-9a-f]{32}$/);
  });

  test('may be named, also by what it was asked once', async () => {
    for (const url of [server.url, `${server.url}/v1/graph?stream=next&basearch=aarch64&rollout_wariness=0.1`]) {
      const { status, out } = await graph('', '--graph', url, '--from', OLD, '--json');
      expect([status, JSON.parse(out)]).toMatchObject([EXIT.ok, { source: server.url }]);
    }
    const [plain, asked] = server.requests.slice(-2).map(({ parameters }) => parameters);
    expect([plain?.['stream'], asked?.['stream'], asked?.['basearch']]).toEqual(['stable', 'next', 'aarch64']);
  });

  test('that nobody has told the stream is told the usual one, which is said', async () => {
    const { err } = await graph('', '--graph', server.url, '--from', OLD);
    expect(err).toBe(
      'holdpoint graph: this host does not say its stream; stable is assumed (to change it: identity.stream)\n',
    );
  });

  test('that fails or is not there is a failure', async () => {
    server.setFailure(500);
    onTestFinished(() => server.setFailure(null));
    const failed = await graph(CONFIG, '--graph', server.url, '--from', OLD);
    expect([failed.status, failed.out, failed.err]).toEqual([EXIT.failure, '', like(/answered 500/)]);
    const gone = await graph(CONFIG, '--graph', 'http://127.0.0.1:1/', '--from', OLD);
    expect([gone.status, gone.err]).toEqual([EXIT.failure, like(/http:\/\/127\.0\.0\.1:1: /)]);
  });

  test('without an id of this host cannot be asked', async () => {
    rmSync(join(dir, 'etc/machine-id'));
    const { status, err } = await graph(CONFIG, '--graph', server.url, '--from', OLD);
    expect([status, err]).toEqual([EXIT.failure, like(/no \/etc\/machine-id: set identity\.node_uuid/)]);
  });
});

describe('a graph for everybody, on the web', () => {
  let server: TestServer;
  let [status, body] = [200, ''];
  beforeAll(async () => {
    server = await serve((_, response) => {
      response.writeHead(status);
      response.end(body);
    });
  });
  afterAll(() => server.close());

  test('is judged here', async () => {
    body = graphText('stable-x86_64-oci');
    const { out } = await graph(
      'identity.rollout_wariness = 0.9\n',
      '--graph',
      new URL('a.json?x=y', server.url).href,
      '--from',
      OLD,
      '--at',
      AT,
    );
    expect(out).toMatch(/◌ {2}44\.20260707\.3\.1 {2}rollout at 50 %, reaches this host at about Fri 2026-07-24/);
  });

  test.each<[number, string, RegExp]>([
    [404, 'x', /answered 404: expected 200 and a graph/],
    [200, 'x', /expected a graph in JSON, found "x"/],
    [200, ' '.repeat(9 * 2 ** 20), /too large/],
  ])('may be none (%i)', async (code, text, words) => {
    [status, body] = [code, text];
    const { status: exit, err } = await graph('', '--graph', new URL('a.json', server.url).href, '--from', OLD);
    expect([exit, err]).toEqual([EXIT.failure, like(words)]);
  });
});

describe('the release that this host runs', () => {
  test('is where it starts', { timeout: 30_000 }, async () => {
    const machine = await createMachine({
      graph: graphText('stable-x86_64-checksum'),
      stream: 'stable',
      basearch: 'x86_64',
      bootedVersion: OLD,
      command: program('sim', 'rpm-ostreed'),
    });
    onTestFinished(() => machine.stop());
    const here = ['--bus-address', machine.busAddress, '--graph'];
    const { status, out } = await graph('', ...here, STABLE);
    expect([status, out]).toEqual([EXIT.ok, like(/● {2}42\.20250818\.3\.0 {2}this host runs it; barrier/)]);
    const other = await graph('', ...here, STABLE.replace('stable', 'next'));
    expect([other.status, other.err]).toEqual([
      EXIT.failure,
      like(/the booted release 42\.20250818\.3\.0 is not in the graph: it has 217 releases/),
    ]);
  });

  test('must be said where nobody can tell', async () => {
    const { status, err } = await graph('', '--graph', STABLE);
    expect([status, err]).toEqual([
      EXIT.failure,
      like(/nobody can tell which release this host runs: .*; say --from VERSION, or --all for the whole graph\n$/),
    ]);
  });
});

describe('where something is wrong', () => {
  test.each<[readonly string[], RegExp]>([
    [['--at', 'soon'], /--at: expected a moment/],
    [['--graph', 'ftp://x/'], /--graph: expected a file, or a URL/],
    [['--graph', 'http://['], /--graph: expected a file, or a URL/],
    [['--format', 'png'], /--format: expected text or dot or svg or json/],
    [['--json', '--format', 'svg'], /--json: --format svg says otherwise/],
  ])('with %j, it is the command line', async (argv, text) => {
    const { status, err } = await graph('', ...argv);
    expect([status, err]).toEqual([EXIT.usage, like(text)]);
  });

  test('it may be the configuration', async () => {
    const { status, out, err } = await graph('updates.strategy = 7\n', '--graph', STABLE, '--all');
    expect([status, out, err]).toEqual([EXIT.configuration, '', like(/^50\.toml:1:20: error: /)]);
  });
});
