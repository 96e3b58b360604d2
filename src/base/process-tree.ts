import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A program that was started as the leader of its own session, with `mark` in its environment. */
export interface Marked {
  readonly pid: number;
  /** `NAME=value`, different for each program. */
  readonly mark: string;
  /** When it started, as `startedAt` gave it right after the start. */
  readonly started: number;
}

/** When a process started, in ticks since boot; NaN when it is not there. */
export function startedAt(pid: number): number {
  return look(pid)?.started ?? Number.NaN;
}

const ROUNDS = 50;

/**
 * Ends a program and all that came of it: its session and process group, the descendants of those, and whoever carries
 * its mark, with their descendants. Resolves when none is left that can be found; what was forgotten by its parent
 * (reparented), has left the session _and_ has cleared its environment cannot. To be called at once when the program has
 * ended: the number of its session is free for others when nobody is left in it.
 */
export async function killTree(root: Marked): Promise<void> {
  const found = new Map<number, number>();
  // Nobody is killed before everybody has been stopped: an orphan is harder to find than a child.
  for (let fresh = members(root, found); fresh.length > 0; fresh = members(root, found)) {
    for (const one of fresh) {
      found.set(one.pid, one.started);
      send(one.pid, 'SIGSTOP');
    }
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    const left = [...found].filter(([pid, started]) => startedAt(pid) === started);
    const others = members(root, found);
    if (left.length === 0 && others.length === 0) return;
    for (const [pid] of left) send(pid, 'SIGKILL');
    for (const { pid, started } of others) {
      found.set(pid, started);
      send(pid, 'SIGKILL');
    }
    await delay(2 * (round + 1));
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone, or has become somebody else's (setuid).
  }
}

interface Look {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly started: number;
}

/** Those that belong to the program and are not in `known` yet. */
function members(root: Marked, known: ReadonlyMap<number, number>): Look[] {
  const all = processes(root.started);
  const belongs = new Set(all.filter((one) => isMember(one, root) || known.get(one.pid) === one.started));
  for (let size = -1; size !== belongs.size;) {
    size = belongs.size;
    const pids = new Set([...belongs].map(({ pid }) => pid));
    for (const one of all) if (pids.has(one.parent)) belongs.add(one);
  }
  return [...belongs].filter(({ pid, started }) => known.get(pid) !== started && pid !== process.pid);
}

function isMember({ pid, group, session }: Look, root: Marked): boolean {
  return group === root.pid || session === root.pid || carries(pid, root.mark);
}

function carries(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark);
  } catch {
    return false;
  }
}

/** Every process that is no older than `since` and has not ended. */
function processes(since: number): Look[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((name) => look(Number(name)) ?? []).filter(({ started }) => !(started < since));
}

/** One process as /proc/PID/stat has it: `pid (name) state ppid pgrp session …`, the 22nd field when it started. */
function look(pid: number): Look | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may hold spaces and brackets.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return null;
    const [parent = 0, group = 0, session = 0] = fields.map(Number);
    return { pid, parent, group, session, started: Number(fields[18]) };
  } catch {
    return null;
  }
}
