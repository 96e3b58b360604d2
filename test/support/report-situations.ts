import { buildConfig } from '../../src/config/load.ts';
import type { AroundRules } from '../../src/agent/gates/around.ts';
import type { AsyncKind, Settings } from '../../src/agent/machine/state.ts';
import { type Origins, originsOf } from '../../src/agent/report/origins.ts';
import type { Graph, Release } from '../../src/graph/types.ts';
import { createFreezes } from '../../src/strategy/freeze.ts';
import { type Schedule, createSchedule } from '../../src/strategy/schedule.ts';
import {
  HOUR,
  INTERVAL,
  MINUTE,
  NODE_ID,
  SECOND,
  aroundRules,
  deployment,
  graph,
  instant,
  lockAt,
  person,
  reading,
  release,
  settings,
  stagedDeployment,
} from './agent-builders.ts';
import { Driver } from './agent-driver.ts';
import { IN_FLEET, type Surrounded, arrived, surrounded } from './agent-surrounded.ts';

/** The windows that a schedule was made of, as TOML. */
const WINDOWS = new WeakMap<Schedule, string>();
const FREEZE = '[[updates.freeze]]\nfrom = "2026-07-23"\nuntil = "2026-07-24"\nreason = "inventory"\n';

/** Where an administrator has set what these settings say, as far as it is not what goes without saying. */
export function originsFor(all: Settings): Origins {
  const { enabled, schedule, lock, freezes, minUptimeMs, around, source } = all;
  const strategy = [...(schedule === null ? [] : ['periodic']), ...(lock === null ? [] : ['fleet_lock'])];
  const text = [
    lock === null ? '' : `[identity]\ngroup = ${JSON.stringify(lock.group)}\n`,
    '[updates]\n',
    enabled ? '' : 'enabled = false\n',
    source === 'graph' ? '' : 'source = "staged"\n',
    strategy.length === 0 ? '' : `strategy = ${JSON.stringify(strategy)}\n`,
    minUptimeMs === 0 ? '' : `min_uptime_secs = ${minUptimeMs / 1000}\n`,
    around === null ? '' : aroundText(around),
    lock === null ? '' : `[updates.fleet_lock]\nbase_url = ${JSON.stringify(lock.baseUrl)}\n`,
    schedule === null ? '' : (WINDOWS.get(schedule) ?? ''),
    freezes === null ? '' : FREEZE,
  ];
  return originsOf(buildConfig([{ path: '/etc/holdpoint/config.d/50-site.toml', text: text.join('') }]).values);
}

/** What of the rules is not the default. */
function aroundText({ people, requireAc, avoidMetered }: AroundRules): string {
  return [
    people === null || people.postponeMs === 0 ? '' : `sessions.postpone_secs = ${people.postponeMs / 1000}\n`,
    requireAc ? 'power.require_ac = true\n' : '',
    avoidMetered ? 'network.avoid_metered = true\n' : '',
  ].join('');
}

const ANN = person('0');
/** An administrator does not want to wait any more. */
function ordered(driver: Driver): Driver {
  driver.send({ kind: 'updateNow', by: 'root', forMs: HOUR });
  driver.pass(SECOND);
  return driver;
}

/** Release 2 came up and is not healthy: the host is about to go back to release 1. */
function rollingBack(): Driver {
  const rules = aroundRules({ rollback: true });
  const before = arrived({}, { rollback: true }, IN_FLEET).driver;
  before.granted();
  before.finalized();
  const bad = before.restarted({
    bootId: 'boot-2',
    mono: 20 * SECOND,
    settings: settings({ around: rules, ...IN_FLEET }),
  });
  bad.send({ kind: 'started' });
  bad.looked(reading(bad.mono, 2, null, [deployment(1)]));
  bad.auto.lookAround = () =>
    bad.lookedAround({ boot: { kind: 'unhealthy', reason: `${INACTIVE}: db.service failed` } });
  asks(bad, 'rollback');
  return bad;
}

/** The host has gone back. */
function rolledBack(): Driver {
  const driver = rollingBack().restarted({ bootId: 'boot-3', mono: 20 * SECOND });
  driver.auto.lookAround = () => driver.lookedAround();
  driver.auto.report = () => driver.reported();
  driver.send({ kind: 'started' });
  driver.looked(reading(driver.mono, 1, null, [deployment(2)]));
  asks(driver, 'fetchGraph');
  driver.graphRead(graph([1, 2]));
  return driver;
}

