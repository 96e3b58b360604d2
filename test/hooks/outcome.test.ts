import { expect, test } from 'vitest';
import { firstLine, judgeEnd, type ProgramEnd } from '../../src/hooks/outcome.ts';

test.each<[ProgramEnd, string, ReturnType<typeof judgeEnd>]>([
  [{ kind: 'exited', status: 0 }, 'drained', { kind: 'passed' }],
  [{ kind: 'exited', status: 75 }, 'a backup runs', { kind: 'not-now', text: 'a backup runs' }],
  [{ kind: 'exited', status: 75 }, '', { kind: 'not-now', text: 'not now (it gave no reason)' }],
  [{ kind: 'exited', status: 1 }, '', { kind: 'failed', text: 'exit status 1' }],
  [{ kind: 'exited', status: 127 }, 'what?', { kind: 'failed', text: 'exit status 127: what?' }],
  [{ kind: 'killed', signal: 'SIGKILL' }, '', { kind: 'failed', text: 'killed by SIGKILL' }],
  [{ kind: 'timeout' }, '', { kind: 'failed', text: 'took longer than 5 min and was killed' }],
  [{ kind: 'timeout' }, 'waiting', { kind: 'failed', text: 'took longer than 5 min and was killed: waiting' }],
  [{ kind: 'called-off' }, '', { kind: 'failed', text: 'killed: it is no longer wanted' }],
  [{ kind: 'not-started', why: 'no' }, '', { kind: 'failed', text: 'cannot be started: no' }],
])('%j with %j', (end, said, expected) => {
  expect(judgeEnd(end, said, 300_000)).toEqual(expected);
});

test('the reason is the first line that says something, fit to be shown', () => {
  expect(firstLine('', '')).toBe('');
  expect(firstLine('\n \n two \nthree', 'x')).toBe('two');
  expect(firstLine('\u001b\n', 'x\u202ey')).toBe('x y');
});
