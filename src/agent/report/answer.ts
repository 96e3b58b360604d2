import { because, cancelledBy } from './gate-words.ts';
import type { ShowMoment } from './moment.ts';
import type { GateReport, Report, TroubleReport } from './report.ts';

/** A report that is still without its answer. */
export type Unanswered = Omit<Report, 'answer'>;

const MOST_REASONS = 3;

/** Why this host does not reboot, and when it will, in one sentence; `show` writes moments. */
export function answerOf(report: Unanswered, show: ShowMoment): string {
  if (report.at !== report.now) return atAnotherMoment(report, show);
  // What was begun goes on without the agent.
  if (report.stopping !== null && report.state !== 'rebooting') return `${stopping(report)}.`;
  const answer = MEMORY_MATTERS.has(report.state)
    ? (notWritten(report, show) ?? ANSWERS[report.state])
    : ANSWERS[report.state];
  return `${answer === undefined ? `This host: ${report.line}` : answer(report, show)}.`;
}

/** States in which nothing goes on before the state file is written. */
const MEMORY_MATTERS: ReadonlySet<string> = new Set(['staging', 'holding', 'releasing']);

function notWritten(report: Unanswered, show: ShowMoment): Answer | null {
  const trouble = troubleOf(report, 'memory');
  if (trouble === undefined) return null;
  const again = trouble.nextTry === null ? '' : `; it is tried again at ${show(trouble.nextTry)}`;
  return () => `${NO} the state file of its agent cannot be written: ${trouble.text}${again}`;
}

type Answer = (report: Unanswered, show: ShowMoment) => string;

const NO = 'This host does not reboot because';

const ANSWERS: Readonly<Record<string, Answer>> = {
  starting,
  disabled: (report) => {
    const { disabled, drivers } = report;
    const why = disabled ?? 'updates are disabled';
    const others = drivers.length === 0 ? '' : `; others may reboot it: ${drivers.map(({ name }) => name).join(', ')}`;
    return `${isNoOstreeHost(report) ? `The agent has nothing to do here: ${why}` : `${NO} ${why}`}${others}`;
  },
  watching,
  staging,
  holding,
  releasing,
  rebooting,
};

/** Nothing that is said of updates and gates is about such a host. */
export function isNoOstreeHost({ state, booted }: Pick<Report, 'state' | 'booted'>): boolean {
  return state === 'disabled' && booted === null;
}

function stopping({ stopping: what }: Unanswered): string {
  return what === 'host' ? 'This host is going down, and its agent with it' : `${NO} the agent is stopping`;
}

function starting(report: Unanswered, show: ShowMoment): string {
  const host = troubleOf(report, 'host');
  if (host === undefined)
    return `${NO} its deployments have not been read yet, which the agent waits for since ${show(report.since)}`;
  const again =
    host.nextTry === null || host.nextTry <= report.now ? '' : `; it is tried again at ${show(host.nextTry)}`;
  return `${NO} its deployments cannot be read since ${show(host.since)}: ${host.text}${again}`;
}

function watching(report: Unanswered, show: ShowMoment): string {
  const { foreign, check, source } = report;
  const unhealthy = troubleOf(report, 'health');
  if (unhealthy !== undefined) return notHealthy(report, unhealthy);
  if (foreign !== null) return leftAlone(foreign);
  if (source === 'staged') return `${NO} nothing is staged; it will when somebody has staged a deployment`;
  const graph = troubleOf(report, 'graph');
  const again = asked(report, show);
  if (graph !== undefined)
    return `${NO} the update server gives no answer since ${show(graph.since)}: ${graph.text}${again}`;
  if (check === null) return `${NO} ${askedFirst(report, show)}`;
  return `${NO} ${said(check)}${afterVerdict(check, report.now) ?? again}`;
}

