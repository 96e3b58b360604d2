import { expect, test } from 'vitest';
import { Notes } from '../../src/manager/notes.ts';
import { Sights } from '../../src/manager/sights.ts';
import { StoreError } from '../../src/manager/store/store.ts';

const NOW = 1_700_000_000_000;

/** Notes of two groups in which somebody was heard, and what came of them. */
function notesOf(write: (name: string) => Promise<void>): { notes: Notes; failures: string[]; sights: Sights } {
  const sights = new Sights(() => false);
  sights.heard('a', 'n1', NOW);
  sights.heard('b', 'n1', NOW);
  const failures: string[] = [];
  const store = { readNote: () => Promise.resolve(null), writeNote: write };
  const notes = new Notes({ store, sights, now: () => NOW, onFailure: ({ kind }) => failures.push(kind) });
  return { notes, failures, sights };
}

test('a note that is too large is no failure of the store, and keeps no other from being written', async () => {
  const written: string[] = [];
  const { notes, failures } = notesOf((name) => {
    if (name === 'seen/a') return Promise.reject(new StoreError('too-large', 'too large'));
    written.push(name);
    return Promise.resolve();
  });
  await notes.keep();
  expect([written, failures]).toEqual([['seen/b'], []]);
});

test('a store that is away is asked once, and not for each group', async () => {
  let asked = 0;
  const { notes, failures } = notesOf(() => {
    asked += 1;
    return Promise.reject(new StoreError('unavailable', 'away'));
  });
  await notes.keep();
  expect([asked, failures]).toEqual([1, ['unavailable']]);
});

test('what could not be written is written later', async () => {
  let isAway = true;
  const written: string[] = [];
  const { notes } = notesOf((name) => {
    if (isAway) return Promise.reject(new StoreError('unavailable', 'away'));
    written.push(name);
    return Promise.resolve();
  });
  await notes.keep();
  isAway = false;
  await notes.keep();
  expect(written).toEqual(['seen/a', 'seen/b']);
});

test('what is new is written once', async () => {
  const written: string[] = [];
  const { notes } = notesOf((name) => Promise.resolve(void written.push(name)));
  await Promise.all([notes.keep(), notes.keep()]);
  expect(written).toEqual(['seen/a', 'seen/b']);
});
