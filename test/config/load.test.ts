import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCron } from '../../src/config/cron-library.ts';
import { buildConfig, type LoadedConfig } from '../../src/config/load.ts';
import { toData, toOrigins, toToml } from '../../src/config/show.ts';

const of = (...texts: string[]): LoadedConfig =>
  buildConfig(
    texts.map((text, index) => ({ path: `${index}.toml`, text })),
    [],
    readCron,
  );

describe('the configuration', () => {
  test('without any file is made of the defaults', () => {
    expect(of().config).toEqual({
      agent: { timing: { steadyIntervalSecs: 300 } },
      identity: {
        group: 'default',
        nodeUuid: null,
        rolloutWariness: null,
        stream: null,
        platform: null,
        basearch: null,
      },
      cincinnati: {
        baseUrl: 'https://updates.coreos.fedoraproject.org',
        connectTimeoutSecs: 10,
        timeoutSecs: 60,
      },
      notify: {
        webhookUrl: null,
        tokenFile: null,
        events: ['staged', 'rebooting', 'back', 'rolled-back', 'stuck', 'recovered'],
        text: '${host}: ${text}',
        stuckSecs: 86_400,
      },
      updates: {
        enabled: true,
        source: 'graph',
        allowDowngrade: false,
        strategy: ['immediate'],
        fleetLock: {
          baseUrl: null,
          tokenFile: null,
          caFile: null,
          clientCertFile: null,
          clientKeyFile: null,
          connectTimeoutSecs: 10,
          timeoutSecs: 60,
          waitSecs: 50,
        },
        periodic: { timeZone: 'UTC', randomPlace: false, windows: [] },
        minUptimeSecs: 0,
        clockWaitSecs: 600,
        freezes: [],
        sessions: {
          enabled: true,
          classes: ['user', 'user-early', 'user-light', 'user-early-light', 'user-incomplete'],
          idleSecs: 0,
          graceSecs: 600,
          finalNoticeSecs: 60,
          unreadableSecs: 1800,
          postponeSecs: 0,
        },
        inhibitors: { enabled: true },
        power: { requireAc: false },
        network: { avoidMetered: false },
      },
      hooks: { dir: '/etc/holdpoint/hooks.d', timeoutSecs: 300, mayRebootTimeoutSecs: 30 },
      health: { unit: 'boot-complete.target', timeoutSecs: 600, rollback: false },
      metrics: { enabled: true, address: '127.0.0.1', port: null },
      motd: { enabled: true },
    });
  });

  test('keeps secrets for the program and shows none to people', () => {
    const { config, values } = of(
      'cincinnati.base_url = "https://a:hunter2@x/"\nupdates.strategy = "fleet_lock"\n' +
        'updates.fleet_lock.base_url = "https://b:hunter2@y/"\n',
    );
    expect(config?.cincinnati.baseUrl).toBe('https://a:hunter2@x/');
    expect(config?.updates.fleetLock.baseUrl).toBe('https://b:hunter2@y/');
    expect(toToml(values, true) + JSON.stringify([toData(values), toOrigins(values)])).not.toContain('hunter2');
  });

  test.each([
    ['http://127.0.0.1:3030/', 0],
    ['http://[::1]:3030/', 0],
    ['http://localhost/', 0],
    ['http://lock.localhost/', 0],
    ['http://localhost.example.com/', 1],
    ['http://127.example.com/', 1],
    ['http://${stream}.example.com/', 1],
    ['https://lock.example.com/', 0],
  ])('warns of a token that is sent unencrypted: %s', (url, warnings) => {
    const text = `updates.strategy = "fleet_lock"\nupdates.fleet_lock = { base_url = "${url}", token_file = "/t" }\n`;
    const { problems } = of(text);
    expect(problems.filter(({ message }) => message.includes('unencrypted'))).toHaveLength(warnings);
    expect(problems).toHaveLength(warnings);
  });

  test('has windows with days as numbers and minutes of the day', () => {
    const { config } = of(
      'updates.periodic.window = [{ days = ["sunday", "SAT", "Sat"], start_time = "23:59", length_minutes = 2 }]',
    );
    expect(config?.updates.periodic.windows).toEqual([
      { kind: 'weekly', days: [0, 6], startMinute: 1439, lengthMinutes: 2, timeZone: null },
    ]);
  });

  test.each([
    '27e3ac02-af39-46af-995c-9940e18b0cce',
    '27E3AC02AF3946AF995C9940E18B0CCE',
    '{27e3ac02-af39-46af-995c-9940e18b0cce}',
    'urn:uuid:27e3ac02-af39-46af-995c-9940e18b0cce',
  ])('takes the UUID %s', (form) => {
    expect(of(`identity.node_uuid = "${form}"`).config?.identity.nodeUuid).toBe('27e3ac02af3946af995c9940e18b0cce');
  });

  test.each([
    '{27e3ac02-af39-46af-995c-9940e18b0cce',
    '27e3ac02af3946af995c9940e18b0ccg',
    '27e3ac02-af3946af-995c-9940e18b0cce',
    'x27e3ac02af3946af995c9940e18b0cce',
    '27e3ac02af3946af995c9940e18b0cce0',
  ])('refuses %s as a UUID', (form) => {
    expect(of(`identity.node_uuid = "${form}"`).config).toBe(null);
  });

  test('a value that is not acceptable is an error even if a later file sets another', () => {
    expect(of('identity.group = 1', 'identity.group = "good"').config).toBe(null);
  });

  test('nothing is said about what a file that cannot be read may hold', () => {
    const messages = of('updates.strategy = "fleet_lock"', 'broken').problems.map(({ file }) => file);
    expect(messages).toEqual(['1.toml']);
    const unacceptable = of('updates.strategy = "fleet_lock"\nupdates.fleet_lock.base_url = 1').problems;
    expect(unacceptable.map(({ line }) => line)).toEqual([2]);
  });

  test('shown as TOML and read again, is the same', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,8}$/);
    const window = fc.record({
      days: fc.uniqueArray(fc.constantFrom('Mon', 'Tuesday', 'sun'), { minLength: 1 }),
      start_time: fc.tuple(fc.nat(23), fc.nat(59)).map(([hour, minute]) => `${hour}:${minute}`),
      length_minutes: fc.integer({ min: 1, max: 10_080 }),
    });
    const cron = fc.record({
      schedule: fc.constantFrom('0 3 * * *', '*/15  1-5 L jan-mar ?', '30 22 13 * 5L', '0 0 * * thu#2'),
      length_minutes: fc.integer({ min: 1, max: 10_080 }),
    });
    const zone = fc.record({ time_zone: fc.constantFrom('localtime', 'Asia/Kathmandu') }, { requiredKeys: [] });
    const freeze = fc.record({
      days: fc.constantFrom(
        { from: '2026-12-20', until: '2027-01-06' },
        { from: '2026-12-20', yearly: false },
        { from: '12-20', until: '01-06', yearly: true },
      ),
      reason: fc.stringMatching(/^[a-z"\\ ]{0,8}[a-z]$/).map((reason) => ({ reason })),
    });
    const settings = fc.record(
      {
        'agent.timing.steady_interval_secs': fc.integer({ min: 1, max: 31_536_000 }),
        'identity.stream': name,
        'identity.rollout_wariness': fc.integer({ min: 0, max: 1000 }).map((part) => part / 1000),
        'cincinnati.base_url': name.map((path) => `https://x.example.com/\${stream}/${path}`),
        'updates.enabled': fc.boolean(),
        'updates.source': fc.constantFrom('graph', 'staged'),
        'updates.strategy': fc.constantFrom('immediate', 'periodic', ['periodic', 'immediate']),
      },
      { requiredKeys: [] },
    );
    const table = fc.oneof(
      fc
        .tuple(window, zone)
        .map(([fields, own]) => ({ name: 'updates.periodic.window', fields: { ...fields, ...own } })),
      fc.tuple(cron, zone).map(([fields, own]) => ({ name: 'updates.periodic.window', fields: { ...fields, ...own } })),
      fc
        .tuple(freeze, zone)
        .map(([{ days, reason }, own]) => ({ name: 'updates.freeze', fields: { ...days, ...reason, ...own } })),
    );
    fc.assert(
      fc.property(settings, fc.array(table, { maxLength: 4 }), (lines, tables) => {
        const text = [
          ...Object.entries(lines).map(([path, value]) => `${path} = ${JSON.stringify(value)}`),
          ...tables.map(({ name: list, fields }) => {
            const rows = Object.entries(fields).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
            return `[[${list}]]\n${rows.join('\n')}`;
          }),
        ];
        const first = of(text.join('\n'));
        expect(first.config).not.toBe(null);
        for (const origins of [false, true]) {
          const again = of(toToml(first.values, origins));
          expect(again.config).toEqual(first.config);
          expect(toData(again.values)).toEqual(toData(first.values));
        }
      }),
    );
  });
});