const BOB = { ...person('4', 'bob'), where: 'desktop', tty: null };
const INACTIVE = 'boot-complete.target has not been reached yet';

function after(driver: Driver, happens: (driver: Driver) => void): Driver {
  happens(driver);
  return driver;
}

/** Lets time pass until a question of this kind is open. */
function asks(driver: Driver, kind: AsyncKind): void {
  for (let ticks = 0; !driver.asked.includes(kind); ticks += 1) {
    if (ticks === 1_000 || !driver.tick()) throw new Error(`${kind} is not asked; open: ${driver.asked.join(', ')}`);
  }
}

function ahead(host: Surrounded, happens: (host: Surrounded) => void): Driver {
  happens(host);
  return host.driver;
}

function started(change: Partial<Settings> = {}): Driver {
  const driver = new Driver({ settings: settings({ around: aroundRules(), ...change }) });
  driver.auto.lookAround = () => driver.lookedAround();
  driver.auto.report = () => driver.reported();
  driver.send({ kind: 'started' });
  return driver;
}

/** An agent that watches: release 1 runs, and nothing keeps a reboot back. */
function settled(change: Partial<Settings> = {}): Driver {
  const driver = started(change);
  driver.looked(reading(driver.mono, 1));
  return driver;
}

function staging(change: Partial<Settings> = {}): Driver {
  return after(settled(change), (driver) => {
    driver.pass(INTERVAL);
    driver.graphRead(graph([1, 2]));
  });
}

/** With release 2 staged, and a pause where it is wished. */
function held(change: Partial<Settings> = {}, pause: { until: number | null; reason: string } | null = null): Driver {
  return after(staging(change), (driver) => {
    if (pause !== null) driver.send({ kind: 'pause', by: 'root', ...pause });
    driver.staged(shown(driver));
  });
}

/** Finalize was called, under a slot if there is a lock. */
function rebooting(change: Partial<Settings> = {}): Driver {
  return after(held(change), (driver) => {
    if (driver.phase !== 'releasing') return;
    driver.granted();
    driver.looked(shown(driver));
  });
}

function watched(next: Graph): Driver {
  return after(settled(), (driver) => {
    driver.pass(INTERVAL);
    driver.graphRead(next);
  });
}

/** Release 2 is newer, and no edge leads to it. */
function without(change: Partial<Release>): Graph {
  return { releases: [release(1), release(2, change)], edges: [[], []], warnings: [] };
}

/** A window of so many minutes each day, in UTC. */
export function dailyWindow(startMinute: number, lengthMinutes = 60): Schedule {
  const days = [0, 1, 2, 3, 4, 5, 6];
  const daily = { kind: 'weekly', days, startMinute, lengthMinutes, timeZone: null } as const;
  const options = { windows: [daily], timeZone: 'UTC', randomPlace: false, nodeId: NODE_ID, graceMs: 0 };
  const schedule = createSchedule(options, 'UTC');
  const [hours, minutes] = [Math.floor(startMinute / 60), startMinute % 60].map((part) =>
    String(part).padStart(2, '0'),
  );
  const start = `start_time = "${hours ?? ''}:${minutes ?? ''}"`;
  const names = 'days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]';
  WINDOWS.set(schedule, `[[updates.periodic.window]]\n${names}\n${start}\nlength_minutes = ${lengthMinutes}\n`);
  return schedule;
}

/** The 23rd and 24th of July 2026 are kept free. */
export function inventoryDays(): Settings['freezes'] {
  const [from, until] = [23, 24].map((day) => ({ year: 2026, month: 7, day }));
  if (from === undefined || until === undefined) return null;
  return createFreezes([{ kind: 'once', from, until, reason: 'inventory', timeZone: null }], 'UTC', 'UTC');
}

function shown(driver: Driver): ReturnType<typeof reading> {
  return reading(driver.mono, 1, stagedDeployment(2));
}

