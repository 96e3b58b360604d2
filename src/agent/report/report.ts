import {
  about,
  type Codec,
  fields,
  flag,
  list,
  moment,
  nullable,
  type Schema,
  text,
  whole,
  word,
} from '../../base/codec.ts';

/** A key of the configuration that something goes by. */
export interface Setting {
  readonly key: string;
  /** As TOML writes it, without secrets; null: it is not set and has no default. */
  readonly value: string | null;
  /** `FILE:LINE` of each place where it was set; empty: it is the default. */
  readonly set: readonly string[];
}

/** What one gate says, and why. */
export interface GateReport {
  /** One of the gates of the agent, or `slot`: the fleet's. */
  readonly gate: string;
  readonly verdict: 'open' | 'closed' | 'notAsked';
  /** One clause. */
  readonly reason: string;
  /** What opens it, as a clause that follows "when"; null for one that is not closed. */
  readonly opens: string | null;
  /** What helps: a command to look with, or a key to change; null: nothing. */
  readonly how: string | null;
  readonly opensAt: number | null;
  readonly lookAgain: number | null;
  readonly closesAt: number | null;
  /** Why it would be closed if an administrator had not ordered the update now; null: it would not. */
  readonly despite: string | null;
  /** It depends on more than the time: for another moment this is what it says now. */
  readonly asNow: boolean;
  readonly from: readonly Setting[];
}

/** What happens next by itself. */
export interface Next {
  readonly kind: string;
  readonly text: string;
  /** Null: as soon as what it waits for has happened. */
  readonly at: number | null;
}

/** The reboot as it can be foreseen. */
export interface Forecast {
  /** The earliest moment at which the release is finalized; null: that depends on what has no time. */
  readonly at: number | null;
  /** What has to happen first, as clauses that follow "when". */
  readonly when: readonly string[];
  /** Where `at` is null: the earliest moment all the same, as far as gates go that open at a time. */
  readonly notBefore: number | null;
  /** What may keep it back all the same, as clauses that follow "if". */
  readonly provided: readonly string[];
}

/** A streak of errors. */
export interface TroubleReport {
  readonly source: string;
  readonly what: string;
  readonly text: string;
  readonly since: number;
  readonly count: number;
  readonly nextTry: number | null;
  /** What ends it. */
  readonly mends: string;
}

/** The release that is to be booted. */
export interface TargetReport {
  readonly version: string;
  readonly release: string;
  readonly staged: boolean;
  readonly by: 'agent' | 'somebody';
  /** True: only finalize applies it. Null: nobody knows. */
  readonly locked: boolean | null;
  /** How far rpm-ostree is with it, in its words; null: it is not at work, or has not said. */
  readonly progress: string | null;
  /** Why it is not fetched yet; null: it is, or was. */
  readonly waits: string | null;
}

/** The last look at the update graph. */
export interface CheckReport {
  readonly at: number;
  /** The kind of the verdict; null: it offers an update. */
  readonly kind: string | null;
  readonly text: string;
  /** When a rollout reaches this host. */
  readonly reachesAt: number | null;
  readonly warnings: readonly string[];
  readonly outlook: {
    readonly hops: number;
    readonly newest: string;
    readonly barrier: string | null;
  } | null;
}

/** Everything that the agent can say about itself and the next reboot. Moments are milliseconds since 1970. */
export interface Report {
  readonly version: number;
  readonly agentVersion: string;
  readonly now: number;
  /** The moment that the gates and the answer are about. */
  readonly at: number;
  readonly state: string;
  readonly since: number;
  readonly line: string;
  /** When this boot began, where `at` is before it; null: it is not. */
  readonly notUpBefore: number | null;
  /** What stops; null: nothing does. */
  readonly stopping: string | null;
  /** Why nothing is done at all; null: it is. */
  readonly disabled: string | null;
  readonly answer: string;
  readonly booted: { readonly version: string; readonly release: string } | null;
  readonly target: TargetReport | null;
  readonly gates: readonly GateReport[];
  readonly next: Next;
  readonly reboot: Forecast | null;
  readonly source: string;
  readonly check: CheckReport | null;
  readonly nextCheck: number | null;
  /** Since when the update graph is being asked for; null: it is not. */
  readonly asking: number | null;
  /** The keys that the answer goes by, besides those of the gates. */
  readonly from: readonly Setting[];
  readonly troubles: readonly TroubleReport[];
  readonly quarantine: readonly {
    readonly version: string;
    readonly reason: string;
    readonly since: number;
    readonly until: number;
  }[];
  readonly skipped: readonly string[];
  readonly pause: {
    readonly until: number | null;
    readonly reason: string;
    readonly by: string | null;
    readonly since: number | null;
  } | null;
  readonly postponed: { readonly until: number; readonly by: string } | null;
  readonly postponeAllowedSecs: number;
  readonly updateNow: { readonly by: string; readonly until: number } | null;
  readonly owed: readonly { readonly server: string; readonly group: string; readonly slot: boolean }[];
  readonly drivers: readonly { readonly name: string; readonly advice: string }[];
  readonly foreign: { readonly version: string; readonly staged: boolean } | null;
  readonly lastBoot: { readonly version: string; readonly updated: boolean; readonly at: number | null } | null;
  readonly running: { readonly event: string; readonly since: number } | null;
}

