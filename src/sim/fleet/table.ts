import type { FleetEvent, HostEvent } from './events.ts';

/** A host as people see it. */
export interface Row {
  readonly name: string;
  readonly version: string;
  /** Hops climbed, 0 or more. */
  readonly climbed: number;
  /** What it does, in a few words. */
  readonly word: string;
}

/** What the phases of an agent are called in a table. */
const WORDS: Readonly<Record<string, string>> = {
  starting: 'back: reading its deployments',
  watching: 'watching',
  staging: 'staging',
  holding: 'waiting for a slot',
  releasing: 'waiting for a slot',
  rebooting: 'rebooting …',
};

/** A host of which nothing is known yet. */
export function newRow(name: string, version: string): Row {
  return { name, version, climbed: 0, word: 'booting' };
}

/** The row of a host after something happened to it. */
export function rowAfter(row: Row, event: HostEvent): Row {
  switch (event.event) {
    case 'boot':
      return { ...row, version: event.version, climbed: event.boot - 1, word: 'back: starting its agent' };
    case 'state':
      return { ...row, word: wordOf(event.state, event.text) };
    case 'reboot':
      return { ...row, word: 'down' };
    case 'slot':
      return event.action === 'granted' ? { ...row, word: 'has a slot' } : row;
    case 'arrived':
      return { ...row, word: 'arrived' };
    case 'log':
    case 'down':
    case 'steady':
      return row;
  }
}

function wordOf(state: string, text: string): string {
  const word = WORDS[state] ?? state;
  const [percent] = state === 'staging' ? (/\d+ ?%/.exec(text) ?? []) : [];
  return percent === undefined ? word : `${word} ${percent}`;
}

/** Columns of a bar at most, and of what stands behind it at most. */
const [BAR, WORD] = [16, 26];

/**
 * The rows as lines, each cut to the width of the terminal; those that find no place below each other are counted in one
 * line. Both measures are at least 1.
 */
export function tableLines(rows: readonly Row[], hops: number, columns: number, lines: number): readonly string[] {
  const shown = rows.length <= lines ? rows : rows.slice(0, lines - 1);
  const width = (cell: (row: Row) => string): number => Math.max(0, ...rows.map((row) => cell(row).length));
  const [names, versions] = [width(({ name }) => name), width(({ version }) => version)];
  const all = shown.map(({ name, version, climbed, word }) => {
    const hop = `hop ${String(climbed).padStart(String(hops).length)}/${hops}`;
    const head = `  ${name.padEnd(names)}  ${version.padEnd(versions)}  ${hop}  `;
    return head + bar(climbed, hops, columns - head.length - WORD) + word;
  });
  if (shown.length < rows.length) all.push(`  … and ${rows.length - shown.length} more`);
  return all.map((line) => cut(line, columns));
}

/** A bar with two spaces behind it, or nothing where there is no room. */
function bar(climbed: number, hops: number, room: number): string {
  const width = Math.min(BAR, room - 2);
  if (width < 4) return '';
  const filled = hops === 0 ? width : Math.min(width, Math.round((climbed / hops) * width));
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)}  `;
}

/** As much of a line as a terminal has columns for; all characters that we print are one column wide. */
export function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 1))}…`;
}

/** Those events that are worth a line where there is no table, and the line; null: it is not. */
export function lineOf(event: FleetEvent): string | null {
  if (!('host' in event)) return null;
  const { host } = event;
  switch (event.event) {
    case 'boot':
      return `${host}  boot ${event.boot}  ${event.version}`;
    case 'state':
      return `${host}  ${[wordOf(event.state, event.text), event.target ?? ''].join(' ').trim()}`;
    case 'slot':
      return `${host}  the slot was ${event.action}`;
    case 'reboot':
      return `${host}  shuts down`;
    case 'arrived':
      return `${host}  arrived at ${event.version} in ${event.reboots} reboots`;
    case 'log':
      return event.level === 'info' || event.level === 'debug' ? null : `${host}  ${event.level}: ${event.text}`;
    case 'down':
    case 'steady':
      return `${host}  ${event.event}; ${event.down} down now`;
  }
}
