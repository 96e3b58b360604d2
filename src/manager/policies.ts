import { utc } from '../base/text.ts';
import { resolveTimeZone } from '../base/time-zone.ts';
import { type Calendar, createCalendar, nextOpening, openUntil } from '../strategy/calendar.ts';
import { refuse, type Refusal } from './answer.ts';
import type { GateStatus, GroupStatus } from './api.ts';
import type { GroupConfig } from './config/group.ts';
import type { ManagerConfig } from './config/schema.ts';
import { GateKeeper } from './gate.ts';
import type { GroupPolicy } from './policy.ts';
import type { Policies } from './parts.ts';

/** What the manager needs to know of one group, ready for use. */
interface Prepared {
  readonly policy: GroupPolicy;
  /** Null: no windows, so at any time. */
  readonly calendar: Calendar | null;
  readonly gate: GateKeeper | null;
}

/** Milliseconds by which a gate's verdict may be too old when a decision is made with it: the store takes its time. */
const GATE_GRACE_MS = 10_000;
const LONGEST_RETRY_MS = 3_600_000;

/** The policies that a configuration stands for; it can be replaced by another one at any time. */
export class ConfiguredPolicies implements Policies {
  readonly #now: () => number;
  #config: ManagerConfig;
  /** Of groups in the configuration, as they are asked for. */
  #prepared = new Map<string, Prepared>();
  /** What all groups that are made on demand share; null until it is asked for. */
  #template: Prepared | null = null;

  constructor(config: ManagerConfig, now: () => number) {
    this.#now = now;
    this.#config = config;
  }

  /** From now on another configuration holds. */
  replace(config: ManagerConfig): void {
    this.#config = config;
    this.#prepared = new Map();
    this.#template = null;
  }

  readonly of = (group: string, exists: boolean): GroupPolicy | null =>
    exists || this.#config.groups.has(group) ? this.#of(group).policy : null;

  readonly onDemand = (group: string, others: number): GroupPolicy | null => {
    const { autoCreate } = this.#config;
    return autoCreate === null || others >= autoCreate.maxGroups ? null : this.#of(group).policy;
  };

  readonly configured = (): readonly string[] => [...this.#config.groups.keys()];

  readonly closed = (group: string, now: number): Refusal | null => {
    const prepared = this.#of(group);
    return removed(prepared, group) ?? outsideWindow(prepared, group, now) ?? gateVerdict(prepared, now);
  };

  readonly shown = (group: string, now: number): Pick<GroupStatus, 'closed' | 'gate'> => {
    const prepared = this.#of(group);
    const gate = gateStatus(prepared, now);
    const refused = removed(prepared, group) ?? outsideWindow(prepared, group, now);
    return { closed: refused ?? (gate?.current === true ? gateVerdict(prepared, now) : null), gate };
  };

  readonly changesAt = (group: string, now: number): number | null => {
    const { calendar } = this.#of(group);
    if (calendar === null) return null;
    return openUntil(calendar, now) ?? nextOpening(calendar, now);
  };

  readonly prepare = (group: string): Promise<void> | null => this.#of(group).gate?.prepare() ?? null;

  /** Whether there is such a group or not: names that are merely asked for must leave nothing behind. */
  #of(group: string): Prepared {
    const known = this.#prepared.get(group);
    if (known !== undefined) return known;
    const config = this.#config.groups.get(group);
    if (config === undefined) return this.#fromTemplate(group) ?? leftOver(group);
    const prepared = this.#prepare(config);
    this.#prepared.set(group, prepared);
    return prepared;
  }

  /** Windows and gate of groups that are made on demand do not differ: the gate is asked once for all of them. */
  #fromTemplate(group: string): Prepared | null {
    const { autoCreate } = this.#config;
    if (autoCreate === null) return null;
    this.#template ??= this.#prepare({ ...autoCreate.template, name: '' });
    const { policy } = this.#template;
    return { ...this.#template, policy: { ...policy, rules: { ...policy.rules, group } } };
  }

  #prepare(config: GroupConfig): Prepared {
    const { windows, timeZone, gate } = config;
    return {
      policy: policyOf(config),
      calendar: windows.length === 0 ? null : createCalendar(windows, resolveTimeZone(timeZone)),
      gate: gate === null ? null : new GateKeeper(gate, this.#now),
    };
  }
}

function policyOf({
  name,
  slots,
  soakMs,
  staleAfterMs,
  haltAfter,
  overdueMs,
  showHolders,
  first,
}: GroupConfig): GroupPolicy {
  return {
    rules: { group: name, soakMs, staleAfterMs, haltAfter, showHolders },
    precedence: { first: new Set(first), overdueMs },
    slots,
  };
}

/** A group that is in the store and no longer in the configuration: its holders can give their slots back. */
function leftOver(group: string): Prepared {
  const rules = { group, soakMs: 0, staleAfterMs: 3_600_000, haltAfter: 0, showHolders: false };
  const policy: GroupPolicy = {
    rules,
    precedence: { first: new Set(), overdueMs: Infinity },
    slots: { kind: 'as-is' },
  };
  return { policy, calendar: null, gate: null };
}

function removed({ policy }: Prepared, group: string): Refusal | null {
  if (policy.slots.kind !== 'as-is') return null;
  return refuse('unknown_group', `group ${group} is no longer in the configuration`);
}

function outsideWindow({ calendar }: Prepared, group: string, now: number): Refusal | null {
  if (calendar === null) return null;
  const opens = nextOpening(calendar, now);
  if (opens === null || opens <= now) return null;
  const text = `the windows of group ${group} are closed; the next one opens at ${utc(opens)}`;
  return refuse('outside_window', text, Math.min(opens - now, LONGEST_RETRY_MS));
}

function gateStatus({ gate }: Prepared, now: number): GateStatus | null {
  if (gate === null) return null;
  const { askedAt, verdict } = gate;
  return {
    asked: askedAt,
    refusal: askedAt === null ? null : (verdict?.value ?? null),
    current: gate.isFresh(now, GATE_GRACE_MS),
  };
}

function gateVerdict({ gate }: Prepared, now: number): Refusal | null {
  if (gate === null) return null;
  if (gate.verdict === null && !gate.isFresh(now, GATE_GRACE_MS)) {
    return refuse('blocked', 'what the gate of the group said last is too old', 1_000);
  }
  return gate.verdict;
}
