import { isDeepStrictEqual } from 'node:util';
import type { AsyncEffect, Effect } from '../../src/agent/machine/effect.ts';
import type { Event } from '../../src/agent/machine/event.ts';
import type { Lock, Memory, Quarantine } from '../../src/agent/machine/memory.ts';
import type { Target } from '../../src/graph/types.ts';
import type { AgentState } from '../../src/agent/machine/state.ts';
import { CONFIRMED_MS } from '../../src/agent/machine/confirm.ts';
import { CONSENT_MS } from '../../src/agent/machine/consent-ms.ts';
import { parseMemory, serializeMemory } from '../../src/agent/memory-file.ts';
import { deploymentKey, pendingDeployment, releaseKey } from '../../src/host/rpm-ostree/deployment.ts';
import { step } from '../../src/agent/machine/step.ts';
import { scheduleAt } from '../../src/strategy/schedule.ts';
import type { World } from './agent-world.ts';

/** Ticks in a row that may lead to nothing: timers of different things may fall due one after another. */
const MOST_IDLE_TICKS = 4;
/** Ticks one after the other, without a pause, that an agent to which nothing happens may ask for. */
const MOST_TICKS_AT_ONCE = 8;
const CLOCK_MS = 60_000;
const ASYNC = new Set<string>([
  'look',
  'fetchGraph',
  'stage',
  'discard',
  'finalize',
  'lock',
  'report',
  'lookAround',
  'hooks',
  'rollback',
]);

function isAsync(effect: Effect): effect is AsyncEffect {
  return ASYNC.has(effect.kind);
}

function same(a: Lock | null, b: Lock | null): boolean {
  return a !== null && b !== null && a.baseUrl === b.baseUrl && a.group === b.group && a.id === b.id;
}

/** What must hold at all times. Throws with a sentence where it does not. */
export class Invariants {
  /** Quarantines seen, until they end or an administrator lifts them. */
  #quarantine: readonly Quarantine[] = [];

  /** After each step, before its effects are carried out. */
  readonly check = (world: World, before: AgentState, event: Event, effects: readonly Effect[]): void => {
    const { agent } = world;
    if (agent === null) return;
    const { state } = agent;
    // As they stood when this step began: one that follows a definite no in the very next step is a first one again.
    const records = [before.memory.finalize, world.written?.finalize];
    if (!records.some((record) => record?.bootId === world.host.bootId)) world.finalizing = false;
    must(state.bootId === world.host.bootId, 'the state belongs to this boot');
    this.#quarantineIsKept(world, state.memory, event);
    this.#effectsAreInOrder(world, before, event, effects);
    slotIsKnown(world, state.memory);
    slotHasAPurpose(state);
    waitIsAwake(world, state, effects);
    undoIsNotForgotten(world, before, event);
    timeIsLetPass(world, state);
    if (event.kind === 'stop' && event.hostGoesDown !== 'unknown') stopIsProper(before, state, event.hostGoesDown);
    for (const effect of effects) {
      if (effect.kind === 'finalize') finalizeIsAllowed(world, effect);
      if (effect.kind === 'lock') mustBeRecorded(state, effect.lock);
      if (effect.kind === 'cancelLock') cancelIsOnce(before, state, effect.id);
      if (effect.kind === 'report') reportIsAllowed(world, effect.lock);
      if (effect.kind === 'stage') stagingIsAllowed(world);
      if (effect.kind === 'hooks') hooksAreAllowed(world, effect);
      if (effect.kind === 'rollback') rollbackIsAllowed(world);
      if (effect.kind === 'persist') mustSurvive(effect.memory);
    }
  };

  /** When an effect is carried out, by then perhaps for an agent that is no more. */
  readonly execute = (world: World, effect: AsyncEffect): void => {
    const { written } = world;
    if (effect.kind === 'lock') {
      must(same(written?.slot ?? null, effect.lock), 'the slot that is asked for is on disk');
    }
    if (effect.kind === 'finalize') {
      must(written?.finalize?.bootId === world.host.bootId, 'a finalize that is called is on disk');
    }
    if (effect.kind === 'report') {
      must(!world.host.rebooting || !same(world.usedLock, effect.lock), 'no report while the reboot is under way');
    }
  };

