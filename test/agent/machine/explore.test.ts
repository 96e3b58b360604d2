import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import type { BootHealth } from '../../../src/host/systemd/health.ts';
import type { EventBody } from '../../../src/agent/machine/event.ts';
import { MINUTE, commit, lockAt, version } from '../../support/agent-builders.ts';
import { FOREIGN } from '../../support/agent-host.ts';
import { Invariants } from '../../support/agent-invariants.ts';
import { World } from '../../support/agent-world.ts';

/** Sequences in one run; HOLDPOINT_EXPLORE sets another number, HOLDPOINT_SEED where to begin. */
const SEQUENCES = Number(process.env['HOLDPOINT_EXPLORE'] ?? 2_000);
const FIRST = Number(process.env['HOLDPOINT_SEED'] ?? 1);
const ACTIONS = 60;
/** Answers, ticks and reboots within which a healthy world must have arrived at the newest release. */
const ENOUGH = 400;

type Action = (world: World) => void;

/** What may happen, and how often. */
const HAPPENINGS: readonly (readonly [number, Action])[] = [
  [40, (world) => world.answer()],
  [15, (world) => world.wait()],
  [12, (world) => world.deliver()],
  [4, (world) => (world.time += world.pick([1_000, 20_000, 10 * MINUTE]))],
  [2, (world) => world.kill()],
  [2, (world) => world.reboot(world.chance(0.8))],
  [1, (world) => world.rollBack()],
  [4, (world) => world.rollsBack && world.rollBack()],
  [2, (world) => (world.newest += 1)],
  [1, (world) => world.withdrawn.add(world.newest)],
  [2, (world) => (world.graphFault = world.pick(['none', 'none', 'empty', 'missing', 'error']))],
  [2, changeServers],
  [2, changeSettings],
  [8, changeSurroundings],
  [4, administer],
  [4, command],
  [1, (world) => (world.diskFails = world.chance(0.5))],
  [1, (world) => (world.crashes = world.pick([0, 0.02, 0.1]))],
  [1, stop],
];
const ALL = HAPPENINGS.reduce((sum, [weight]) => sum + weight, 0);

function happen(world: World): void {
  if (world.agent === null) world.start();
  let left = world.random() * ALL;
  const [, action] = HAPPENINGS.find(([weight]) => (left -= weight) < 0) ?? HAPPENINGS[0]!;
  action(world);
}

function changeServers(world: World): void {
  for (const server of world.servers) {
    server.full = world.chance(0.3);
    server.down = world.chance(0.3);
  }
}

function changeSettings(world: World): void {
  const graphQuestion = world.pick(['here', 'here', 'elsewhere']);
  // Another question is asked without waiting for the answer to the one before.
  if (graphQuestion !== world.settings.graphQuestion) world.forget('fetchGraph');
  world.settings = {
    ...world.settings,
    graphQuestion,
    enabled: world.chance(0.85),
    source: world.chance(0.8) ? 'graph' : 'staged',
    lock: world.pick([null, lockAt('a'), lockAt('a'), lockAt('b')]),
  };
  world.send({ kind: 'configured', settings: world.settings });
}

/** People come and go, other tools hold the host, hooks refuse. */
function changeSurroundings(world: World): void {
  const { around } = world;
  const hold = {
    name: 'backup',
    reason: 'a backup runs',
    since: 0,
    until: world.chance(0.5) ? world.wall + 20 * MINUTE : null,
  };
  const boots: readonly [BootHealth, ...BootHealth[]] = [
    { kind: 'healthy' },
    { kind: 'waiting', reason: 'boot-complete.target is inactive' },
    { kind: 'unhealthy', reason: 'boot-complete.target failed' },
    { kind: 'unknown', reason: 'systemd cannot be asked about it' },
  ];
  const actions: readonly [Action, ...Action[]] = [
    () => around.login(world.mono),
    () => around.login(world.mono),
    () => around.logout(),
    () => around.change({ people: world.chance(0.5) ? null : [] }),
    () => around.change({ holds: world.chance(0.5) ? [hold] : [] }),
    () => around.change({ blockers: world.chance(0.5) ? [{ who: 'dnf', why: 'installs' }] : [] }),
    () => around.change({ power: world.pick(['ac', 'battery', 'unknown']), metered: world.chance(0.3) }),
    () => around.change({ boot: world.pick(boots) }),
    () => (around.refuses = { event: world.pick(EVENTS), kind: world.pick(['not-now', 'failed', 'not-run']) }),
    () => (around.refuses = null),
    () => world.send({ kind: 'postpone', by: 'ann', forMs: 20 * MINUTE }),
  ];
  world.pick(actions)(world);
  world.mail.push({ kind: 'aroundChanged' });
}

const EVENTS = ['pre-stage', 'may-reboot', 'pre-reboot', 'reboot-cancelled', 'post-boot'] as const;

