import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Answer } from '../../src/manager/answer.ts';
import type { Manager } from '../../src/manager/api.ts';
import type { AuditRecord } from '../../src/manager/document.ts';
import { fleet } from './manager-status.ts';

/** A manager that does nothing but keep what it was asked. */
export interface FakeManager extends Manager {
  readonly calls: unknown[][];
  /** What every order is answered. */
  answer: Answer;
  records: readonly AuditRecord[];
}

/** A manager of a fleet without groups, with changes. */
export function fakeManager(change: Partial<Manager> = {}): FakeManager {
  const calls: unknown[][] = [];
  const answered = (name: string, ...args: unknown[]): Promise<Answer> => {
    calls.push([name, ...args]);
    return Promise.resolve(fake.answer);
  };
  const fake: FakeManager = {
    calls,
    answer: { ok: true, outcome: 'changed', text: 'it is done' },
    records: [],
    lock: () => Promise.reject(new Error('no administrator asks this')),
    unlock: () => Promise.reject(new Error('no administrator asks this')),
    takeBack: () => undefined,
    lockByHand: ({ group, id }, { by, reason }) => answered('lock', group, id, by, reason),
    unlockByHand: ({ group, id }, { force, by, reason }) => answered('unlock', group, id, force, by, reason),
    resize: (group, slots, { by, reason }) => answered('resize', group, slots, by, reason),
    freeze: (group, until, { by, reason }) => answered('freeze', group, until, by, reason),
    thaw: (group, { by, reason }) => answered('thaw', group, by, reason),
    status: () => Promise.resolve(fleet([])),
    history: (query) => {
      calls.push(['history', query]);
      return Promise.resolve(fake.records);
    },
    readiness: () => Promise.resolve(null),
    drain: () => Promise.resolve(),
    ...change,
  };
  return fake;
}

/** A folder for one test. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdpoint-manager-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
