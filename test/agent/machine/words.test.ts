import { expect, test } from 'vitest';
import { statusLine } from '../../../src/agent/machine/explain.ts';
import type { Graph } from '../../../src/graph/types.ts';
import {
  HOUR,
  NODE_ID,
  EMPTY_GRAPH,
  INTERVAL,
  MINUTE,
  deployment,
  graph,
  instant,
  lockAt,
  person,
  reading,
  release,
  settings,
  stagedDeployment,
} from '../../support/agent-builders.ts';
import { type Surrounded, arrived, surrounded } from '../../support/agent-surrounded.ts';
import { createFreezes } from '../../../src/strategy/freeze.ts';
import { createSchedule } from '../../../src/strategy/schedule.ts';
import type { Settings } from '../../../src/agent/machine/state.ts';
import { Driver } from '../../support/agent-driver.ts';
import { held, rebooting, settled, staging } from '../../support/agent-situations.ts';
import { expectGolden } from '../../support/golden.ts';

const IN_FLEET = { lock: lockAt('a') };

function shown(driver: Driver): ReturnType<typeof reading> {
  return reading(driver.mono, 1, stagedDeployment(2));
}

function after(driver: Driver, happens: (driver: Driver) => void): Driver {
  happens(driver);
  return driver;
}

function watched(next: Graph): Driver {
  return after(settled(), (driver) => {
    driver.pass(INTERVAL);
    driver.graphRead(next);
  });
}

function bootedAgain(driver: Driver, booted: number, boot = 'boot-2'): Driver {
  driver.finalized();
  const next = driver.restarted({ bootId: boot });
  next.send({ kind: 'started' });
  next.looked(reading(next.mono, booted));
  return next;
}

