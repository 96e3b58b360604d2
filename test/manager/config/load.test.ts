import fc from 'fast-check';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatProblem } from '../../../src/config/problem.ts';
import { toData, toToml } from '../../../src/config/show.ts';
import { buildManagerConfig, loadManagerConfig, type LoadedManagerConfig } from '../../../src/manager/config/load.ts';

const CASES = join(import.meta.dirname, 'cases');
const of = (text: string): LoadedManagerConfig => buildManagerConfig({ path: 'x.toml', text });
const plain = (text: string): LoadedManagerConfig => of(`service.tls = false\n${text}`);

const DEFAULT_GROUP = {
  slots: { kind: 'count', count: 1 },
  soakMs: 0,
  staleAfterMs: 3_600_000,
  haltAfter: 0,
  overdueMs: 21_600_000,
  showHolders: false,
  first: [],
  tokenPath: null,
  timeZone: 'UTC',
  windows: [],
  gate: null,
};

describe('the configuration of a manager', () => {
  test('is made of the defaults, but for TLS, which must be decided', () => {
    expect(of('').config).toBe(null);
    expect(plain('').config).toEqual({
      service: {
        address: '0.0.0.0',
        port: 9090,
        tls: null,
        basePath: '',
        tokenPath: null,
        maxConnections: 4096,
        maxWaitMs: 50_000,
        drainMs: 10_000,
        requestTimeoutMs: 10_000,
        decisionTimeoutMs: 10_000,
      },
      status: null,
      admin: { socket: '/run/holdpoint-manager/admin.sock', tcp: null },
      store: { path: '/var/lib/holdpoint-manager' },
      etcd3: null,
      defaultGroupName: 'default',
      groups: new Map([['default', { name: 'default', ...DEFAULT_GROUP }]]),
      autoCreate: null,
      audit: { maxRecords: 10_000, maxAgeMs: 7_776_000_000 },
      notify: null,
    });
  });

  test("takes airlock's keys with airlock's meaning, and an entry for the default group", () => {
    const { config, problems } = loadManagerConfig(join(CASES, 'airlock.toml'));
    expect(problems.map(({ severity }) => severity)).toEqual(['warning']);
    expect(config?.service).toMatchObject({ address: 'localhost', port: 3333, tls: null });
    expect(config?.status).toEqual({ address: '127.0.0.1', port: 2222, tls: null });
    expect(config?.etcd3).toEqual({
      endpoints: ['http://192.0.2.1:2379', 'https://192.0.2.2:2379'],
      transactionTimeoutMs: 2000,
      clientCert: { certPath: '/etc/airlock/client.pem', keyPath: '/etc/airlock/client.key' },
      caCertPath: null,
      user: null,
      prefix: 'io.github.holdpoint/',
    });
    expect(config?.defaultGroupName).toBe('everybody');
    expect([...(config?.groups ?? [])].map(([name, { slots }]) => [name, slots])).toEqual([
      ['everybody', { kind: 'count', count: 3 }],
      ['workers', { kind: 'count', count: 2 }],
      ['controllers', { kind: 'count', count: 2 }],
    ]);
  });

  test('has every key in its place', () => {
    const { config } = loadManagerConfig(join(CASES, 'all-keys.toml'));
    const tls = { certPath: '/etc/holdpoint/tls/cert.pem', keyPath: '/etc/holdpoint/tls/key.pem' };
    expect(config).toMatchObject({
      service: {
        address: '::',
        port: 9443,
        tls: { ...tls, clientCaPath: '/etc/holdpoint/tls/clients.pem', bindClientIds: true },
        basePath: '/fleet/lock',
        tokenPath: '/etc/holdpoint/token',
        maxConnections: 100,
        maxWaitMs: 40_000,
        drainMs: 5000,
        requestTimeoutMs: 1000,
        decisionTimeoutMs: 2000,
      },
      status: { address: '::1', port: 9444, tls },
      admin: {
        socket: '/run/lock.sock',
        tcp: { address: '127.0.0.1', port: 9445, tokenPath: '/etc/holdpoint/admin-token' },
      },
      etcd3: {
        endpoints: ['https://etcd-1.example.com:2379', 'https://etcd-2.example.com:2379'],
        transactionTimeoutMs: 1500,
        clientCert: { certPath: '/etc/holdpoint/etcd/cert.pem', keyPath: '/etc/holdpoint/etcd/key.pem' },
        caCertPath: '/etc/holdpoint/etcd/ca.pem',
        user: { name: 'holdpoint', passwordPath: '/etc/holdpoint/etcd/password' },
        prefix: 'fleet-1/',
      },
      defaultGroupName: 'workers',
      audit: { maxRecords: 500, maxAgeMs: 2_592_000_000 },
      notify: {
        url: 'https://hooks.example.com/services/hunter2?room=hunter2',
        tokenPath: '/etc/holdpoint/hook-token',
        timeoutMs: 3000,
      },
    });
  });

  test('has groups with all defaults merged in, and a template of the defaults', () => {
    const { config } = loadManagerConfig(join(CASES, 'all-keys.toml'));
    const defaults = {
      ...DEFAULT_GROUP,
      slots: { kind: 'percent', percent: 10, max: 50 },
      soakMs: 600_000,
      staleAfterMs: 1_800_000,
      haltAfter: 2,
      overdueMs: 3_600_000,
      showHolders: true,
    };
    expect(config?.autoCreate).toEqual({ maxGroups: 10, template: defaults });
    expect(Object.fromEntries(config?.groups ?? [])).toEqual({
      workers: { name: 'workers', ...defaults },
      'zone-b': {
        name: 'zone-b',
        slots: { kind: 'count', count: 0 },
        soakMs: 0,
        staleAfterMs: 60_000,
        haltAfter: 0,
        overdueMs: 330_000,
        showHolders: false,
        first: ['074c268827d74fb59ed758e8940cd667', 'canary 2'],
        tokenPath: '/etc/holdpoint/zone-b-token',
        timeZone: 'Europe/Berlin',
        windows: [
          { days: [0, 6], startMinute: 1350, lengthMinutes: 120 },
          { days: [3], startMinute: 180, lengthMinutes: 60 },
        ],
        gate: {
          kind: 'http',
          url: 'https://user:hunter2@health.example.com/ready?token=hunter2',
          cacheMs: 60_000,
          timeoutMs: 2000,
          tokenPath: '/etc/holdpoint/gate-token',
        },
      },
      'zone-c': {
        name: 'zone-c',
        ...defaults,
        slots: { kind: 'percent', percent: 100, max: 3 },
        gate: {
          kind: 'prometheus',
          url: 'http://:hunter2@prometheus.example.com/prefix',
          query: 'ALERTS{alertstate="firing"}',
          cacheMs: 30_000,
          timeoutMs: 5000,
          tokenPath: null,
        },
      },
    });
  });

  test('mixes the cap of one place with the percentage of another', () => {
    const { config } = plain(`
[lock]
default_slots = "20%"
max_slots = 9
groups = [{ name = "a" }, { name = "b", max_slots = 4 }, { name = "c", slots = "30%" }, { name = "d", slots = 5 }]`);
    expect([...(config?.groups.values() ?? [])].map(({ slots }) => slots)).toEqual([
      { kind: 'percent', percent: 20, max: 9 },
      { kind: 'percent', percent: 20, max: 9 },
      { kind: 'percent', percent: 20, max: 4 },
      { kind: 'percent', percent: 30, max: 9 },
      { kind: 'count', count: 5 },
    ]);
  });

  test.each([
    ['', ''],
    ['/', ''],
    ['/a', '/a'],
    ['/a/b.c~d_e-f/', '/a/b.c~d_e-f'],
    ['/.hidden/...', '/.hidden/...'],
    ['a', null],
    ['//', null],
    ['/a//b', null],
    ['/a/../b', null],
    ['/.', null],
    ['/./', null],
    ['/a%20b', null],
    ['/a b', null],
    ['/a?b', null],
  ])('takes the base path "%s" as %j', (written, expected) => {
    expect(plain(`service.base_path = "${written}"`).config?.service.basePath ?? null).toBe(expected);
  });

  test.each(['c', 'com.coreos.airlock', 'com.coreos.airlock/', 'com.coreos.airlock/x', '', 'a\\nb'])(
    'refuses "%s" before our keys in etcd',
    (prefix) => {
      const text = 'etcd3.endpoints = ["http://127.0.0.1:2379"]\netcd3.prefix = ';
      expect(plain(`${text}"fleet/"`).config?.etcd3?.prefix).toBe('fleet/');
      expect(plain(`${text}"${prefix}"`).config).toBe(null);
    },
  );

  test.each([
    ['0.0.0.0', '127.0.0.1', true],
    ['127.0.0.1', '0.0.0.0', true],
    ['::', '127.0.0.1', true],
    ['::1', '::', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['0.0.0.0', '::1', false],
    ['127.0.0.1', '127.0.0.2', false],
  ])('listeners on %s and %s cannot have the same port: %j', (one, other, collide) => {
    const on = (port: number): LoadedManagerConfig =>
      plain(`service.address = "${one}"\nservice.port = ${port}\n[status]\nenabled = true
address = "${other}"\nport = ${port}`);
    expect(on(7000).config === null).toBe(collide);
    expect(on(0).config).not.toBe(null);
  });
});

describe('the file', () => {
  let top = '';
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'holdpoint-manager-'));
  });
  afterEach(() => rmSync(top, { recursive: true, force: true }));

  const messages = ({ problems }: LoadedManagerConfig): string[] =>
    problems.map((problem) => formatProblem(problem).replaceAll(`${top}/`, ''));

  test('may be missing where it usually is', () => {
    const usual = join(top, 'manager.toml');
    const missing = loadManagerConfig(null, usual);
    expect(missing).toMatchObject({ path: usual, found: false, config: null });
    expect(messages(missing)).toEqual([
      'manager.toml: warning: there is no such file: every key has its default',
      'manager.toml: error: service.tls: true (the default) needs service.cert_path and service.key_path, ' +
        'which are not set: set them for HTTPS, or service.tls = false for plain HTTP',
    ]);
    expect(missing.values.get('admin.socket')?.value).toBe('/run/holdpoint-manager/admin.sock');
    writeFileSync(usual, 'service.tls = false');
    expect(loadManagerConfig(null, usual)).toMatchObject({ path: usual, found: true, problems: [] });
  });

  test('must be there when it was named, and a file that can be read', () => {
    const missing = loadManagerConfig(join(top, 'none.toml'));
    expect(missing).toMatchObject({ found: true, config: null });
    expect(messages(missing)).toEqual(['none.toml: error: cannot read this file: ENOENT: no such file or directory']);
    expect(messages(loadManagerConfig(top))).toEqual([
      expect.stringMatching(/error: cannot read this file: it is not a regular file$/),
    ]);
    symlinkSync('nowhere', join(top, 'link.toml'));
    expect(messages(loadManagerConfig(null, join(top, 'link.toml')))).toEqual([
      'link.toml: error: cannot read this file: ENOENT: no such file or directory',
    ]);
  });

  test('may have thousands of groups, and not more than a mebibyte', () => {
    const groups = Array.from({ length: 10_000 }, (_, index) => `[[lock.groups]]\nname = "g${index}"\nslots = 1\n`);
    const path = join(top, 'large.toml');
    writeFileSync(path, `service.tls = false\n${groups.join('')}`);
    const large = loadManagerConfig(path);
    expect(large.problems).toEqual([]);
    expect(large.config?.groups.size).toBe(10_001);
    writeFileSync(path, '#'.repeat(1_048_577));
    expect(messages(loadManagerConfig(path))).toEqual([
      'large.toml: error: cannot read this file: larger than 1048576 bytes',
    ]);
  });
});