/** Somebody works on the host past the agent. */
function administer(world: World): void {
  const { host } = world;
  const foreign = FOREIGN + Math.floor(world.random() * 4);
  const actions: readonly [Action, ...Action[]] = [
    () => host.adminStages(foreign, world.chance(0.3), false),
    () => host.adminStages(world.newest, world.chance(0.5), world.mayHaveStaged(world.newest)),
    () => host.adminCleans(),
    // The daemon goes with the host, or the reboot that it asked for does not come.
    () => (host.daemonGone = host.rebooting),
    () => Object.assign(host, { rebooting: false, daemonGone: false }),
  ];
  world.pick(actions)(world);
  world.mail.push({ kind: 'hostChanged' });
}

function command(world: World): void {
  const some = version(1 + Math.floor(world.random() * (world.newest + 1)));
  const until = world.chance(0.7) ? world.wall + 20 * MINUTE : null;
  world.send(
    world.pick<EventBody>([
      { kind: 'pause', by: 'root', until, reason: 'maintenance' },
      { kind: 'resume', by: 'root' },
      { kind: 'resume', by: 'root' },
      { kind: 'skip', by: 'root', version: some },
      { kind: 'skip', by: 'root', version: version(world.newest) },
      { kind: 'unskip', by: 'root', version: some },
      { kind: 'checkNow', by: 'root' },
      { kind: 'updateNow', by: 'root', forMs: 20 * MINUTE },
      { kind: 'cancel', by: 'root' },
      { kind: 'hostChanged' },
      { kind: 'aroundChanged' },
      { kind: 'tick' },
      { kind: 'driversSeen', drivers: [] },
    ]),
  );
}

function stop(world: World): void {
  const hostGoesDown = world.chance(0.5);
  if (world.chance(0.5)) {
    world.send({ kind: 'stop', hostGoesDown: 'unknown' });
    for (let most = 0; most < 3; most += 1) world.answer();
  }
  world.send({ kind: 'stop', hostGoesDown });
  for (let most = 0; most < 5; most += 1) world.answer();
  world.kill();
  if (hostGoesDown) world.reboot(true);
}

/** Takes away all that was wrong, and publishes a release that nothing was ever wrong with. */
function heal(world: World): void {
  const { host } = world;
  Object.assign(world, { healthy: true, crashes: 0, diskFails: false, graphFault: 'none', newest: world.newest + 2 });
  for (const server of world.servers) Object.assign(server, { full: false, down: false });
  // The agent leaves alone what is not its own, and what it could not write down before it died: a wrong commit.
  const { staged } = host;
  if (staged !== null && (staged.by !== 'agent' || staged.deployment.baseChecksum !== commit(staged.number))) {
    host.adminCleans();
  }
  if (world.agent === null) world.start();
  world.settings = { ...world.settings, enabled: true, source: 'graph' };
  world.send({ kind: 'configured', settings: world.settings });
  world.send({ kind: 'resume', by: 'root' });
  for (let n = 1; n <= world.newest; n += 1) world.send({ kind: 'unskip', by: 'root', version: version(n) });
  world.around.heals();
  world.mail.push({ kind: 'hostChanged' }, { kind: 'aroundChanged' });
}

function hasArrived({ agent, host, servers, newest }: World): boolean {
  const { phase, memory } = agent?.state ?? {};
  const quiet = memory?.slot === null && memory.owed.length === 0 && servers.every(({ held }) => !held);
  return host.booted === newest && phase?.name === 'watching' && quiet;
}

/** From somebody's own release no graph leads anywhere: they go back to one that has a future. */
function reinstall(world: World): void {
  world.host.booted = 1;
  world.reboot(true);
}

function carryOn(world: World): void {
  if (world.host.booted >= FOREIGN) reinstall(world);
  else if (world.agent === null) world.start();
  else if (world.rollsBack) world.rollBack();
  else if (world.host.rebooting && world.chance(0.3)) world.reboot(true);
  else if (world.mail.length > 0) world.deliver();
  else if (world.agent.open.length > 0) world.answer();
  else world.wait();
}

function explore(seed: number): void {
  const invariants = new Invariants();
  const world = new World(seed, invariants.check, invariants.execute);
  try {
    for (let count = 0; count < ACTIONS; count += 1) happen(world);
    heal(world);
    for (let count = 0; !hasArrived(world); count += 1) {
      if (count === ENOUGH) throw new Error('broken: a healthy world arrives at the newest release');
      carryOn(world);
    }
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    // A watch without news fills no page.
    const told = world.trace.filter((line) => !/: watching (?:fetchGraph )?wake$/.test(line)).slice(-70);
    const { host, servers, agent, around } = world;
    const { phase, memory, due, pending } = agent?.state ?? {};
    const { courtesy, hooks } = agent?.state ?? {};
    const end = inspect(
      { phase, memory, due, pending, host, servers, around, courtesy, hooks },
      { depth: 3, breakLength: 160 },
    );
    expect.fail(`HOLDPOINT_SEED=${seed}\n${told.join('\n')}\n${reason}\n${end}`);
  }
}

test(`whatever happens in ${SEQUENCES} random lives of an agent, what must hold holds`, { timeout: 3_600_000 }, () => {
  for (let seed = FIRST; seed < FIRST + SEQUENCES; seed += 1) explore(seed);
});
