import { join } from 'node:path';
import type { Bus } from '../bus/api.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { withDeadline } from '../base/deadline.ts';
import { errorText } from '../base/text.ts';
import { AGENT_KEYS, type Config } from '../config/schema.ts';
import { HOOK_EVENTS, type HookContext, type HookEvent } from '../hooks/event.ts';
import { findHooks } from '../hooks/find.ts';
import { runHooks } from '../hooks/run.ts';
import { createHookRunner } from '../hooks/runner.ts';
import { readHolds } from '../host/holds/read.ts';
import { watchHolds } from '../host/holds/watch.ts';
import { readInhibitors, readSessions } from '../host/logind/client.ts';
import { blockersIn } from '../host/logind/inhibitor.ts';
import { isIdle, peopleIn } from '../host/logind/people.ts';
import type { Session } from '../host/logind/session.ts';
import { watchLogind } from '../host/logind/watch.ts';
import { readMetered, watchMetered } from '../host/metered.ts';
import { readPower } from '../host/power.ts';
import { readBootHealth } from '../host/systemd/boot.ts';
import { watchUnit } from '../host/systemd/units.ts';
import { tellTerminals } from '../host/terminals.ts';
import { readClockSynced } from '../host/time-sync.ts';
import type { Around, Person } from './gates/around.ts';
import type { HookOutcome } from './machine/event.ts';

/** What surrounds a reboot of this host, as the shell reaches it. */
export interface Surroundings {
  /** Reads all of it; what cannot be read says so in the reading. */
  readonly read: () => Promise<Around>;
  /** Calls back after something may have changed; returns the way to stop. Begin it anew for another configuration. */
  readonly watch: (changed: () => void) => () => void;
  /** Runs the hooks of an event. Never rejects. Aborted by the signal, they are ended, and have failed. */
  readonly runHooks: (event: HookEvent, context: HookContext, signal: AbortSignal) => Promise<HookOutcome>;
  /** Writes to terminals, as far as they take it. Never rejects. */
  readonly tell: (ttys: readonly string[], text: string) => Promise<void>;
}

/** Where the surroundings of a host are found. */
export interface SurroundingsOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  /** As it is at the moment. */
  readonly config: () => Config;
  /** The agent's run folder; the folder of markers is in it. */
  readonly runDir: string;
  /** What all paths of the host are below. */
  readonly root: string;
}

/** Looks around on this host. */
export function createSurroundings(options: SurroundingsOptions): Surroundings {
  const { bus, runDir, root, log } = options;
  const runner = createHookRunner({ bus, runDir, root });
  const once: Once = { synced: false, missing: null };
  return {
    read: () => read(options, once),
    watch: (changed) => watch(options, changed),
    runHooks: async (event, context, signal) => {
      const { timeoutSecs, mayRebootTimeoutSecs } = options.config().hooks;
      const dir = hooksDir(options);
      const timeoutMs = (event === 'may-reboot' ? mayRebootTimeoutSecs : timeoutSecs) * 1000;
      const outcome = await runHooks({ dir, event, timeoutMs, context, signal, runner });
      return outcome.kind === 'passed' ? outcome : { kind: outcome.kind, text: `${outcome.hook}: ${outcome.text}` };
    },
    tell: async (ttys, text) => {
      log.info({ terminals: ttys.join(' ') }, `told people: ${text}`);
      for (const problem of await tellTerminals(ttys, text, join(root, 'dev'))) log.debug(problem);
    },
  };
}

