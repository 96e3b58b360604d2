import { describe, expect, test } from 'vitest';
import { motdOf } from '../../../src/agent/motd/text.ts';
import {
  HOUR,
  INTERVAL,
  MINUTE,
  deployment,
  graph,
  hourlyWindows,
  instant,
  lockAt,
  person,
  reading,
  release,
} from '../../support/agent-builders.ts';
import { Driver } from '../../support/agent-driver.ts';
import { held, rebooting, settled, staging } from '../../support/agent-situations.ts';
import { arrived } from '../../support/agent-surrounded.ts';
import { expectGolden } from '../../support/golden.ts';

const IN_FLEET = { lock: lockAt('a') };

function after(driver: Driver, happens: (driver: Driver) => void): Driver {
  happens(driver);
  return driver;
}

function deadEnd(reason: string): Driver {
  return after(settled(), (driver) => {
    driver.pass(INTERVAL);
    driver.graphRead({ releases: [release(1, { deadEnd: reason })], edges: [[]], warnings: [] });
  });
}

/** The update server is away for so long. */
function away(ms: number, text = 'https://updates.example: connect ECONNREFUSED 192.0.2.7:443'): Driver {
  return after(settled(), (driver) => {
    const until = driver.mono + INTERVAL + ms;
    while (driver.mono < until) {
      driver.pass(INTERVAL);
      if (driver.asked.includes('fetchGraph')) driver.fails('fetchGraph', 'transient', text);
    }
  });
}

function quarantined(): Driver {
  return after(staging(), (driver) => {
    for (let count = 0; count < 3; count += 1) {
      driver.fails('stage', 'release', 'staging 42.2: Checksum 00…02 not found');
      driver.looked(reading(driver.mono, 1));
      if (count < 2) driver.pass(MINUTE);
    }
  });
}

/** An unhealthy boot of release 2, made under a slot. */
function unhealthy(): Driver {
  const before = arrived({}, {}, IN_FLEET).driver;
  before.granted();
  before.finalized();
  const driver = before.restarted({ bootId: 'boot-2', mono: 20_000 });
  driver.send({ kind: 'started' });
  driver.looked(reading(driver.mono, 2, null, [deployment(1)]));
  const reason = 'boot-complete.target was not reached: greenboot-healthcheck.service and 2 more failed';
  driver.lookedAround({ boot: { kind: 'unhealthy', reason } });
  return driver;
}

function everything(): Driver {
  return after(quarantined(), (driver) => {
    driver.send({ kind: 'pause', by: 'root', until: null, reason: 'migration of the database to another host' });
    driver.diskFails = true;
    driver.pass(2 * INTERVAL);
    driver.graphRead({ releases: [release(1, { deadEnd: 'no more kernels' })], edges: [[]], warnings: [] });
    driver.send({ kind: 'skip', by: 'root', version: '42.9' });
    for (let count = 0; count < 20; count += 1) {
      driver.pass(INTERVAL);
      if (driver.asked.includes('fetchGraph')) driver.fails('fetchGraph', 'transient', 'no connection in time');
    }
  });
}

