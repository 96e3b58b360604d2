import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandLine } from '../../../src/cli/manager/shell.ts';
import { type Look, statusText } from '../../../src/cli/manager/status-text.ts';
import type { FleetStatus } from '../../../src/manager/api.ts';
import { refuse } from '../../../src/manager/answer.ts';
import { expectGolden } from '../../support/golden.ts';
import {
  AT,
  DAY,
  fleet,
  freeze,
  group,
  holder,
  HOUR,
  IDS,
  MINUTE,
  SECOND,
  waiter,
} from '../../support/manager-status.ts';

const PLAIN: Look = {
  command: (words, operands) => commandLine(['holdpoint', 'manager', ...words], operands),
  mark: (text) => text,
};

const [A, B, C] = IDS;
const crowd = Array.from({ length: 40 }, (_, index) =>
  waiter(`node-${String(index).padStart(2, '0')}`, (50 - index) * MINUTE),
);

const SITUATIONS: Readonly<Record<string, FleetStatus>> = {
  idle: fleet([group('default')]),
  'no-groups': fleet([]),
  'one-holds': fleet([group('default', { holders: [holder(A, 90 * SECOND)], waiters: [waiter(B, 5 * MINUTE)] })]),
  several: fleet(
    [
      group('control', { slots: 1, holders: [holder(C, 4 * MINUTE)] }),
      group('default'),
      group('workers', {
        slots: 3,
        holders: [holder(B, 3 * MINUTE), holder(A, 11 * MINUTE, { lastSeen: AT - 9 * MINUTE })],
        seen: 17,
      }),
    ],
    { store: { kind: 'etcd', warnings: [], oursOnly: ['soak', 'freeze'] } },
  ),
  soaking: fleet([
    group('workers', {
      slots: 2,
      holders: [
        holder(A, 20 * MINUTE, { soakUntil: AT + 8 * MINUTE, lastSeen: AT - 2 * MINUTE }),
        holder(B, 25 * MINUTE, { soakUntil: AT - SECOND, lastSeen: null }),
      ],
      waiters: [waiter(C, 12 * MINUTE, { connected: true })],
    }),
  ]),
  stale: fleet([
    group('workers', { slots: 2, holders: [holder(A, 10 * MINUTE), holder(B, 3 * DAY + 4 * HOUR, { stale: true })] }),
  ]),
  halted: fleet([
    group('workers', {
      slots: 5,
      halted: true,
      holders: ['e', 'd', 'c', 'b', 'a'].map((id, index) => holder(id, (2 + index) * HOUR, { stale: true })),
      waiters: [waiter('f', HOUR)],
    }),
  ]),
  frozen: fleet([
    group('default', { freeze: freeze({ until: AT + 4 * HOUR }) }),
    group('over', { freeze: freeze({ until: AT - MINUTE }) }),
    group('workers', { freeze: freeze({ reason: '' }), holders: [holder(A, MINUTE)] }),
  ]),
  'all-frozen': fleet([group('default'), group('workers', { freeze: freeze({ by: 'admin:bob' }) })], {
    freeze: freeze({ until: AT + 90 * SECOND }),
  }),
  closed: fleet([
    group('gated', { closed: refuse('blocked', 'the gate is closed: 2 results, the first {alertname="NodeDown"}') }),
    group('windows', {
      closed: refuse('outside_window', 'outside the windows of group windows until 2026-07-24T02:00:00Z', 12 * HOUR),
      waiters: [waiter(A, 40 * MINUTE)],
    }),
  ]),
  gates: fleet([
    group('current', { gate: { asked: AT - SECOND, refusal: null, current: true } }),
    group('new', { gate: { asked: null, refusal: null, current: false } }),
    group('open', { gate: { asked: AT - HOUR, refusal: null, current: false } }),
    group('shut', { gate: { asked: AT - DAY, refusal: 'the gate of the group is closed:\nno', current: false } }),
  ]),
  resized: fleet([
    group('all', { slots: 4, wanted: '25%', seen: 17 }),
    group('less', {
      slots: 1,
      wanted: '3',
      resized: true,
      holders: IDS.map((id, index) => holder(id, (index + 1) * MINUTE)),
    }),
    group('none', { slots: 0, wanted: '1', resized: true }),
    group('old', { slots: 1, wanted: '2' }),
  ]),
  unreadable: fleet([
    group('default', { holders: [holder(A, 5 * MINUTE)] }),
    group('workers', {
      problem: 'com.coreos.airlock/groups/workers/v1/semaphore: holders: an array was expected, a text was found',
    }),
  ]),
  crowded: fleet([group('default', { holders: [holder(A, 2 * MINUTE)], waiters: crowd, seen: 41 })]),
  forgotten: fleet([
    group('gone', { configured: false, wanted: '1', holders: [holder(A, 100 * DAY, { stale: true, lastSeen: null })] }),
  ]),
  warnings: fleet([group('default')], {
    store: {
      kind: 'etcd',
      warnings: ['etcd raises the alarm NOSPACE', 'etcd-2: no answer since 2026-07-23T13:00:00Z'],
      oursOnly: ['soak', 'order'],
    },
  }),
  everything: fleet(
    [
      group('workers', {
        slots: 2,
        wanted: '3',
        resized: true,
        halted: true,
        freeze: freeze(),
        closed: refuse('blocked', 'the gate did not answer within 5 s'),
        holders: [holder(A, 2 * HOUR, { stale: true }), holder(B, 3 * HOUR, { stale: true }), holder(C, MINUTE)],
        waiters: crowd.slice(0, 6),
        seen: 40,
      }),
    ],
    { freeze: freeze() },
  ),
  hostile: fleet(
    [
      group('default', {
        slots: 9,
        wanted: '\u001b[2J',
        holders: [
          holder('-rf', 2 * HOUR, { stale: true }),
          holder("it's; rm -rf /", 3 * HOUR, { stale: true }),
          holder('a\u001b[31m\n\u202eb1', 4 * HOUR, { stale: true }),
          holder('x'.repeat(300), MINUTE),
        ],
        freeze: freeze({ by: 'admin:\u0007', reason: 'one\ntwo' }),
      }),
    ],
    { store: { kind: 'embedded', warnings: ['a\r\nb'], oursOnly: [] } },
  ),
};