function watch({ bus, config, runDir }: SurroundingsOptions, changed: () => void): () => void {
  const { updates, health } = config();
  const stops = [
    watchLogind(bus, changed),
    watchHolds(holdsDir(runDir), changed),
    watchUnit(bus, health.unit, changed),
    ...(updates.network.avoidMetered ? [watchMetered(bus, changed)] : []),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function holdsDir(runDir: string): string {
  return join(runDir, 'holds.d');
}

/** What is not found out, or said, with each reading anew. */
interface Once {
  synced: boolean;
  /** The unit of which systemd said last that there is none. */
  missing: string | null;
}

/** Most hosts have nothing that checks their boots; whoever names another unit means one that is there. */
const DEFAULT_UNIT = AGENT_KEYS['health.unit'].fallback;

function missingUnit(unit: string): string {
  return `health.unit: ${unit} does not exist on this host: every boot counts as healthy`;
}

/** Below the root as all files of the host: the hooks of the host that simulates another one are not for that one. */
function hooksDir({ config, root }: SurroundingsOptions): string {
  return join(root, config().hooks.dir);
}

async function read(options: SurroundingsOptions, once: Once): Promise<Around> {
  const { bus, clock, root, runDir } = options;
  const { updates, health } = options.config();
  const at = clock();
  const problems: string[] = [];
  /** What cannot be read is said, and stands for something. */
  const attempt = async <T, U>(who: string, reading: Promise<T> | null, otherwise: U): Promise<T | U> => {
    if (reading === null) return otherwise;
    return withDeadline(reading, READ_MS, `${who} does not answer within ${READ_MS / 1000} s`).catch(
      (error: unknown) => {
        problems.push(errorText(error));
        return otherwise;
      },
    );
  };
  const goesByClock = updates.strategy.includes('periodic') || updates.freezes.length > 0;
  const [sessions, inhibitors, metered, synced, boot] = await Promise.all([
    attempt('logind', updates.sessions.enabled ? readSessions(bus) : null, null),
    attempt('logind', updates.inhibitors.enabled ? readInhibitors(bus) : null, []),
    attempt('NetworkManager', updates.network.avoidMetered ? readMetered(bus) : null, null),
    attempt('timedate1', goesByClock && !once.synced ? readClockSynced(bus) : null, null),
    attempt('systemd', readBootHealth(bus, health.unit, root), UNKNOWN_BOOT),
  ]);
  // A clock that was right once is not asked about again: each question may start a service.
  once.synced ||= synced === true;
  if (boot.kind === 'healthy') once.missing = boot.missing === true ? health.unit : null;
  if (once.missing === health.unit && health.unit !== DEFAULT_UNIT) problems.push(missingUnit(health.unit));
  const holds = readHolds(holdsDir(runDir), at.wall);
  const { classes, idleSecs } = updates.sessions;
  return {
    readAt: at.mono,
    people: sessions === null ? null : peopleIn(sessions, classes).map(personAt(at.wall, idleSecs * 1000)),
    blockers: blockersIn(inhibitors).map(({ who, why }) => ({ who, why })),
    holds: holds.holds,
    power: updates.power.requireAc ? readPower(root) : 'unknown',
    metered,
    clockSynced: once.synced ? true : synced,
    boot,
    hooks: HOOK_EVENTS.filter((event) => hasHooks(hooksDir(options), event)),
    problems: [...problems, ...holds.problems],
  };
}

/** Well below `CONSENT_MS`: what takes longer to read than it counts would keep the reboot back for ever. */
const READ_MS = 3_000;

const UNKNOWN_BOOT = { kind: 'unknown', reason: 'systemd cannot be asked about it' } as const;

/** Also where there is something wrong with the folder: then its hooks fail, which says so. */
function hasHooks(dir: string, event: HookEvent): boolean {
  const { names, problem } = findHooks(dir, event);
  return names.length > 0 || problem !== null;
}

function personAt(wall: number, idleMs: number): (session: Session) => Person {
  return (session) => {
    const { id, uid, user, tty, kind, remote, remoteHost } = session;
    const place = tty ?? (kind === 'graphical' ? 'desktop' : '');
    const from = remote && remoteHost !== null ? `from ${remoteHost}` : '';
    const where = [place, from].filter((part) => part !== '').join(' ');
    return { id, uid, user, tty, where, idle: isIdle(session, idleMs, wall) };
  };
}