const when = nullable(moment);
const words = nullable(text);

const SETTING: Codec<Setting> = fields<Setting>({
  key: text,
  value: about('As TOML writes it, without secrets; null: not set, and without a default.', words),
  set: about('Where it was set, FILE:LINE; empty: it is the default.', list(text)),
});

const GATE: Codec<GateReport> = fields<GateReport>({
  gate: about(
    'enabled, health, freeze, pause, clock, window, uptime, postponed, inhibitors, holds, power, people, hooks, report, refusal, or slot: the slot of the fleet, which is asked for last. There may be others.',
    text,
  ),
  verdict: about('`notAsked`: it is asked when everything before it is open.', word('open', 'closed', 'notAsked')),
  reason: about('Why, as one clause for people.', text),
  opens: about('What opens it, as a clause that follows "when"; null: it is not closed.', words),
  how: about('What helps, for people: a command to look with, or a key to change.', words),
  opensAt: about('When it opens by itself, as far as that is known.', when),
  lookAgain: about('When it is asked again; it may be closed still.', when),
  closesAt: about('When an open one closes by itself.', when),
  despite: about('Why an open one would be closed if an administrator had not ordered the update now.', words),
  asNow: about(
    'For another moment than now: this gate depends on more than the time, and is shown as it is now.',
    flag,
  ),
  from: about('The keys of the configuration that it goes by.', list(SETTING)),
});

const TARGET: Codec<TargetReport> = fields<TargetReport>({
  version: text,
  release: about('Beginning of the commit or digest.', text),
  staged: flag,
  by: about('Who staged it, or stages it.', word('agent', 'somebody')),
  locked: about('True: no reboot applies it but one that is finalized. Null: not known.', nullable(flag)),
  progress: about('How far rpm-ostree is with fetching it, in its words.', words),
  waits: about('Why it is not fetched yet.', words),
});

const CHECK: Codec<CheckReport> = fields<CheckReport>({
  at: about('When the graph was last read.', moment),
  kind: about(
    'notInGraph, deadEnd, newest, rollout, noPath, denied or downgradeRefused; null: it offers an update.',
    words,
  ),
  text: about('What it says, for people.', text),
  reachesAt: about('When the rollout of the next release reaches this host; null: none does, or it is paused.', when),
  warnings: about('What was left out of it, and why.', list(text)),
  outlook: about(
    'The way to the newest release: hops, and the next barrier on it; null: there is none, or it is not known.',
    nullable(fields<NonNullable<CheckReport['outlook']>>({ hops: whole(0, 1_000_000), newest: text, barrier: words })),
  ),
});

const TROUBLE: Codec<TroubleReport> = fields<TroubleReport>({
  source: text,
  what: about('What does not work, for people.', text),
  text: about('The last error.', text),
  since: moment,
  count: whole(1, Number.MAX_SAFE_INTEGER),
  nextTry: about('When it is tried again; null: when something else has happened.', when),
  mends: about('What ends it, for people.', text),
});