  #quarantineIsKept(world: World, memory: Memory, event: Event): void {
    // A new process knows what was written.
    if (event.kind === 'started') this.#quarantine = world.written?.quarantine ?? [];
    const { wall } = event.at;
    const lifted = event.kind === 'unskip' ? event.version : null;
    for (const entry of this.#quarantine) {
      if (entry.until <= wall || entry.version === lifted) continue;
      const kept = memory.quarantine.find(({ key }) => key === entry.key);
      must(kept !== undefined && kept.until >= entry.until, `${entry.version} stays in quarantine`);
    }
    this.#quarantine = memory.quarantine;
  }

  #effectsAreInOrder(world: World, before: AgentState, event: Event, effects: readonly Effect[]): void {
    const { agent } = world;
    if (agent === null) return;
    for (const effect of effects.filter(isAsync)) {
      const isLast = effect.kind === 'report' || (effect.kind === 'hooks' && effect.event === 'reboot-cancelled');
      must(agent.state.stopping === null || isLast, 'an agent that stops begins nothing');
      must(!agent.ids.has(effect.id), `the id ${effect.id} is used once`);
      agent.ids.add(effect.id);
      must(!agent.open.some(({ kind }) => kind === effect.kind), `one ${effect.kind} at a time`);
    }
    const wakes = effects.filter((effect) => effect.kind === 'wake');
    must(wakes.length <= 1, 'one wake in a step');
    for (const { at } of wakes) must(at === null || at > event.at.mono, 'no tick in the past');
    const idle = effects.every((effect) => effect.kind === 'wake') && before.phase.name === agent.state.phase.name;
    // What waits for a moment on the clock looks at it once a minute.
    const soon = event.at.mono - agent.tickedAt < CLOCK_MS;
    agent.idleTicks = event.kind === 'tick' && idle && soon ? agent.idleTicks + 1 : 0;
    if (event.kind === 'tick') agent.tickedAt = event.at.mono;
    must(agent.idleTicks <= MOST_IDLE_TICKS, 'ticks lead to something');
  }
}

/** A slot that a server gave to this host is written down as such, or as owed. */
function slotIsKnown(world: World, memory: Memory): void {
  const { written, servers, host } = world;
  for (const server of servers.filter(({ held }) => held)) {
    for (const known of [memory, written]) {
      const named =
        same(known?.slot ?? null, server.lock) || known?.owed.some((lock) => same(lock, server.lock)) === true;
      must(named, `the slot at ${server.lock.baseUrl} is known`);
    }
  }
  must(!memory.owed.some((lock) => same(lock, memory.slot)), 'a slot is recorded or owed, not both');
  if (host.rebooting) must(memory.finalize?.bootId === host.bootId, 'a reboot that is under way is not forgotten');
  must(host.wronged === null, host.wronged ?? '');
}

/** Outside holding, releasing and rebooting a slot is kept only while an answer about it is awaited. */
function slotHasAPurpose({ memory, phase, pending, stopping }: AgentState): void {
  if (memory.slot === null || pending.lock !== undefined || stopping === 'host' || stopping === 'unclear') return;
  // What the hooks did is undone before another host may begin.
  if (memory.acted !== null) return;
  const isNeeded = ['starting', 'holding', 'releasing', 'rebooting'].includes(phase.name);
  must(isNeeded, `no slot is kept while ${phase.name}`);
}

/** What the hooks did stays on record until it was undone, or its hooks were run and failed three times. */
function undoIsNotForgotten({ agent, around }: World, before: AgentState, event: Event): void {
  const { memory, around: seen } = agent?.state ?? {};
  if (before.memory.acted?.undo !== true || memory?.acted !== null || event.kind === 'started') return;
  const isDone = event.kind === 'hooksDone' && event.outcome.kind === 'passed';
  const isPointless = seen?.hooks.includes('reboot-cancelled') !== true;
  must(isDone || isPointless || around.undosRun >= 3, 'what the hooks did is not forgotten');
}

/** An agent to which nothing happens does not wake again and again for nothing. */
function timeIsLetPass(world: World, start: AgentState): void {
  let [state, mono] = [start, world.mono];
  for (let ticks = 0; ticks < MOST_TICKS_AT_ONCE; ticks += 1) {
    if (state.wakeAt === null || (ticks > 0 && state.wakeAt - mono > 1)) return;
    mono = Math.max(mono, state.wakeAt);
    const at = { mono, wall: world.wall + (mono - world.mono) };
    const next = step(state, { kind: 'tick', at, dice: 0.5 });
    if (next.effects.some(({ kind }) => kind !== 'wake')) return;
    state = next.state;
  }
  const past = Object.entries(state.due).flatMap(([timer, at]) => (at <= mono ? timer : []));
  must(false, `the agent lets time pass (${past.join(', ')})`);
}