/** The questions of a person to an agent, each with the agent that it is about. */
export const SITUATIONS: Readonly<Record<string, () => Driver>> = {
  'just-started': () => after(started(), (driver) => driver.pass(2 * SECOND)),
  'rpm-ostree-silent': () =>
    after(started(), (driver) => {
      for (let count = 0; count < 24; count += 1) {
        driver.pass(180 * SECOND);
        driver.fails('look', 'transient', 'reading rpm-ostree: no answer within 180 s');
        if (count < 23) asks(driver, 'look');
      }
    }),
  'not-an-ostree-host': () => after(started(), (driver) => driver.looked(reading(driver.mono, null))),
  stopping: () => after(held(IN_FLEET), (driver) => driver.send({ kind: 'stop', hostGoesDown: false })),
  'host-going-down': () => after(held(IN_FLEET), (driver) => driver.send({ kind: 'stop', hostGoesDown: true })),
  disabled: () => settled({ enabled: false }),
  newest: () => watched(graph([1])),
  'first-look-to-come': () => settled(),
  'graph-being-asked': () =>
    after(settled(), (driver) => {
      asks(driver, 'fetchGraph');
      driver.pass(20 * SECOND);
    }),
  'graph-being-asked-again': () =>
    after(watched(graph([1])), (driver) => {
      asks(driver, 'fetchGraph');
      driver.pass(20 * SECOND);
    }),
  'several-hops': () =>
    after(settled(), (driver) => {
      asks(driver, 'fetchGraph');
      const releases = [1, 2, 3, 4, 5].map((n) =>
        release(n, n === 3 ? { barrier: 'https://example.org/barrier' } : {}),
      );
      driver.graphRead({ releases, edges: [[1], [2], [3], [4], []], warnings: [] });
    }),
  'downgrade-refused': () => watched({ ...graph([0, 1]), edges: [[], [0]] }),
  'barrier-denied': () =>
    after(settled(), (driver) => {
      driver.send({ kind: 'skip', by: 'root', version: '42.2' });
      asks(driver, 'fetchGraph');
      const releases = [1, 2, 3].map((n) => release(n, n === 2 ? { barrier: 'https://example.org/barrier' } : {}));
      driver.graphRead({ releases, edges: [[1], [2], []], warnings: [] });
    }),
  'rolling-back': () => rollingBack(),
  'rolled-back': () => rolledBack(),
  cancelled: () =>
    after(held(IN_FLEET), (driver) => {
      driver.send({ kind: 'cancel', by: 'root' });
      driver.refused('HTTP 409: slots_full');
    }),
  'ordered-in-spite-of-much': () =>
    ordered(
      arrived(
        { people: [ANN] },
        {},
        { schedule: dailyWindow(2 * 60), freezes: inventoryDays(), minUptimeMs: 2 * HOUR, ...IN_FLEET },
      ).driver,
    ),
  'ordered-and-still-held': () =>
    ordered(
      arrived(
        { people: [ANN], holds: [{ name: 'ansible', reason: 'playbook 12 runs', since: 0, until: null }] },
        {},
        { schedule: dailyWindow(2 * 60) },
      ).driver,
    ),
  'ordered-last-notice': () =>
    after(ordered(arrived({ people: [ANN] }, {}, { schedule: dailyWindow(2 * 60), ...IN_FLEET }).driver), (driver) => {
      driver.granted();
    }),
  'window-closes-too-early': () =>
    ahead(arrived({ people: [ANN] }, {}, { schedule: dailyWindow(13 * 60 + 10) }), (host) => host.driver.pass(SECOND)),
  'rollout-not-reached': () =>
    watched(without({ rollout: { startWall: instant(0).wall, startValue: 0, durationMinutes: 48 * 60 } })),
  'dead-end': () =>
    watched({ releases: [release(1, { deadEnd: 'see https://example.org/dead-end' })], edges: [[]], warnings: [] }),
  'no-path': () => watched(without({})),
  'not-in-graph': () => watched({ ...graph([5, 6]), warnings: ['node 3 left out: it has no payload'] }),
  'graph-server-down': () =>
    after(settled(), (driver) => {
      driver.pass(INTERVAL);
      for (let count = 0; count < 40; count += 1) {
        asks(driver, 'fetchGraph');
        driver.fails('fetchGraph', 'transient', 'https://updates.example: connect ECONNREFUSED 192.0.2.7:443');
      }
    }),
  staging: () =>
    after(staging(), (driver) => {
      driver.send({ kind: 'stageProgress', id: driver.question('stage').id, text: 'Receiving objects 40 %' });
    }),
  'staging-fails': () =>
    after(staging(), (driver) => {
      for (let count = 0; count < 3; count += 1) {
        driver.fails('stage', 'transient', 'staging 42.2: no space left on device');
        driver.looked(reading(driver.mono, 1));
        if (count < 2) asks(driver, 'stage');
      }
    }),
  metered: () => arrived({ metered: true }).driver,
  'outside-the-window': () => arrived({}, {}, { schedule: dailyWindow(2 * 60) }).driver,
  'window-with-people': () => arrived({ people: [ANN] }, {}, { schedule: dailyWindow(2 * 60), ...IN_FLEET }).driver,
  'window-too-short': () => arrived({ people: [ANN] }, {}, { schedule: dailyWindow(2 * 60, 5) }).driver,
  'no-window': () =>
    arrived(
      {},
      {},
      {
        schedule: createSchedule(
          { windows: [], timeZone: 'UTC', randomPlace: false, nodeId: NODE_ID, graceMs: 0 },
          'UTC',
        ),
      },
    ).driver,
  freeze: () => arrived({}, {}, { freezes: inventoryDays(), ...IN_FLEET }).driver,
  paused: () =>
    after(held({}, { until: null, reason: 'migration of db-3, ask Bob' }), (driver) => {
      driver.auto.fetchGraph = () => driver.graphRead(graph([1, 2]));
      driver.pass(2 * HOUR);
    }),
  'paused-for-a-time': () => held({}, { until: instant(2 * HOUR).wall, reason: 'backup runs' }),
  'people-with-grace': () => ahead(arrived({ people: [ANN, BOB] }), (host) => host.driver.pass(2 * MINUTE)),
  'people-unreadable': () => arrived({ people: null, problems: ['logind: no answer within 5 s'] }).driver,
  postponed: () =>
    ahead(arrived({ people: [ANN] }), (host) => {
      host.driver.send({ kind: 'postpone', by: 'ann', forMs: 20 * MINUTE });
    }),
  inhibitor: () => arrived({ blockers: [{ who: 'dnf', why: 'an installation' }] }).driver,
  hold: () => arrived({ holds: [{ name: 'ansible', reason: 'playbook 12 runs', since: 0, until: null }] }).driver,
  'hold-for-a-time': () =>
    arrived({ holds: [{ name: 'backup', reason: 'nightly backup', since: 0, until: instant(HOUR).wall }] }).driver,
  'on-battery': () => arrived({ power: 'battery' }).driver,
  uptime: () => held({ minUptimeMs: HOUR }),
  'clock-not-synchronised': () => arrived({ clockSynced: false }, {}, { schedule: dailyWindow(14 * 60) }).driver,
  'slot-refused': () =>
    after(held(IN_FLEET), (driver) => driver.refused('HTTP 409: slots_full: 2 of 2 slots are taken')),
  'lock-server-unreachable': () =>
    after(held(IN_FLEET), (driver) => driver.fails('lock', 'unknown', 'https://a.example: connect ECONNREFUSED')),
  'waiting-for-slot': () => held(IN_FLEET),
  'last-notice': () =>
    ahead(arrived({ people: [ANN] }, {}, IN_FLEET), (host) => {
      host.driver.pass(10 * MINUTE);
      host.driver.granted();
    }),
  'hooks-refuse': () =>
    ahead(surrounded({ hooks: ['may-reboot'] }), (host) => {
      host.answers['may-reboot'] = { kind: 'not-now', text: '10-jobs: 3 jobs are running' };
      host.driver.pass(INTERVAL);
    }),
  'hooks-run': () =>
    ahead(arrived({ hooks: ['pre-reboot', 'reboot-cancelled'] }, {}, IN_FLEET), (host) => {
      host.answers['pre-reboot'] = null;
      host.driver.granted();
    }),
  'hooks-undone': () =>
    ahead(arrived({ hooks: ['pre-reboot', 'reboot-cancelled'] }, {}, IN_FLEET), (host) => {
      host.answers['pre-reboot'] = { kind: 'failed', text: '10-drain: exit status 1' };
      host.answers['reboot-cancelled'] = { kind: 'failed', text: '10-undrain: exit status 1' };
      host.driver.granted();
    }),
  'unhealthy-keeps-the-slot': () => {
    const before = arrived({}, {}, IN_FLEET).driver;
    before.granted();
    before.finalized();
    const driver = before.restarted({ bootId: 'boot-2', mono: 20 * SECOND });
    driver.send({ kind: 'started' });
    driver.looked(reading(driver.mono, 2, null, [deployment(1)]));
    driver.lookedAround({ boot: { kind: 'unhealthy', reason: `${INACTIVE}: db.service failed` } });
    return driver;
  },
  rebooting: () => after(rebooting(IN_FLEET), (driver) => driver.finalized()),
  'rebooting-overdue': () =>
    after(rebooting(IN_FLEET), (driver) => {
      driver.finalized();
      driver.pass(3 * INTERVAL);
      driver.granted();
      driver.looked(shown(driver));
      driver.finalized();
    }),
  'finalize-refused': () =>
    after(rebooting(), (driver) => {
      driver.fails(
        'finalize',
        'transient',
        "finalizing 42.2: denied by polkit; is the rule for the agent's user installed?",
      );
    }),
  quarantined: () =>
    after(staging(), (driver) => {
      for (let count = 0; count < 3; count += 1) {
        driver.fails('stage', 'release', 'staging 42.2: Checksum 00…02 not found');
        driver.looked(reading(driver.mono, 1));
        if (count < 2) driver.pass(MINUTE);
      }
      driver.pass(INTERVAL);
      driver.graphRead(graph([1, 2]));
    }),
  skipped: () =>
    after(settled(), (driver) => {
      driver.send({ kind: 'skip', by: 'root', version: '42.2' });
      driver.pass(INTERVAL);
      driver.graphRead(graph([1, 2]));
    }),
  foreign: () =>
    after(settled(), (driver) => {
      driver.send({ kind: 'hostChanged' });
      driver.looked(reading(driver.mono, 1, stagedDeployment(9)));
      driver.pass(INTERVAL);
      driver.graphRead(graph([1, 2]));
    }),
  'source-staged': () => settled({ source: 'staged' }),
  'other-driver': () =>
    after(watched(graph([1])), (driver) => {
      driver.send({
        kind: 'driversSeen',
        drivers: [
          {
            name: 'zincati.service',
            advice:
              'zincati.service is active: it stages releases and reboots by rules of its own: whichever finalizes first wins, and no lock or window of this agent holds it back. To stop it: systemctl disable --now zincati.service',
          },
        ],
      });
    }),
  'report-owed-to-a-server-that-is-gone': () =>
    after(held(IN_FLEET), (driver) => {
      delete driver.auto.report;
      driver.fails('lock', 'unknown', 'https://a.example: no complete answer within 2 min');
      driver.send({ kind: 'configured', settings: settings({ around: aroundRules(), lock: lockAt('b') }) });
      for (let count = 0; count < 4; count += 1) {
        asks(driver, 'report');
        if (driver.question('report').lock.baseUrl !== lockAt('a').baseUrl) driver.reported();
        asks(driver, 'report');
        driver.fails('report', 'transient', 'https://a.example: getaddrinfo ENOTFOUND a.example');
      }
    }),
  'several-gates': () =>
    ahead(
      arrived(
        { people: [ANN], power: 'battery', blockers: [{ who: 'dnf', why: 'an installation' }] },
        {},
        { schedule: dailyWindow(2 * 60), freezes: inventoryDays(), ...IN_FLEET },
      ),
      (host) => host.driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' }),
    ),
  'state-file-not-writable': () =>
    after(settled(), (driver) => {
      driver.diskFails = true;
      driver.pass(INTERVAL);
      driver.graphRead(graph([1, 2]));
    }),
};

/** The agent of a situation. Throws when there is none of that name. */
export function situation(name: string): Driver {
  const driver = SITUATIONS[name]?.();
  if (driver === undefined) throw new Error(name);
  return driver;
}

/** From the beginning of that situation to an evening of 9999. */
const END_OF_TIME = Date.UTC(9999, 11, 31, 12) - instant(0).wall;

/** The same for other moments than now: the situation, and milliseconds from then on. */
export const AT_OTHER_MOMENTS: Readonly<Record<string, readonly [string, number]>> = {
  'inside-a-later-window': ['outside-the-window', 12 * HOUR],
  'after-the-window': ['outside-the-window', 14 * HOUR],
  'before-this-boot': ['uptime', -24 * HOUR],
  'earlier-in-this-boot': ['uptime', -5 * MINUTE],
  'at-the-end-of-time': ['outside-the-window', END_OF_TIME],
  'in-a-year': ['several-gates', 365 * 24 * HOUR],
  'later-without-a-target': ['newest', HOUR],
};
