import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'prettier';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../src/cli/command.ts';
import { WINDOWS_SCHEMA } from '../../src/cli/windows/wire.ts';
import { expectGolden } from '../support/golden.ts';
import { program } from '../support/simulated.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hp-windows-'));
  mkdirSync(join(dir, 'etc'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `holdpoint windows` with this configuration, in a time zone. */
function windows(toml: string, zone: string, ...argv: string[]): Promise<Ran> {
  writeFileSync(join(dir, '50.toml'), toml);
  const [node, ...args] = program('windows', '--config-dir', dir, '--root', dir, ...argv);
  return new Promise((resolve) => {
    execFile(node, args, { env: { ...process.env, TZ: zone } }, (error, out, err) => {
      const status = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
      resolve({ status, out: out.replaceAll(`${dir}/`, ''), err: err.replaceAll(`${dir}/`, '') });
    });
  });
}

const TOML = `[updates]
strategy = ["periodic", "fleet_lock"]
fleet_lock.base_url = "http://127.0.0.1/"

[updates.periodic]
time_zone = "Europe/Berlin"
random_place = true

[[updates.periodic.window]]
days = ["Sat", "Sun"]
start_time = "22:00"
length_minutes = 360

[[updates.periodic.window]]
days = ["Sun"]
start_time = "02:15"
length_minutes = 30
time_zone = "America/New_York"

[[updates.periodic.window]]
schedule = "30 2 * * 0"
length_minutes = 20
time_zone = "Australia/Lord_Howe"

[[updates.freeze]]
from = "2026-10-25"
until = "2026-10-26"
reason = "audit\u200b of \\u202e books"
`;
const ID = 'identity.node_uuid = "00112233445566778899aabbccddeeff"\n';
const GOLDEN = join(import.meta.dirname, 'golden');

describe('what is printed', () => {
  test.each(['America/New_York', 'Europe/Berlin', 'UTC'])('for somebody in %s', async (zone) => {
    const { status, out, err } = await windows(ID + TOML, zone, '--from', '2026-10-25T00:30Z', '--next', '7');
    expect([status, err]).toEqual([EXIT.ok, '']);
    expectGolden(out, join(GOLDEN, `windows-${zone.replace('/', '-')}.txt`));
  });

  test('where a window is skipped', async () => {
    const { out } = await windows(ID + TOML, 'UTC', '--from', '2027-03-13T22:30Z', '--next', '3');
    expectGolden(out, join(GOLDEN, 'windows-skipped.txt'));
  });

  test('once, where all clocks are the same', async () => {
    const toml = 'updates.strategy = "periodic"\nupdates.periodic.time_zone = "localtime"\n';
    const window = '[[updates.periodic.window]]\nschedule = "0 2 * * *"\nlength_minutes = 60\n';
    const { out } = await windows(toml + window, 'Asia/Tokyo', '--from', '2026-10-25T00:30Z', '--next', '2');
    expect(out).toBe(
      `This host reboots in these windows only.
All times are local times (Asia/Tokyo).

1. Mon 2026-10-26 02:00 to 03:00 +09:00, 1 h  in 16 h 30 min
   from     50.toml:3

2. Tue 2026-10-27 02:00 to 03:00 +09:00, 1 h  in 1 d 16 h
   from     50.toml:3
`,
    );
  });

  test('in JSON', async () => {
    const { out } = await windows(
      ID + TOML,
      'America/New_York',
      '--from',
      '2026-10-24T23:00Z',
      '--next',
      '1',
      '--json',
    );
    expect(JSON.parse(out)).toMatchObject({
      version: 1,
      at: '2026-10-24T23:00:00.000Z',
      reboots: 'windows',
      localZone: 'America/New_York',
      windows: [
        {
          from: '2026-10-24T20:00:00.000Z',
          to: '2026-10-25T03:00:00.000Z',
          fromInZone: '2026-10-24T22:00:00+02:00',
          toInZone: '2026-10-25T04:00:00+01:00',
          fromLocal: '2026-10-24T16:00:00-04:00',
          seconds: 25_200,
          open: true,
          frozen: [{ from: '2026-10-24T22:00:00.000Z', to: '2026-10-25T03:00:00.000Z', reason: 'audit of   books' }],
          origins: ['50.toml:10'],
        },
      ],
      freezes: [{ from: '2026-10-24T23:00:00.000Z' }],
    });
  });
});

describe('without windows', () => {
  test('any time will do, but for freezes', async () => {
    const toml = '[[updates.freeze]]\nfrom = "12-20"\nuntil = "01-06"\nyearly = true\nreason = "holidays"\n';
    const { status, out } = await windows(toml, 'Europe/Berlin', '--from', '2026-12-01', '--next', '1');
    expect(status).toBe(EXIT.ok);
    expect(out)
      .toBe(`This host reboots at any time. Windows do not matter: updates.strategy does not contain "periodic".

But not: From Sun 2026-12-20 01:00 +01:00 to Thu 2027-01-07 01:00 +01:00, frozen: holidays (50.toml:1)
`);
  });

  test('where there should be some, nothing is to show', async () => {
    const { status, out } = await windows('updates.strategy = "periodic"\n', 'UTC');
    expect(out).toBe('This host never reboots by itself. There is no window ([[updates.periodic.window]]).\n');
    expect(status).toBe(EXIT.nothingToDo);
  });

  test('updates that are off are said', async () => {
    const { status, out } = await windows('updates.enabled = false\n', 'UTC');
    expect([status, out]).toEqual([
      EXIT.ok,
      expect.stringMatching(/never reboots by itself\. Updates are off/) as string,
    ]);
  });
});

describe('where something is wrong', () => {
  test.each([
    ['--next', '0', /--next: expected a number, 1 to 1000/],
    ['--next', 'x', /--next/],
    ['--from', 'soon', /--from: expected a moment/],
  ])('with %s %s, it is the command line', async (option, value, text) => {
    const { status, err } = await windows('', 'UTC', option, value);
    expect([status, err]).toEqual([EXIT.usage, expect.stringMatching(text) as string]);
  });

  test('it may be the configuration', async () => {
    const { status, out, err } = await windows('updates.strategy = 7\n', 'UTC');
    expect([status, out, err]).toEqual([
      EXIT.configuration,
      '',
      expect.stringMatching(/^50\.toml:1:20: error: /) as string,
    ]);
  });

  test('its place needs the id of this host, and nothing else does', async () => {
    const { status, out, err } = await windows(TOML, 'UTC');
    expect([status, out, err]).toEqual([EXIT.failure, '', expect.stringMatching(/boot_id/) as string]);
    expect((await windows(TOML.replace('random_place = true', ''), 'UTC')).status).toBe(EXIT.ok);
  });
});

test('the JSON is documented', async () => {
  const text = await format(JSON.stringify(WINDOWS_SCHEMA), { parser: 'json', printWidth: 120 });
  expectGolden(text, join(import.meta.dirname, '../../docs/windows.schema.json'));
});