describe('a status for people', () => {
  test.each(Object.entries(SITUATIONS))('%s', (name, status) => {
    expectGolden(statusText(status, PLAIN), join(import.meta.dirname, `golden/${name}.txt`));
  });

  test('marks what is wrong where there are colours, and stays aligned', () => {
    const marked = statusText(SITUATIONS['everything']!, { ...PLAIN, mark: (text, as) => `<${as}>${text}</>` });
    expect(marked).toContain('<wrong>[HALTED]</> <wrong>[FROZEN]</> <wrong>[CLOSED]</> <wrong>[STALE]</>\n');
    expect(marked.replaceAll(/<\/?\w*>/g, '')).toBe(statusText(SITUATIONS['everything']!, PLAIN));
  });

  test('holds no control character and no line of another than ours, whatever is in it', () => {
    const text = (id: string, said: string): string => {
      const held = holder(id, HOUR, { stale: true });
      const closed = refuse('blocked', said);
      const groups = [
        group('g', { holders: [held], waiters: [waiter(id, HOUR)], freeze: freeze({ reason: `r${said}` }), closed }),
      ];
      return statusText(fleet([...groups, group('h', { problem: said })]), PLAIN);
    };
    const lines = text('id', 'said').split('\n').length;
    const unit = fc.constantFrom(..."ab \n\r\t\0\u001b\u0085\u2028\u2029\u202e\u2066é🦊'".match(/./gsu)!);
    const any = fc.string({ unit, maxLength: 12 });
    fc.assert(
      fc.property(any, any, (id, said) => {
        const shown = text(id, said);
        expect(shown.split('\n')).toHaveLength(lines);
        expect(shown).not.toMatch(/[^\P{Cc}\n]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });
});