/** When the update server is asked next, or since when it is being asked. */
function asked({ nextCheck, asking }: Unanswered, show: ShowMoment): string {
  if (asking !== null) return `; the update server is being asked again since ${show(asking)}`;
  return nextCheck === null ? '' : `; the update server is asked again at ${show(nextCheck)}`;
}

function askedFirst({ nextCheck, asking }: Unanswered, show: ShowMoment): string {
  if (asking !== null) return `the update server is being asked for the first time since ${show(asking)}`;
  const when = nextCheck === null ? '' : `; that is done at ${show(nextCheck)}`;
  return `the update server has not been asked yet${when}`;
}

/** The verdict as it follows "because". */
function said({ kind, text }: NonNullable<Report['check']>): string {
  return kind === null ? 'the update server is asked again' : text;
}

function afterVerdict({ kind, reachesAt }: NonNullable<Report['check']>, now: number): string | null {
  if (kind === 'rollout' && reachesAt !== null && reachesAt > now) return '; it is fetched then';
  return kind === 'deadEnd' ? '; it will when somebody moves it on by hand (rpm-ostree rebase)' : null;
}

function leftAlone({ version, staged }: NonNullable<Report['foreign']>): string {
  if (!staged)
    return `${NO} somebody else has chosen ${version} for the next boot; the agent leaves that alone until it is booted`;
  return `${NO} somebody else has staged ${version}, which the agent leaves alone; it goes on when that is booted or removed (rpm-ostree cleanup -p)`;
}

function notHealthy({ owed, next }: Unanswered, { text }: TroubleReport): string {
  if (next.kind === 'reboot')
    return `This host goes back to the release before, because this boot is not healthy: ${text}`;
  const slot = owed.find((one) => one.slot);
  const kept = slot === undefined ? '' : `, and the slot of group ${slot.group} is not given back`;
  return `${NO} this boot is not healthy: ${text}; before it is healthy, no release is fetched${kept}`;
}

function staging(report: Unanswered, show: ShowMoment): string {
  const { target, next } = report;
  const version = target?.version ?? 'the release';
  const trouble = troubleOf(report, 'stage');
  const again = next.at === null ? '' : `; it is tried again at ${show(next.at)}`;
  if (trouble !== undefined) return `${NO} ${version} could not be staged: ${trouble.text}${again}`;
  const { waits = null, progress = null } = target ?? {};
  if (waits !== null) return `${NO} ${version} is not fetched yet: ${waits}${again}`;
  const far = progress === null ? '' : ` (${progress})`;
  return `${NO} ${version} is still being fetched${far}; when it is staged, the gates decide`;
}

function holding(report: Unanswered, show: ShowMoment): string {
  const closed = closedGates(report);
  const version = report.target?.version ?? 'the release';
  const off = calledOff(closed, show);
  if (off !== null) return off;
  if (closed.length > 0) return `${NO} ${reasons(closed)}; ${prediction(report, 'it will', show)}`;
  if (report.next.kind === 'finalize') return `This host is about to reboot into ${version}`;
  return `This host does not reboot yet into ${version}: ${report.next.text}; ${prediction(report, 'it will', show)}`;
}

/** The sentence where an administrator has called the reboot off, and nothing else keeps it back. */
function calledOff([first, ...more]: readonly GateReport[], show: ShowMoment): string | null {
  const who = first?.gate === 'refusal' && more.length === 0 ? cancelledBy(first.reason) : null;
  if (who === null) return null;
  const { lookAgain = null } = first ?? {};
  const when = lookAgain === null ? '' : `at ${show(lookAgain)}, or `;
  return `${NO} ${who} has cancelled it; it is tried again ${when}at once with holdpoint update --now`;
}

function releasing(report: Unanswered, show: ShowMoment): string {
  const slot = report.gates.find(({ gate }) => gate === 'slot');
  if (slot?.verdict === 'closed')
    return `${NO} ${because(slot.gate, slot.reason)}; ${prediction(report, 'it will', show)}`;
  const { next, target } = report;
  const when = next.at === null ? '' : ` at ${show(next.at)}`;
  return `This host is about to reboot into ${target?.version ?? 'the release'}: ${next.text}${when}`;
}