/** A question to the lock server may take minutes: what it was asked for must still be wanted, and the graph be asked. */
function waitIsAwake({ wall }: World, state: AgentState, effects: readonly Effect[]): void {
  const { phase, pending, memory, settings, stopping, cancelled, due } = state;
  const asked = effects.find((effect) => effect.kind === 'lock');
  must(asked === undefined || asked.waitMs <= settings.lockWaitMs, 'no wait is longer than configured');
  if (pending.lock === undefined || pending.lock === cancelled) return;
  // The slot of a reboot that may be under way is confirmed without a wait.
  if (phase.name === 'rebooting' && stopping === null) return;
  must(phase.name === 'releasing' && stopping === null, 'a question that nobody waits for is given up');
  must(settings.enabled, 'no wait while updates are disabled');
  const { schedule } = settings;
  must(
    isOrdered(memory, wall) || schedule === null || scheduleAt(schedule, wall).open,
    'no wait outside of the windows',
  );
  must((memory.pause?.until ?? (memory.pause === null ? 0 : Infinity)) <= wall, 'no wait in a pause');
  must(!memory.skipped.includes(phase.target.version), 'no wait for a release that is skipped');
  must(same(memory.slot, settings.lock), 'no wait for a slot of another server');
  if (settings.source !== 'graph') return;
  must(pending.fetchGraph !== undefined || due.poll !== undefined, 'the graph is asked while the slot is waited for');
}

function cancelIsOnce(before: AgentState, { pending }: AgentState, id: number): void {
  must(pending.lock === id, 'what is given up is pending');
  must(before.cancelled !== id, 'a question is given up once');
}

function stopIsProper(before: AgentState, { memory, pending }: AgentState, hostGoesDown: boolean): void {
  if (hostGoesDown)
    must(
      same(memory.slot, before.memory.slot) || memory.slot === before.memory.slot,
      'a host that goes down keeps its slot',
    );
  else
    must(
      memory.slot === null || memory.finalize !== null || memory.acted !== null || pending.lock !== undefined,
      'a stop gives the slot back',
    );
}

function finalizeIsAllowed(world: World, { target }: Extract<Effect, { kind: 'finalize' }>): void {
  const { agent, mono, wall, host } = world;
  if (agent === null) return;
  const { state, lookedAt, told } = agent;
  const { memory, settings } = state;
  must(lookedAt !== null && mono - lookedAt <= CONSENT_MS, 'finalize follows a fresh look of this process');
  must(!told, 'finalize follows a look that is younger than the last change');
  must(settings.enabled, 'finalize while updates are enabled');
  must((memory.pause?.until ?? (memory.pause === null ? 0 : Infinity)) <= wall, 'finalize outside a pause');
  must(!memory.skipped.includes(target.version), 'finalize into what is not skipped');
  const kept = memory.quarantine.some((one) => one.key === releaseKey(target) && one.until > wall);
  must(!kept, 'finalize into what is not in quarantine');
  must(memory.owed.length === 0, 'finalize owes no report');
  if (settings.around !== null) surroundingsAllow(world, state);
  const isHurried = isOrdered(memory, wall);
  must(isHurried || settings.schedule === null || scheduleAt(settings.schedule, wall).open, 'finalize within a window');
  must(isHurried || mono >= settings.minUptimeMs, 'finalize on a host that is up for long enough');
  must(memory.finalize?.bootId === host.bootId, 'finalize is recorded');
  if (!world.finalizing) firstIsAllowed(world, state, target);
  else againIsAllowed(world, memory);
  [world.finalizing, world.usedLock] = [true, memory.slot];
}

/** An administrator does not want to wait for time and people. */
function isOrdered({ order }: Memory, wall: number): boolean {
  return order !== null && order.until > wall;
}

/** Something changes all the time: a look around that began a moment ago has to do. */
function isNoise(unrest: number | null, mono: number): boolean {
  return unrest !== null && mono - unrest > 10_000;
}

/** What surrounds the reboot was seen a moment ago, and nothing of it speaks against it. */
function surroundingsAllow(world: World, { around, courtesy, memory, unrest }: AgentState): void {
  const { agent, mono, wall } = world;
  const { aroundAt, aroundTold } = agent ?? { aroundAt: null, aroundTold: true };
  must(aroundAt !== null && mono - aroundAt <= CONSENT_MS, 'finalize follows a fresh look around');
  const isKnown = !aroundTold || (isNoise(unrest, mono) && mono - aroundAt <= 1_000);
  must(isKnown && around !== null, 'finalize follows a look around that is younger than the last change');
  must(around.boot.kind === 'healthy', 'finalize in a healthy boot');
  must(around.blockers.length === 0 && around.power !== 'battery', 'finalize where nothing holds the host');
  must(!around.holds.some(({ until }) => until === null || until > wall), 'finalize without a marker');
  must(isOrdered(memory, wall) || (memory.postponed?.until ?? 0) <= wall, 'finalize when it is not postponed');
  for (const { id } of around.people ?? []) {
    must(mono - (courtesy.told[id] ?? Infinity) >= 10_000, 'finalize under nobody who does not know of it');
  }
  if (around.hooks.includes('pre-reboot')) must(world.around.drained, 'finalize after the hooks that act');
}