/** What people read in each situation: the last lines of the log, then the status. */
const SITUATIONS: Readonly<Record<string, () => Driver>> = {
  'just started': () => after(new Driver(), (driver) => driver.send({ kind: 'started' })),
  'rpm-ostree does not answer': () =>
    after(new Driver(), (driver) => {
      driver.send({ kind: 'started' });
      for (let count = 0; count < 3; count += 1) {
        driver.fails('look', 'transient', 'reading rpm-ostree: no answer within 180 s');
        driver.tick();
      }
    }),
  'not booted from ostree': () =>
    after(new Driver(), (driver) => {
      driver.send({ kind: 'started' });
      driver.looked(reading(driver.mono, null));
    }),
  'updates disabled': () => settled({ enabled: false }),
  'before the first look at the graph': () => settled(),
  'the newest release runs': () => watched(graph([1])),
  'the graph is empty': () => watched(EMPTY_GRAPH),
  'the update server is away': () =>
    after(settled(), (driver) => {
      driver.pass(INTERVAL);
      driver.fails('fetchGraph', 'transient', 'https://updates.example: connect ECONNREFUSED 192.0.2.7:443');
    }),
  'the update server is back': () =>
    after(settled(), (driver) => {
      driver.pass(INTERVAL);
      driver.fails('fetchGraph', 'transient', 'https://updates.example answered 503');
      driver.pass(MINUTE);
      driver.graphRead(graph([1]));
    }),
  'a graph with a fault in it': () => watched({ ...graph([1]), warnings: ['node 3: no payload; left out'] }),
  'a dead end': () => watched({ releases: [release(1, { deadEnd: 'no more kernels' })], edges: [[]], warnings: [] }),
  'staging with progress': () =>
    after(staging(), (driver) => {
      driver.send({ kind: 'stageProgress', id: driver.question('stage').id, text: 'Receiving objects 40 %' });
    }),
  'staging fails': () =>
    after(staging(), (driver) => {
      driver.fails('stage', 'transient', 'staging 42.2: Transaction in progress: upgrade');
    }),
  'a wrong release was staged': () =>
    after(staging(), (driver) => {
      driver.staged(reading(driver.mono, 1, stagedDeployment(2, { stream: 'next' })));
    }),
  'in quarantine': () =>
    after(staging(), (driver) => {
      for (let count = 0; count < 3; count += 1) {
        driver.fails('stage', 'release', 'staging 42.2: Checksum 00…02 not found');
        driver.looked(reading(driver.mono, 1));
        if (count < 2) driver.pass(MINUTE);
      }
      driver.pass(INTERVAL);
      driver.graphRead(graph([1, 2]));
    }),
  'paused, with a release staged': () =>
    after(held({}, { pause: true }), (driver) => {
      driver.send({ kind: 'pause', by: 'root', until: instant(driver.mono).wall + 2 * MINUTE, reason: 'backup runs' });
    }),
  'up for too short a time': () => held({ minUptimeMs: 90 * 24 * HOUR }),
  'replaced by a newer release': () =>
    after(held({}, { pause: true }), (driver) => {
      driver.pass(2 * INTERVAL);
      driver.graphRead(graph([1, 2, 3]));
    }),
  withdrawn: () =>
    after(held({}, { pause: true }), (driver) => {
      for (let count = 0; count < 2; count += 1) {
        driver.pass(2 * INTERVAL);
        driver.graphRead(graph([1, 2], [[1, 2]]));
      }
    }),
  'skipped by an administrator': () =>
    after(held({}, { pause: true }), (driver) => driver.send({ kind: 'skip', by: 'root', version: '42.2' })),
  'removed by somebody': () =>
    after(held({}, { pause: true }), (driver) => {
      driver.send({ kind: 'hostChanged' });
      driver.looked(reading(driver.mono, 1));
    }),
  "somebody else's release is staged": () =>
    after(held({}, { pause: true }), (driver) => {
      driver.send({ kind: 'hostChanged' });
      driver.looked(reading(driver.mono, 1, stagedDeployment(9)));
    }),
  'somebody chose the rollback': () =>
    after(settled(), (driver) => {
      driver.send({ kind: 'hostChanged' });
      driver.looked(reading(driver.mono, 1, deployment(9)));
    }),
  'the source "staged" waits': () => settled({ source: 'staged' }),
  'the source "staged" holds': () =>
    after(settled({ source: 'staged' }), (driver) => {
      driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
      driver.send({ kind: 'hostChanged' });
      driver.looked(reading(driver.mono, 1, stagedDeployment(9)));
    }),
  'the slot is asked for': () => held({ ...IN_FLEET, lockWaitMs: 0 }),
  'the slot is waited for': () => held(IN_FLEET),
  'the slot is waited for again': () =>
    after(held(IN_FLEET), (driver) => {
      driver.mono += 50_000;
      driver.refused('HTTP 409: slots_full: 2 of 2 slots are taken', 1_000);
      driver.pass(1_000);
    }),
  'the wait is given up, for a pause that has ended': () =>
    after(held(IN_FLEET), (driver) => {
      driver.send({ kind: 'pause', by: 'root', until: null, reason: 'backup runs' });
      driver.send({ kind: 'resume', by: 'root' });
    }),
  'a token is refused while a slot may be held': () =>
    after(held(IN_FLEET), (driver) => {
      driver.fails('lock', 'unknown', 'https://a.example: no complete answer within 2 min');
      driver.pass(MINUTE);
      driver.fails('lock', 'transient', 'HTTP 401: unauthorized (check …)');
    }),
  'the slot is refused': () =>
    after(held(IN_FLEET), (driver) => driver.refused('HTTP 409: slots_full: 2 of 2 slots are taken')),
  'the lock server does not answer': () =>
    after(held(IN_FLEET), (driver) => driver.fails('lock', 'unknown', 'https://a.example: connect ECONNREFUSED')),
  'the slot is held': () => after(held(IN_FLEET), (driver) => driver.granted()),
  'a report is owed': () =>
    after(held(IN_FLEET, { pause: true }), (driver) => {
      driver.send({ kind: 'configured', settings: settings({ lock: lockAt('b') }) });
      driver.send({ kind: 'resume', by: 'root' });
      driver.fails('report', 'unknown', 'https://b.example: connect ECONNREFUSED');
    }),
  'finalize was called': () => rebooting(IN_FLEET),
  'finalize was refused': () =>
    after(rebooting(), (driver) => {
      driver.fails('finalize', 'transient', 'finalizing 42.2: denied by polkit; is the rule installed?');
    }),
  'nobody knows whether finalize was carried out': () =>
    after(rebooting(IN_FLEET), (driver) => driver.fails('finalize', 'unknown', 'finalizing 42.2: no answer')),
  'nobody knows, and a gate is closed': () =>
    after(rebooting(IN_FLEET), (driver) => {
      driver.fails('finalize', 'unknown', 'finalizing 42.2: no answer');
      driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
      driver.pass(MINUTE);
      driver.looked(shown(driver));
    }),
  'the reboot does not come': () =>
    after(rebooting(IN_FLEET), (driver) => {
      driver.finalized();
      driver.pass(3 * INTERVAL);
      driver.granted();
      driver.looked(shown(driver));
      driver.finalized();
    }),
  'the slot of a reboot in doubt is refused': () => {
    const next = rebooting(IN_FLEET).restarted();
    next.send({ kind: 'started' });
    next.looked(shown(next));
    next.refused('HTTP 409: slots_full: 2 of 2 slots are taken');
    return next;
  },
  updated: () => bootedAgain(rebooting(), 2),
  'the next boot is not in it': () => bootedAgain(rebooting(), 1),
  'rolled back': () => {
    const next = bootedAgain(rebooting(), 2).restarted({ bootId: 'boot-3' });
    next.send({ kind: 'started' });
    next.looked(reading(next.mono, 1));
    return next;
  },
  'the state file cannot be written': () =>
    after(settled(), (driver) => {
      driver.diskFails = true;
      driver.pass(INTERVAL);
      driver.graphRead(graph([1, 2]));
    }),
  'something else updates the host': () =>
    after(settled(), (driver) => {
      driver.send({
        kind: 'driversSeen',
        drivers: [{ name: 'zincati.service', advice: 'zincati.service is active: …' }],
      });
    }),
  'something else reboots the host, with the source "staged"': () =>
    after(settled({ source: 'staged' }), (driver) => {
      driver.send({
        kind: 'driversSeen',
        drivers: [{ name: 'zincati.service', advice: 'zincati.service is active: …' }],
      });
    }),
  'people are here': () => arrived({ people: [ANN, BOB] }).driver,
  'people get their last notice': () =>
    ahead(arrived({ people: [ANN] }, {}, IN_FLEET), (host) => {
      host.driver.pass(10 * MINUTE);
      host.driver.granted();
    }),
  'nobody knows who is logged in': () => arrived({ people: null, problems: ['logind: no answer within 5 s'] }).driver,
  'a reboot that was announced is put off': () =>
    ahead(arrived({ people: [ANN] }), (host) => {
      host.driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
    }),
  'people have postponed it': () =>
    ahead(arrived({ people: [ANN] }), (host) => {
      host.driver.send({ kind: 'postpone', by: 'ann', forMs: 20 * MINUTE });
    }),
  'another tool holds the host': () =>
    arrived({ holds: [{ name: 'backup', reason: 'nightly backup', since: 0, until: instant(0).wall + 60 * MINUTE }] })
      .driver,
  'somebody blocks shutdowns': () => arrived({ blockers: [{ who: 'dnf', why: 'an installation' }] }).driver,
  'on battery': () => arrived({ power: 'battery' }).driver,
  'the network is metered': () => arrived({ metered: true }).driver,
  'outside of the windows': () => arrived({}, {}, { schedule: windows('02:00') }).driver,
  'the clock is not right yet': () => arrived({ clockSynced: false }, {}, { schedule: windows('14:00') }).driver,
  'a date that is kept free': () => arrived({}, {}, { freezes: freezes() }).driver,
  'a may-reboot hook refuses': () =>
    ahead(surrounded({ hooks: ['may-reboot'] }), (host) => {
      host.answers['may-reboot'] = { kind: 'not-now', text: '10-jobs: 3 jobs are running' };
      host.driver.pass(INTERVAL);
    }),
  'the pre-reboot hooks run': () =>
    ahead(arrived({ hooks: ['pre-reboot', 'reboot-cancelled'] }, {}, IN_FLEET), (host) => {
      host.answers['pre-reboot'] = null;
      host.driver.granted();
    }),
  'the pre-reboot hooks failed': () =>
    ahead(arrived({ hooks: ['pre-reboot', 'reboot-cancelled'] }, {}, IN_FLEET), (host) => {
      host.answers['pre-reboot'] = { kind: 'failed', text: '10-drain: exit status 1' };
      host.driver.granted();
    }),
  'what they did is being undone': () =>
    ahead(arrived({ hooks: ['pre-reboot', 'reboot-cancelled'] }, {}, IN_FLEET), (host) => {
      host.answers['pre-reboot'] = { kind: 'failed', text: '10-drain: exit status 1' };
      host.answers['reboot-cancelled'] = null;
      host.driver.granted();
    }),
  'the boot is not complete': () => surrounded({ boot: { kind: 'waiting', reason: INACTIVE } }).driver,
  'the boot is not healthy, and its slot is kept': () => {
    const before = arrived({}, {}, IN_FLEET).driver;
    before.granted();
    before.finalized();
    const driver = before.restarted({ bootId: 'boot-2', mono: 20_000 });
    driver.send({ kind: 'started' });
    driver.looked(reading(driver.mono, 2, null, [deployment(1)]));
    driver.lookedAround({ boot: { kind: 'unhealthy', reason: `${INACTIVE}: db.service failed` } });
    return driver;
  },
  stopping: () => after(settled(), (driver) => driver.send({ kind: 'stop', hostGoesDown: false })),
};

