import { expect, test } from 'vitest';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findHooks } from '../../src/hooks/find.ts';
import { runHooks } from '../../src/hooks/run.ts';
import { CONTEXT, folder, temporary, writeHook } from '../support/hooks.ts';

/** A folder with so many hooks for one event. */
function withHooks(count: number): string {
  const dir = folder(join(temporary(), 'hooks.d'));
  for (let index = 0; index < count; index += 1) writeHook(dir, 'may-reboot', `${100 + index}-check`, 'exit 0');
  return dir;
}

test.each([
  [64, 64, null],
  [65, 64, { hook: 'may-reboot', text: 'more than 64 hooks are in the folder' }],
  [200, 64, { hook: 'may-reboot', text: 'more than 64 hooks are in the folder' }],
])('of %s hooks %s are found', (count, found, problem) => {
  const { names, ...rest } = findHooks(withHooks(count), 'may-reboot');
  expect([names.length, names[0], rest]).toEqual([found, '100-check', { problem }]);
});

test('where there are too many, none is run, and the event has failed', async () => {
  const ran: string[] = [];
  const outcome = await runHooks({
    ...{ dir: withHooks(65), event: 'may-reboot', context: CONTEXT, timeoutMs: 1000 },
    signal: new AbortController().signal,
    runner: {
      prepare: () =>
        Promise.resolve((name: string) => {
          ran.push(name);
          return Promise.resolve({ kind: 'passed' } as const);
        }),
    },
  });
  expect([outcome, ran]).toEqual([expect.objectContaining({ kind: 'failed' }), []]);
});

test('a folder that is none has no hooks, and one that cannot be read has a problem', () => {
  const dir = folder(join(temporary(), 'hooks.d'));
  writeFileSync(join(dir, 'pre-stage'), 'no folder');
  symlinkSync('pre-reboot', join(dir, 'pre-reboot'));
  expect(findHooks(dir, 'pre-stage')).toEqual({ names: [], problem: null });
  expect(findHooks(dir, 'pre-reboot')).toEqual({
    names: [],
    problem: { hook: 'pre-reboot', text: expect.stringMatching(/^the folder cannot be read: ELOOP/) as unknown },
  });
});
