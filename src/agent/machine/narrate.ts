import { duration, utc } from '../../base/text.ts';
import type { Instant } from '../../base/clock.ts';
import { explainVerdict } from '../../graph/why.ts';
import { foreignPending, gatesOf, mayBeAdopted, statusLine } from './explain.ts';
import type { Around } from '../gates/around.ts';
import { isClosed } from '../gates/gate.ts';
import { isNeedless, undoComesFirst } from './slot.ts';
import type { AgentState, Phase, Trouble, TroubleSource } from './state.ts';
import type { Step } from './step.ts';
import { isAdopted, isChanged } from './target.ts';

/** One line for the log. */
export interface Line {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly text: string;
  readonly fields?: Readonly<Record<string, string | number>>;
}

/**
 * What a step is worth saying: changes, never repetitions. Compares the state before with the state after. `earlier` is
 * the moment of the step before: what only the time has closed since then, a window that has ended, is news as well.
 */
export function narrate(
  before: AgentState,
  { state: after, ignored }: Step,
  at: Instant,
  earlier: Instant = at,
): readonly Line[] {
  const hasTurned = closedIn(before, earlier) !== closedIn(after, at);
  return [
    ...(ignored === null ? [] : [{ level: 'debug', text: `ignored: ${ignored}` } as const]),
    ...troubleLines(before, after, at),
    ...memoryLines(before, after),
    ...phaseLines(before, after, at, hasTurned),
    ...watchingLines(before, after, at),
    ...graphLines(before, after),
    ...driverLines(before, after),
    ...aroundLines(before, after),
    ...hookLines(before, after),
  ];
}

/** What could not be read of the surroundings: what is new of it. */
function aroundLines(before: AgentState, after: AgentState): readonly Line[] {
  const known = new Set(before.around?.problems ?? []);
  const problems = after.around?.problems.filter((text) => !known.has(text)) ?? [];
  const lines: Line[] = problems.slice(0, MOST_WARNINGS).map((text) => ({ level: 'warn', text }));
  lines.push(...patienceLines(before.around, after));
  const { postponed } = after.memory;
  if (postponed !== null && postponed !== before.memory.postponed) {
    lines.push({ level: 'info', text: `the reboot was postponed by ${postponed.by} until ${utc(postponed.until)}` });
  }
  return lines;
}

/** What is not waited for any longer. */
function patienceLines(before: Around | null, { around, settings, courtesy }: AgentState): readonly Line[] {
  const rules = settings.around;
  if (rules === null || before === null || around === null) return [];
  /** Its time was over between the two readings. */
  const isOver = (moment: number): boolean => before.readAt < moment && moment <= around.readAt;
  const lines: Line[] = [];
  const goesByClock = settings.schedule !== null || settings.freezes !== null;
  if (goesByClock && around.clockSynced !== true && isOver(rules.clockWaitMs)) {
    lines.push({
      level: 'warn',
      text: 'the clock is still not synchronised, as far as anybody knows: windows go by it all the same',
    });
  }
  const { unreadableSince } = courtesy;
  if (rules.people !== null && unreadableSince !== null && isOver(unreadableSince + rules.people.unreadableMs)) {
    lines.push({ level: 'warn', text: 'nobody knows who is logged in: from now on that counts as nobody' });
  }
  return lines;
}

/** The hooks that act, and the end of those that undo it. What the others say shows where it matters. */
function hookLines(before: AgentState, after: AgentState): readonly Line[] {
  const { running } = after;
  const lines: Line[] = [];
  if (running !== null && running !== before.running) {
    const level = running.event === 'may-reboot' ? 'debug' : 'info';
    lines.push({ level, text: `running the ${running.event} hooks`, fields: { hook: running.event } });
  }
  const { undo } = after.troubles;
  if (undo !== undefined && undoComesFirst(before) && !undoComesFirst(after) && after.memory.acted !== null) {
    const text = `what the pre-reboot hooks did could not be undone so far: ${undo.text}; the slot is kept no longer`;
    lines.push({ level: 'error', text: `${text}, and reboot-cancelled is tried until its hooks have been run` });
  }
  if (before.memory.acted !== null && after.memory.acted === null && undo !== undefined) {
    const text = `what the pre-reboot hooks did was not undone: ${undo.text}; nothing tries it again`;
    lines.push({ level: 'error', text });
  }
  return lines;
}