const SITUATIONS: Readonly<Record<string, () => Driver>> = {
  'just started': () => after(new Driver(), (driver) => driver.send({ kind: 'started' })),
  'nothing to tell': () => settled(),
  'a release is being fetched': () => staging(),
  'a dead end': () => deadEnd('https://github.com/coreos/fedora-coreos-tracker/issues/215'),
  'a dead end with a story': () =>
    deadEnd('this stream has come to its end, and nobody makes kernels for it. '.repeat(9)),
  'paused, with a release staged': () => held({}, { pause: true }),
  'paused until a moment': () =>
    after(held({}, { pause: true }), (driver) => {
      driver.send({ kind: 'pause', by: 'root', until: instant(driver.mono).wall + 2 * HOUR, reason: '' });
    }),
  'paused, with nothing to reboot into': () =>
    after(settled(), (driver) => driver.send({ kind: 'pause', by: 'root', until: null, reason: 'migration' })),
  'outside of the windows, and somebody is here': () => {
    const host = arrived({ people: [person('0')] }, {}, { schedule: hourlyWindows() });
    host.driver.send({ kind: 'pause', by: 'root', until: null, reason: 'backup' });
    host.driver.pass(40 * MINUTE);
    return host.driver;
  },
  'the slot is asked for': () => held(IN_FLEET),
  'the slot was refused': () =>
    after(held(IN_FLEET), (driver) => driver.refused('HTTP 409: slots_full: 2 of 2 slots are taken')),
  'the slot is held': () => after(held(IN_FLEET), (driver) => driver.granted()),
  'finalize was called': () => rebooting(),
  'stopped, with a release staged': () =>
    after(held({}, { pause: true }), (driver) => driver.send({ kind: 'stop', hostGoesDown: false })),
  'stopped, with an old error': () =>
    after(away(2 * HOUR), (driver) => driver.send({ kind: 'stop', hostGoesDown: false })),
  'the update server is away for half an hour': () => away(HOUR / 2),
  'the update server is away for two hours': () => away(2 * HOUR),
  'in quarantine': () => quarantined(),
  'an unhealthy boot keeps its slot': () => unhealthy(),
  'everything at once': () => everything(),
};

function textOf(driver: Driver): string | null {
  return motdOf(driver.state, instant(driver.mono));
}

test('what those who log in read', () => {
  const pages = Object.entries(SITUATIONS).map(
    ([name, situation]) => `# ${name}\n${textOf(situation()) ?? '(nothing)\n'}`,
  );
  expectGolden(pages.join('\n'), `${import.meta.dirname}/golden/motd.txt`);
});

test.each(Object.keys(SITUATIONS))('%s: six short lines at most', (name) => {
  const text = textOf(SITUATIONS[name]?.() ?? new Driver()) ?? '\n';
  expect(text.endsWith('\n')).toBe(true);
  const lines = text.slice(0, -1).split('\n');
  expect(lines.length).toBeLessThanOrEqual(6);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(79);
  expect(text).not.toMatch(/undefined|null|NaN|\[object|unknown time/);
});

describe('of what servers and others say', () => {
  test.each([
    ['escape sequences', '\u001b[2J\u001b]0;owned\u0007 gone', ' [2J ]0;owned  gone'],
    ['line breaks', 'no\r\nholdpoint: all is well\u2028\u2029\u0085here', 'no'],
    ['directions of writing', '\u202egnp.exe\u2066\u200f\u061c', 'gnp.exe'],
    ['what nobody sees', 'a\u200bb\u00adc\u{e0041}d\ue000', 'abcd'],
  ])('%s do not get through', (_, reason, rest) => {
    const text = textOf(deadEnd(reason)) ?? '';
    expect(text.replaceAll('\n', ' ')).toContain(rest.trim().replace(/ +/g, ' '));
    expect(text.slice(0, -1)).toMatch(/^[\u0020-\u007e\n…]*$/u);
    expect(text.match(/^holdpoint:/gm)).toHaveLength(1);
  });

  test('as much is shown as there is room for', () => {
    const text = textOf(deadEnd('x'.repeat(10_000))) ?? '';
    expect(text.length).toBeLessThan(220);
    expect(text).toMatch(/x…\.\sRebase this host by\shand/);
  });
});

test('an error is told of when it has lasted for an hour', () => {
  const driver = away(HOUR - 10 * MINUTE);
  expect(textOf(driver)).toBeNull();
  driver.mono += 20 * MINUTE;
  expect(textOf(driver)).toContain('the update graph cannot be read since 2026-07-23T14:06:00Z');
  if (!driver.asked.includes('fetchGraph')) driver.tick();
  driver.graphRead(graph([1]));
  expect(textOf(driver)).toBeNull();
});

test('a quarantine is told of until it is over', () => {
  const driver = quarantined();
  expect(textOf(driver)).toContain('42.2 is kept away from this host until 2026-07-24T14:08:00Z');
  driver.mono += 25 * HOUR;
  expect(textOf(driver)).toBeNull();
});