function hooksAreAllowed({ agent, host, around }: World, { event }: Extract<Effect, { kind: 'hooks' }>): void {
  const state = agent?.state;
  if (state === undefined) return;
  const { memory, settings, phase } = state;
  if (event === 'pre-reboot') {
    must(!around.drained || memory.acted?.undo === false, 'hooks that act run once');
    must(phase.name === 'releasing' && memory.acted !== null, 'hooks that act are recorded');
    must(settings.lock === null || memory.slot?.state === 'held', 'hooks that act run under a slot');
  }
  if (event === 'reboot-cancelled') must(memory.finalize?.bootId !== host.bootId, 'nothing is undone after finalize');
}

function rollbackIsAllowed({ agent, mono }: World): void {
  const { memory, settings, around, courtesy } = agent?.state ?? {};
  must(mono - (agent?.aroundAt ?? -Infinity) <= CONSENT_MS, 'a rollback follows a fresh look around');
  for (const { id } of around?.people ?? [])
    must(mono - (courtesy?.told[id] ?? Infinity) >= 10_000, 'a rollback under nobody who does not know of it');
  must(settings?.around?.rollback === true, 'a rollback that is wished');
  must(typeof memory?.lastBoot?.from === 'string', 'a rollback of an update');
  must(
    memory.quarantine.some(({ key }) => key === memory.lastBoot?.key),
    'a rollback into quarantine',
  );
}

/** A finalize that another went before in this boot. */
function againIsAllowed({ usedLock, servers, agent, mono }: World, { slot }: Memory): void {
  must(usedLock === null || same(slot, usedLock), 'finalize again under the same slot');
  if (slot === null) return;
  const confirmedAt = agent?.state.slotConfirmedAt ?? -Infinity;
  must(mono - confirmedAt <= CONFIRMED_MS, 'finalize again under a slot that was confirmed');
  must(servers.find(({ lock }) => same(lock, slot))?.held === true, 'finalize again under a slot that is held');
}

/** A finalize that no other went before in this boot. */
function firstIsAllowed(world: World, { host, memory, settings }: AgentState, target: Target): void {
  const pending = host === null ? null : pendingDeployment(host);
  const isStaged = pending?.staged === true && deploymentKey(pending) === releaseKey(target);
  must(isStaged, 'finalize of what is staged');
  if (settings.lock === null) return;
  const server = world.servers.find(({ lock }) => same(lock, settings.lock));
  must(memory.slot?.state === 'held' && same(memory.slot, settings.lock), 'finalize under a slot');
  must(server?.held === true, 'finalize under a slot that the server gave');
}

function mustBeRecorded({ memory, settings, pending, phase }: AgentState, lock: Lock): void {
  must(same(memory.slot, lock), 'the slot that is asked for is recorded');
  const isConfigured = phase.name === 'rebooting' || same(settings.lock, lock);
  must(isConfigured, 'the slot that is asked for is the configured one, or that of the reboot');
  must(pending.report === undefined && memory.owed.length === 0, 'no slot is asked for while one is owed');
}

function reportIsAllowed(world: World, lock: Lock): void {
  const { agent, host } = world;
  must(agent?.state.memory.finalize?.bootId !== host.bootId, 'no report while a finalize may be under way');
  must(!agent?.open.some((effect) => effect.kind === 'lock' && same(effect.lock, lock)), 'no report overtakes a lock');
  const { drained, undosFailed } = world.around;
  const around = agent?.state.around;
  const isUndone = !drained || undosFailed >= 3 || around?.hooks.includes('reboot-cancelled') !== true;
  if (agent?.state.settings.around !== null)
    must(around?.boot.kind === 'healthy', 'no report of a boot that is not healthy');
  must(isUndone, 'the slot is given back after all was undone');
}

function stagingIsAllowed(world: World): void {
  const state = world.agent?.state;
  if (state === undefined) return;
  const { memory, settings, host } = state;
  must(settings.source === 'graph', 'staging is for the source "graph"');
  must(memory.slot === null, 'no staging while a slot is held');
  must(memory.finalize?.bootId !== world.host.bootId, 'no staging after finalize');
  const pending = host === null ? null : pendingDeployment(host);
  const target = memory.target === null ? null : releaseKey(memory.target.release);
  must(pending === null || deploymentKey(pending) === target, 'no staging over what waits for the next boot');
}

function mustSurvive(memory: Memory): void {
  const { memory: read, problems } = parseMemory(serializeMemory(memory));
  must(problems.length === 0 && isDeepStrictEqual(read, memory), 'the memory can be read again');
}

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`broken: ${what}`);
}