const REPORT: Codec<Report> = fields<Report>({
  version: about('Of this format. Fields may be added within a version.', whole(1, 1)),
  agentVersion: text,
  now: about('When the agent answered.', moment),
  at: about('The moment that `answer`, `gates` and `reboot` are about: now, unless another was asked for.', moment),
  state: about('starting, disabled, watching, staging, holding, releasing or rebooting.', text),
  since: about('When that state was entered.', moment),
  line: about('The status line: for people, its wording changes.', text),
  notUpBefore: about(
    'When this boot began, where `at` is before it: this boot says nothing of it. Null: it is not.',
    when,
  ),
  stopping: about('agent, host, or unclear (nobody knows yet which of them) stops; null: none does.', words),
  disabled: about('Why nothing is done at all; null: the agent is at work.', words),
  answer: about('Why this host does not reboot, and when it will, in one sentence for people.', text),
  booted: about(
    'The release that runs.',
    nullable(fields<NonNullable<Report['booted']>>({ version: text, release: text })),
  ),
  target: about('The release that is to be booted; null: none.', nullable(TARGET)),
  gates: about('In the order in which they are asked. All must be open at the same time.', list(GATE)),
  next: about(
    'What happens next by itself.',
    fields<Next>({
      kind: about('look, poll, stage, gate, slot, hooks, notice, finalize, reboot, event or nothing.', text),
      text,
      at: about('Null: at once, or when something has happened that has no time.', when),
    }),
  ),
  reboot: about(
    'The reboot as it can be foreseen; null: there is no release to reboot into.',
    nullable(
      fields<Forecast>({
        at: about('The earliest moment; null: it depends on what has no time.', when),
        when: about('What has to happen first.', list(text)),
        notBefore: about(
          'Where `at` is null: the moment before which it cannot be all the same, if there is one.',
          when,
        ),
        provided: about('What may keep it back all the same.', list(text)),
      }),
    ),
  ),
  source: about('Where releases come from: graph or staged.', text),
  check: about('The last good look at the update graph; null: there was none.', nullable(CHECK)),
  nextCheck: about('When the update server is asked next.', when),
  asking: about('Since when the update server is being asked; null: it is not.', when),
  from: about('The keys of the configuration that the answer goes by, besides those of the gates.', list(SETTING)),
  troubles: about('What does not work at the moment.', list(TROUBLE)),
  quarantine: about(
    'Releases that are kept away from this host because they were at fault.',
    list(fields<Report['quarantine'][number]>({ version: text, reason: text, since: moment, until: moment })),
  ),
  skipped: about('Versions that an administrator does not want.', list(text)),
  pause: about(
    'null: not paused. `until` null: until somebody resumes.',
    nullable(fields<NonNullable<Report['pause']>>({ until: when, reason: text, by: words, since: when })),
  ),
  postponed: nullable(fields<NonNullable<Report['postponed']>>({ until: moment, by: text })),
  postponeAllowedSecs: about('Seconds by which a reboot can still be postponed in this boot.', whole(0, 4_000_000_000)),
  updateNow: about(
    'An administrator wants the update now.',
    nullable(fields<NonNullable<Report['updateNow']>>({ by: text, until: moment })),
  ),
  owed: about(
    'Lock managers that do not know yet that this host is steady; `slot`: one may still be taken there.',
    list(fields<Report['owed'][number]>({ server: text, group: text, slot: flag })),
  ),
  drivers: about(
    'What else may update or reboot this host.',
    list(fields<Report['drivers'][number]>({ name: text, advice: text })),
  ),
  foreign: about(
    'What somebody else put in place of the next boot, and this agent leaves alone.',
    nullable(fields<NonNullable<Report['foreign']>>({ version: text, staged: flag })),
  ),
  lastBoot: about(
    '`updated`: an update of this agent led to it.',
    nullable(fields<NonNullable<Report['lastBoot']>>({ version: text, updated: flag, at: when })),
  ),
  running: about(
    'The hooks that are running.',
    nullable(fields<NonNullable<Report['running']>>({ event: text, since: moment })),
  ),
});

/** The published schema of what `status` and `explain` print as JSON. */
export const REPORT_SCHEMA: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'What the agent says about itself and the next reboot, version 1',
  description:
    'What `holdpoint status --json` and `holdpoint explain --json` print, and `Explain` of io.github.holdpoint.Agent1 answers. Texts are for people: their wording changes.',
  ...REPORT.schema,
};

/** A report as JSON, on one line. */
export function writeReport(report: Report): string {
  return JSON.stringify(REPORT.write(report));
}

/** The same with line ends, for people and their tools. */
export function printReport(report: Report): string {
  return `${JSON.stringify(REPORT.write(report), null, 2)}\n`;
}

/** Reads what an agent wrote. Throws an error that says where it is wrong. */
export function readReport(json: string): Report {
  return REPORT.read(JSON.parse(json) as unknown, '');
}