const ANN = person('0');
const BOB = { id: '4', uid: 1004, user: 'bob', where: 'desktop', tty: null, idle: false };
const INACTIVE = 'boot-complete.target has not been reached yet';

function ahead(host: Surrounded, happens: (host: Surrounded) => void): Driver {
  happens(host);
  return host.driver;
}

/** A window of an hour each day. */
function windows(start: string): Settings['schedule'] {
  const [hour = 0] = start.split(':').map(Number);
  const days = [0, 1, 2, 3, 4, 5, 6];
  const daily = { kind: 'weekly', days, startMinute: hour * 60, lengthMinutes: 60, timeZone: null } as const;
  const options = { windows: [daily], timeZone: 'UTC', randomPlace: false, nodeId: NODE_ID, graceMs: 0 };
  return createSchedule(options, 'UTC');
}

function freezes(): Settings['freezes'] {
  const day = { year: 2026, month: 7, day: 23 };
  return createFreezes([{ kind: 'once', from: day, until: day, reason: 'inventory', timeZone: null }], 'UTC', 'UTC');
}

test('what people read', () => {
  const pages = Object.entries(SITUATIONS).map(([name, situation]) => {
    const driver = situation();
    const lines = driver.said.slice(-6).map((line) => `  ${line}`);
    return [`# ${name}`, ...lines, `  = ${statusLine(driver.state, instant(driver.mono))}`, ''].join('\n');
  });
  expectGolden(pages.join('\n'), `${import.meta.dirname}/golden/words.txt`);
  expect(pages.join('\n')).not.toMatch(/undefined|null|NaN|\[object/);
});
