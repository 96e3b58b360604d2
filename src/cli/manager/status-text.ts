import { duration, oneLine, utc } from '../../base/text.ts';
import type { FleetStatus, GroupStatus, HolderStatus } from '../../manager/api.ts';
import { type Freeze, inForce } from '../../manager/document.ts';
import { columns } from './columns.ts';
import { shownId } from './shell.ts';

/** How a status is shown. */
export interface Look {
  /** The command line of `holdpoint manager`, with words and operands. */
  readonly command: (words: readonly string[], operands?: readonly string[]) => string;
  /** Makes something stand out: what is wrong, what is worth knowing. */
  readonly mark: (text: string, as: 'wrong' | 'notable') => string;
}

/** Something about a group or the fleet that people should know, and the command that changes it. */
interface Note {
  readonly as: 'wrong' | 'notable';
  /** For the line of the group; empty for none. */
  readonly word: string;
  readonly text: string;
  readonly commands: readonly string[];
}

const MOST_WAITERS = 5;
const MOST_ADVICE = 3;

/** A status for people. Everything in it that comes from outside is made fit for a terminal. */
export function statusText(status: FleetStatus, look: Look): string {
  const { at, groups } = status;
  const notes = [...storeNotes(status), ...freezeNote(status.freeze, at, null, look)];
  const paragraphs = [
    [summary(status), ...notes.flatMap((note) => noteLines(note, '', look))],
    ...groups.map((group) => groupLines(group, at, look)),
  ];
  return `${paragraphs.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function summary({ at, store, groups }: FleetStatus): string {
  const held = sum(groups.map(({ holders }) => holders.length));
  const waiting = sum(groups.map((group) => group.waiting));
  const parts = [
    `${store.kind} store`,
    count(groups.length, 'group'),
    `${count(held, 'slot')} taken`,
    `${waiting} waiting`,
  ];
  return `${utc(at)}: ${parts.join(', ')}`;
}

function storeNotes({ store }: FleetStatus): readonly Note[] {
  const warnings = store.warnings.map((warning) => wrong('', `store: ${oneLine(warning, 500)}`));
  if (store.oursOnly.length === 0) return warnings;
  const rules = oneLine(store.oursOnly.join(', '), 500);
  const text = `an airlock on the same store grants without the rules that only managers like this one know: ${rules}`;
  return [...warnings, { as: 'notable', word: '', text, commands: [] }];
}

function groupLines(group: GroupStatus, at: number, look: Look): readonly string[] {
  const notes = group.problem === null ? notesOf(group, at, look) : [unreadable(group.problem)];
  const marks = notes.flatMap(({ word, as }) => (word === '' ? [] : look.mark(`[${word}]`, as)));
  const line = group.problem === null ? slotsLine(group) : 'not known';
  return [
    [`${oneLine(group.name)}: ${line}`, ...new Set(marks)].join(' '),
    ...notes.flatMap((note) => noteLines(note, '  ', look)),
    ...indented(holderTable(group.holders, at)),
    ...indented(waiterTable(group, at)),
  ];
}

function slotsLine(group: GroupStatus): string {
  const { slots, holders, waiting } = group;
  const soaking = holders.filter(({ soakUntil }) => soakUntil !== null).length;
  const parts = [
    `${holders.length} of ${slots} slots taken`,
    ...(soaking === 0 ? [] : [`${soaking} of them soaking`]),
    ...(waiting === 0 ? [] : [`${waiting} waiting`]),
  ];
  const remarks = [...slotRemarks(group), ...(group.configured ? [] : ['not in the configuration'])];
  return `${parts.join(', ')}${remarks.length === 0 ? '' : ` (${remarks.join('; ')})`}`;
}

function slotRemarks({ wanted, slots, resized, seen }: GroupStatus): readonly string[] {
  const said = oneLine(wanted, 20);
  if (resized) return [`resized by hand, the configuration says ${said}`];
  if (said.endsWith('%')) return [`${said} of ${count(seen, 'host')} seen in 90 days`];
  return said === String(slots) ? [] : [`the configuration says ${said}`];
}

function unreadable(problem: string): Note {
  const text = `what is stored for it cannot be read: ${oneLine(problem, 500)}. Its requests fail until that is mended, and nothing of it is overwritten; other groups go on`;
  return wrong('UNREADABLE', text);
}

function notesOf(group: GroupStatus, at: number, look: Look): readonly Note[] {
  return [
    ...haltNote(group),
    ...freezeNote(group.freeze, at, group.name, look),
    ...closedNote(group),
    ...gateNote(group, at),
    ...slotNotes(group, look),
    ...staleNotes(group, look),
  ];
}

function haltNote({ halted, holders }: GroupStatus): readonly Note[] {
  if (!halted) return [];
  const stale = holders.filter((holder) => holder.stale).length;
  const text = `no new grants: ${count(stale, 'holder')} did not come back, and the release may be bad. Look at these hosts first; grants go on when they report, or when their slots were released by hand`;
  return [wrong('HALTED', text)];
}

function freezeNote(freeze: Freeze | null, at: number, group: string | null, look: Look): readonly Note[] {
  const active = inForce(freeze, at);
  if (active === null) return [];
  const { since, until, by, reason } = active;
  const end = until === null ? 'until it is thawed' : `until ${utc(until)} (in ${duration(until - at)})`;
  const why = reason === '' ? '' : `: ${oneLine(reason, 500)}`;
  const what = group === null ? 'no new grants in any group' : 'no new grants';
  const text = `${what}: frozen by ${oneLine(by)} since ${utc(since)} (${duration(at - since)}), ${end}${why}`;
  const command = look.command(['thaw', ...(group === null ? ['--all'] : ['--group', group])]);
  return [{ as: 'wrong', word: group === null ? '' : 'FROZEN', text, commands: [command] }];
}

function closedNote({ closed }: GroupStatus): readonly Note[] {
  if (closed === null) return [];
  const text = `no new grants: ${oneLine(closed.value, 500)}`;
  return [{ as: closed.kind === 'blocked' ? 'wrong' : 'notable', word: 'CLOSED', text, commands: [] }];
}

function gateNote({ gate }: GroupStatus, at: number): readonly Note[] {
  if (gate === null || gate.current) return [];
  const { asked, refusal } = gate;
  const said = refusal === null ? 'it was open' : oneLine(refusal, 500);
  const last = asked === null ? 'not yet asked' : `last at ${utc(asked)} (${duration(at - asked)} ago): ${said}`;
  return [{ as: 'notable', word: '', text: `its gate is asked when a host wants a slot; ${last}`, commands: [] }];
}

function slotNotes({ slots, holders, name }: GroupStatus, look: Look): readonly Note[] {
  const resize = look.command(['resize', 'SLOTS', '--group', name]);
  if (slots === 0) {
    return [{ as: 'wrong', word: 'NO SLOTS', text: 'nothing is granted while it has no slots', commands: [resize] }];
  }
  const over = holders.length - slots;
  if (over <= 0) return [];
  const text = `${count(over, 'holder')} more than slots. Nobody is evicted; new grants come when ${over + 1} of them have given theirs back`;
  return [{ as: 'notable', word: '', text, commands: [] }];
}

function staleNotes({ holders, name }: GroupStatus, look: Look): readonly Note[] {
  const stale = oldestFirst(holders.filter((holder) => holder.stale));
  const notes = stale.slice(0, MOST_ADVICE).map(({ id }): Note => {
    const text = `${shownId(id)} has not come back, and keeps its slot until it reports. If it is gone for good:`;
    const command = look.command(['unlock', '--group', name, '--force', '--reason', 'TEXT'], [id]);
    return { as: 'wrong', word: 'STALE', text, commands: [command] };
  });
  const more = stale.length - notes.length;
  return more === 0 ? notes : [...notes, wrong('STALE', `${more} more did not come back either: see below`)];
}

function holderTable(holders: readonly HolderStatus[], at: number): readonly string[] {
  if (holders.length === 0) return [];
  const rows = oldestFirst(holders).map((holder) => [
    shownId(holder.id),
    utc(holder.since),
    duration(at - holder.since),
    holder.lastSeen === null ? '-' : `${duration(at - holder.lastSeen)} ago`,
    stateOf(holder, at),
  ]);
  return columns([['HOLDER', 'SINCE', 'FOR', 'LAST HEARD OF', 'STATE'], ...rows]);
}

function stateOf({ soakUntil, stale }: HolderStatus, at: number): string {
  if (soakUntil !== null) {
    return soakUntil <= at
      ? 'steady, its soak is over'
      : `steady, soaks until ${utc(soakUntil)} (${duration(soakUntil - at)} left)`;
  }
  return stale ? 'stale' : 'may reboot';
}

function waiterTable({ waiters, waiting }: GroupStatus, at: number): readonly string[] {
  if (waiters.length === 0) return [];
  const rows = waiters
    .slice(0, MOST_WAITERS)
    .map(({ id, since, lastAsked, connected }) => [
      shownId(id),
      utc(since),
      duration(at - since),
      connected ? 'waits for the answer' : `${duration(at - lastAsked)} ago`,
    ]);
  const more = waiting - rows.length;
  const lines = columns([['NEXT', 'WAITS SINCE', 'FOR', 'LAST ASKED'], ...rows]);
  return more === 0 ? lines : [...lines, `and ${more} more`];
}

function noteLines({ as, text, commands }: Note, indent: string, look: Look): readonly string[] {
  return [
    `${indent}${look.mark(as === 'wrong' ? '!' : '-', as)} ${text}`,
    ...commands.map((command) => `${indent}    ${command}`),
  ];
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}

function wrong(word: string, text: string): Note {
  return { as: 'wrong', word, text, commands: [] };
}

function oldestFirst(holders: readonly HolderStatus[]): readonly HolderStatus[] {
  return holders.toSorted((a, b) => a.since - b.since);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