test('shown as TOML and read again, is the same', () => {
  const group = fc.record(
    {
      slots: fc.oneof(
        fc.nat(100_000),
        fc.integer({ min: 1, max: 100 }).map((percent) => `${percent}%`),
      ),
      max_slots: fc.integer({ min: 1, max: 100_000 }),
      soak_secs: fc.nat(604_800),
      show_holders: fc.boolean(),
      first: fc.uniqueArray(
        fc.stringMatching(/^[ -~]{1,8}$/).filter((id) => id.trim() !== ''),
        { maxLength: 3 },
      ),
      time_zone: fc.constantFrom('UTC', 'localtime', 'Asia/Tokyo'),
      gate_url: fc.constantFrom('http://x.example.com', 'https://x.example.com/a/b'),
    },
    { requiredKeys: [] },
  );
  const lock = fc.record(
    {
      default_slots: fc.constantFrom(1, 7, '7%'),
      stale_after_secs: fc.integer({ min: 60, max: 31_536_000 }),
      auto_create: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(lock, fc.array(fc.tuple(group, fc.boolean()), { maxLength: 4 }), (defaults, groups) => {
      const assign = (values: object): string =>
        Object.entries(values)
          .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
          .join('');
      const window = '[[lock.groups.window]]\ndays = ["Mon"]\nstart_time = "1:00"\nlength_minutes = 5\n';
      const tables = groups.map(([values, windows], index) => {
        return `[[lock.groups]]\nname = "g${index}"\n${assign(values)}${windows ? window : ''}`;
      });
      const first = plain(`[lock]\nmax_slots = 3\n${assign(defaults)}${tables.join('')}`);
      expect(first.config).not.toBe(null);
      for (const origins of [false, true]) {
        const again = of(toToml(first.values, origins));
        expect(again.config).toEqual(first.config);
        expect(toData(again.values)).toEqual(toData(first.values));
      }
    }),
  );
});

test('bad content of any kind gives problems, never an exception', () => {
  const paths = fc.constantFrom(
    'service',
    'service.tls',
    'service.cert_path',
    'status.enabled',
    'admin.port',
    'etcd3.endpoints',
    'etcd3.prefix',
    'lock',
    'lock.default_slots',
    'lock.groups',
    'notify.webhook_url',
    'x',
  );
  const value = fc.constantFrom(
    '1',
    '"x"',
    '"5%"',
    '"https://x/?y#z"',
    '[]',
    '["x:1"]',
    '[[]]',
    '{}',
    '[{}]',
    '[{ name = "a" }, { name = "a", slots = "5%", gate_query = "x", window = [{}] }]',
    '[{ name = "__proto__", window = { a = 1 }, first = [[]] }]',
    'nan',
    '2026-07-23',
    'false',
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(paths, value), { maxLength: 5 }), (lines) => {
      const { config, problems } = of(lines.map(([path, text]) => `${path} = ${text}\n`).join(''));
      expect(config === null).toBe(problems.some(({ severity }) => severity === 'error'));
    }),
    { numRuns: 500 },
  );
});