describe('examples', () => {
  const folder = join(import.meta.dirname, '../../examples');
  const names = readdirSync(folder).filter((name) => /^\d.*\.toml$/.test(name));
  test.each(names)('%s has no problem', (name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    expect(buildConfig([{ path: name, text }]).problems).toEqual([]);
    expect(
      buildConfig([{ path: name, text: text.replaceAll(/^# (\[|\w+ = )/gm, '$1') }], [], readCron).problems,
    ).toEqual(name === '50-fleet-lock.toml' ? [expect.objectContaining({ severity: 'error' })] : []);
  });

  test('one for each strategy, and one for updates that somebody else stages', () => {
    const used = names.map((name) => {
      const { config } = buildConfig([{ path: name, text: readFileSync(join(folder, name), 'utf8') }]);
      return config === null ? [] : [...config.updates.strategy, config.updates.source];
    });
    expect(new Set(used.flat())).toEqual(new Set(['immediate', 'periodic', 'fleet_lock', 'graph', 'staged']));
  });
});

test('bad content of any kind gives problems, never an exception', () => {
  const paths = fc.constantFrom(
    'identity.group',
    'updates',
    'updates.strategy',
    'updates.periodic.window',
    'x',
    'agent',
  );
  const value = fc.constantFrom('1', '"x"', '[]', '[[]]', '{}', '[{}]', 'nan', '2026-07-23', '{ days = [{}] }', 'true');
  fc.assert(
    fc.property(fc.array(fc.tuple(paths, value), { maxLength: 4 }), (lines) => {
      const { config, problems } = loadOne(lines.map(([path, text]) => `${path} = ${text}\n`).join(''));
      expect(config === null).toBe(problems.some(({ severity }) => severity === 'error'));
    }),
  );
});

function loadOne(text: string): LoadedConfig {
  return buildConfig([{ path: 'x.toml', text }]);
}