function rebooting(report: Unanswered, show: ShowMoment): string {
  const { target, next, since } = report;
  const version = target?.version ?? 'the release';
  const bad = troubleOf(report, 'reboot') ?? troubleOf(report, 'finalize') ?? troubleOf(report, 'slot');
  if (bad === undefined)
    return `This host is rebooting into ${version} since ${show(since)}, and nothing can take that back`;
  const closed = closedGates(report);
  const kept = closed.length === 0 ? '' : `; it is not tried again while ${reasons(closed)}`;
  const again = next.at === null || closed.length > 0 ? kept : `; it is tried again at ${show(next.at)}`;
  return `This host should be rebooting into ${version} since ${show(since)}, and is not: ${bad.text}${again}`;
}

/** The gates alone, for another moment: what will be staged then nobody knows. */
function atAnotherMoment(report: Unanswered, show: ShowMoment): string {
  if (report.notUpBefore !== null)
    return `At ${show(report.at)} this host was not up: this boot has begun at ${show(report.notUpBefore)}.`;
  const closed = closedGates(report);
  const when = `At ${show(report.at)}`;
  if (report.at < report.now) return `${when} ${inThePast(closed)}.`;
  const { target } = report;
  if (target === null) {
    const gates = closed.length === 0 ? 'no gate would be closed' : `it would be kept back because ${reasons(closed)}`;
    return `${when} there may be something to reboot into, or not: nothing is staged now; ${gates}.`;
  }
  if (closed.length > 0) {
    return `${when} this host would not reboot because ${reasons(closed)}; ${prediction(report, 'it would', show)}.`;
  }
  const { provided = [] } = report.reboot ?? {};
  return `${when} no gate would be closed: this host would reboot into ${target.version}${provisos(provided)}.`;
}

/** Of what is past: what the gates say of it today. */
function inThePast(closed: readonly GateReport[]): string {
  if (closed.length === 0) return 'no gate would be closed, by what is known now';
  return `this host would not reboot because ${reasons(closed)}, by what is known now`;
}

/** The closed gates, each reason once. */
export function closedGates({ gates }: Pick<Report, 'gates'>): readonly GateReport[] {
  const closed = gates.filter(({ verdict }) => verdict === 'closed');
  return closed.filter(
    ({ reason, gate }) => gate === 'slot' || !closed.some((one) => one.gate === 'slot' && one.reason === reason),
  );
}

function reasons(closed: readonly GateReport[]): string {
  const named = closed.slice(0, MOST_REASONS).map(({ gate, reason }) => because(gate, reason));
  const rest = closed.length - named.length;
  return listed([...named, ...(rest === 0 ? [] : [`${rest} more gates are closed`])]);
}

function prediction({ reboot, at }: Unanswered, will: string, show: ShowMoment): string {
  if (reboot === null) return `${will} when a release is staged`;
  const { provided } = reboot;
  if (reboot.at === null) {
    const earliest = reboot.notBefore === null ? '' : `, but not before about ${show(reboot.notBefore)}`;
    return `${will} when ${listed(reboot.when)}${earliest}${provisos(provided)}`;
  }
  const when = reboot.at <= at ? 'then' : `at about ${show(reboot.at)}`;
  return `${will} ${when}${provisos(provided)}`;
}

function provisos(provided: readonly string[]): string {
  return provided.length === 0 ? '' : `, if ${listed(provided)}`;
}

/** `a`, `a, and b`, `a, b, and c`: each may be a clause of its own. */
function listed(clauses: readonly string[]): string {
  const last = clauses.at(-1) ?? '';
  return clauses.length < 2 ? last : `${clauses.slice(0, -1).join(', ')}, and ${last}`;
}

function troubleOf({ troubles }: Unanswered, source: string): TroubleReport | undefined {
  return troubles.find((trouble) => trouble.source === source);
}