function phaseLines(before: AgentState, after: AgentState, at: Instant, hasTurned: boolean): readonly Line[] {
  const [from, to] = [before.phase, after.phase];
  const isSame = from.name === to.name && targetOf(from) === targetOf(to);
  const isTaken = to.name === 'rebooting' && before.troubles.finalize !== undefined && !isStreak(after);
  const isTurned = isSame && hasTurned;
  if (isSame && !isTaken && !isTurned && reasons(before, at) === reasons(after, at)) return [];
  const isOld = !isTurned && (isRepetition(before, after, at) || isAskingAgain(from, to));
  const level = isOld ? 'debug' : 'info';
  return [{ level, text: statusLine(after, at), fields: fieldsOf(to) }];
}

/** Asking a lock server again, and hearing the same again, is no news: it can go on for hours. */
function isAskingAgain(from: Phase, to: Phase): boolean {
  if (from.name === 'holding' && to.name === 'releasing') return to.last !== null;
  if (from.name !== 'releasing' || to.name !== 'holding' || from.last === null) return false;
  return from.last.text === to.refusal?.text;
}

function fieldsOf(phase: Phase): NonNullable<Line['fields']> {
  const target = targetOf(phase);
  return { state: phase.name, ...(target === null ? {} : { target }) };
}

/** Finalize is refused, and tried again and again: a streak, which is told of as one. */
function isStreak({ troubles }: AgentState): boolean {
  return troubles.finalize !== undefined;
}

/**
 * The way from one try to finalize to the next. What refuses it is said by the streak, and its first line takes the
 * place of the one for the phase; something else that keeps the reboot back is news all the same.
 */
function isRepetition(before: AgentState, after: AgentState, at: Instant): boolean {
  if (!isStreak(after) || targetOf(before.phase) !== targetOf(after.phase)) return false;
  return before.phase.name !== 'staging' && reasons(before, at, PASSING) === reasons(after, at, PASSING);
}

/** Gates that close and open with each try. */
const PASSING: ReadonlySet<string> = new Set(['refusal', 'report']);

function targetOf(phase: Phase): string | null {
  return 'target' in phase ? phase.target.version : null;
}

/** Which gates are closed and why, without the times, which change with every look. */
function reasons(state: AgentState, at: Instant, without: ReadonlySet<string> = new Set()): string {
  if (state.phase.name === 'disabled') return state.phase.reason;
  if (state.phase.name === 'staging') return state.phase.waits ?? '';
  if (state.phase.name !== 'holding') return '';
  const closed = gatesOf(state, at).filter((gate) => isClosed(gate) && !without.has(gate.gate));
  return closed.map((gate) => `${gate.gate}: ${gate.open ? '' : gate.reason}`).join('; ');
}

/** Which gates are closed, but for those that do so with each try. */
function closedIn(state: AgentState, at: Instant): string {
  if (state.phase.name !== 'holding') return '';
  const closed = gatesOf(state, at).filter((gate) => isClosed(gate) && !PASSING.has(gate.gate));
  return closed.map(({ gate }) => gate).join(' ');
}

/** While watching, what the graph says is the news. */
function watchingLines(before: AgentState, after: AgentState, at: Instant): readonly Line[] {
  if (before.phase.name !== 'watching' || after.phase.name !== 'watching') return [];
  if (verdictOf(before) === verdictOf(after) && foreignOf(before) === foreignOf(after)) return [];
  const verdict = after.check?.verdict?.kind;
  const fields = { state: 'watching', ...(verdict === undefined ? {} : { verdict }) };
  return [{ level: 'info', text: statusLine(after, at), fields }];
}

/** What somebody else staged, and whether the graph has been asked about it. */
function foreignOf(state: AgentState): string {
  const pending = foreignPending(state);
  return pending === null ? '' : `${pending.id} ${mayBeAdopted(state, pending)}`;
}

function verdictOf(state: AgentState): string {
  return JSON.stringify(state.check?.verdict ?? null, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}

/** What a server leaves to be desired may be worded anew with each answer: news is when there is more or less of it. */
function graphLines(before: AgentState, after: AgentState): readonly Line[] {
  const [old, now] = [before.check?.warnings ?? [], after.check?.warnings ?? []];
  if (old.length === now.length) return [];
  const texts = now.slice(0, MOST_WARNINGS);
  if (now.length > texts.length) texts.push(`and ${now.length - texts.length} more of the kind`);
  return texts.map((text) => ({ level: 'warn', text: `update graph: ${text}` }));
}

/** Lines about one graph, at most. */
const MOST_WARNINGS = 5;

function driverLines(before: AgentState, after: AgentState): readonly Line[] {
  const known = new Set(before.drivers.map(({ advice }) => advice));
  const seen = new Set(after.drivers.map(({ name }) => name));
  return [
    ...after.drivers
      .filter(({ advice }) => !known.has(advice))
      .map(({ advice }) => ({ level: 'warn', text: advice }) as const),
    ...before.drivers
      .filter(({ name }) => !seen.has(name))
      .map(({ name }) => ({ level: 'info', text: `${name} no longer updates this host` }) as const),
  ];
}

/** What each streak of errors is called. */
export const TROUBLES: Readonly<Record<TroubleSource, string>> = {
  host: 'reading the deployments',
  around: 'reading what surrounds a reboot',
  graph: 'asking the update server',
  stage: 'staging',
  discard: 'removing a staged deployment',
  finalize: 'finalizing',
  reboot: 'waiting for the reboot',
  slot: 'asking the lock manager',
  report: 'reporting to the lock manager',
  memory: 'writing the state file',
  undo: 'undoing what the pre-reboot hooks did',
  health: 'this boot is not healthy',
  rollback: 'going back to the release before',
};

function troubleLines(before: AgentState, after: AgentState, at: Instant): readonly Line[] {
  return (Object.keys(TROUBLES) as TroubleSource[]).flatMap((source) => {
    const [old, now] = [before.troubles[source], after.troubles[source]];
    if (old !== undefined && now === undefined) return gaveUp(source, before, after) ? [] : [recovery(source, old, at)];
    if (now === undefined || (old?.count === now.count && old.text === now.text)) return [];
    // Said when it begins, when it changes, and at every doubling: a streak of hours fills no journal.
    const worth = old?.text !== now.text || Number.isInteger(Math.log2(now.count));
    const line = trouble(source, now, at, worth);
    const isPhase = source === 'finalize' && before.phase.name !== after.phase.name;
    return [isPhase ? { ...line, fields: fieldsOf(after.phase) } : line];
  });
}

/** Somebody has to look after these. */
const LOUD: ReadonlySet<TroubleSource> = new Set(['reboot', 'memory', 'health', 'rollback', 'undo']);

function trouble(source: TroubleSource, { text, count, nextTry }: Trouble, at: Instant, worth: boolean): Line {
  const next = nextTry === null ? '' : `, next try in ${duration(nextTry - at.mono)}`;
  const level = !worth ? 'debug' : LOUD.has(source) ? 'error' : 'warn';
  const said = text.startsWith(TROUBLES[source]) ? text : `${TROUBLES[source]}: ${text}`;
  // What is not tried cannot be counted as attempts.
  return { level, text: source === 'health' ? said : `${said} (attempt ${count}${next})` };
}

/** What went wrong with a target is not over when the target is left; nor with a report when it is dropped. */
function gaveUp(source: TroubleSource, before: AgentState, after: AgentState): boolean {
  if (source === 'report') return droppedReports(before, after);
  if (source === 'slot' && JSON.stringify(before.settings.lock) !== JSON.stringify(after.settings.lock)) return true;
  const { phase } = after;
  const ofTarget = source === 'stage' || source === 'finalize' || source === 'reboot' || source === 'slot';
  return ofTarget && phase.name === 'watching';
}

function recovery(source: TroubleSource, { count, since }: Trouble, at: Instant): Line {
  const times = count === 1 ? 'one failure' : `${count} failures`;
  return { level: 'info', text: `${TROUBLES[source]}: over after ${times} in ${duration(at.mono - since.mono)}` };
}

/** An order that the graph has nothing for is taken back. */
function orderLines(before: AgentState, { memory, check }: AgentState): readonly Line[] {
  const isOff = before.memory.order !== null && memory.order === null && check !== null && check !== before.check;
  if (!isOff) return [];
  const why = check.verdict === null ? 'somebody else stages updates here' : explainVerdict(check.verdict);
  return [{ level: 'info', text: `the ordered update is off: ${why}` }];
}

function memoryLines(before: AgentState, after: AgentState): readonly Line[] {
  return [
    ...orderLines(before, after),
    ...quarantineLines(before, after),
    ...targetLines(before, after),
    ...faultLines(before, after),
    ...reportLines(before, after),
  ];
}

function quarantineLines({ memory }: AgentState, after: AgentState): readonly Line[] {
  const old = new Map(memory.quarantine.map((entry) => [entry.key, entry]));
  const now = new Set(after.memory.quarantine.map(({ key }) => key));
  const changed = after.memory.quarantine.filter((entry) => !memory.quarantine.includes(entry));
  return [
    ...changed.map(({ key, version, until, reason, since }): Line => {
      const text = `${version} is kept away from this host until ${utc(until)}: ${reason}`;
      const before = old.get(key);
      // One that was known already only moves with a clock that has been set.
      const isNew = before === undefined || (before.reason !== reason && before.since !== since);
      const level = isNew ? 'error' : 'info';
      return { level, text: isNew ? text : `the clock was set: ${text}`, fields: { version } };
    }),
    ...memory.quarantine
      .filter(({ key }) => !now.has(key))
      .map(({ version }): Line => ({ level: 'info', text: `${version} is no longer kept away from this host` })),
  ];
}

function targetLines(before: AgentState, after: AgentState): readonly Line[] {
  const { memory } = before;
  const lines: Line[] = [];
  const { lastBoot, discard, target } = after.memory;
  if (lastBoot !== null && memory.lastBoot?.key !== lastBoot.key) {
    lines.push({ level: 'info', text: `booted into ${lastBoot.version}`, fields: { booted: lastBoot.version } });
  }
  if (discard !== null && memory.discard !== discard) {
    lines.push({ level: 'info', text: `the staged ${discard.version} will be removed: ${discard.reason}` });
  }
  if (target !== null && isAdopted(after.memory) && !isAdopted(memory)) {
    const what = `${target.release.version}, which somebody else staged, is what the update graph leads to`;
    lines.push({ level: 'info', text: `${what}: it is adopted` });
  }
  if (target !== null && isChanged(after) && !isChanged(before)) {
    const what = `the staged ${target.release.version} was changed by somebody else (layered packages, for example)`;
    lines.push({ level: 'info', text: `${what}: it is taken as it is, and not removed` });
  }
  return lines;
}

function faultLines({ memory }: AgentState, after: AgentState): readonly Line[] {
  return after.memory.faults
    .filter(({ key, missedBoots }) => {
      const old = memory.faults.find((one) => one.key === key);
      return missedBoots > (old?.missedBoots ?? 0);
    })
    .map(({ version }) => ({ level: 'warn', text: `${version} was finalized, but this boot is not in it` }));
}

function reportLines(before: AgentState, after: AgentState): readonly Line[] {
  if (before.memory.owed.length === 0 || after.memory.owed.length > 0) return [];
  if (droppedReports(before, after)) {
    const text = 'a lock manager that is no longer configured need not know that this host is steady';
    return [{ level: 'info', text }];
  }
  return [{ level: isStreak(after) ? 'debug' : 'info', text: 'the lock manager knows that this host is steady' }];
}

/** True when the last reports that were owed are not any more, though nobody has them. */
function droppedReports({ memory }: AgentState, after: AgentState): boolean {
  return (
    memory.owed.length > 0 && after.memory.owed.length === 0 && memory.owed.every((report) => isNeedless(after, report))
  );
}
