import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  HOOK_EVENTS,
  type HookContext,
  formatOrder,
  hookEnvironment,
  instanceOf,
  kindOfName,
  parseInstance,
  parseOrder,
} from '../../src/hooks/event.ts';
import { oneLine } from '../../src/base/text.ts';
import { CONTEXT } from '../support/hooks.ts';

describe('names', () => {
  test.each([
    ['10-drain', 'hook'],
    ['Drain_node.sh', 'hook'],
    ['x'.repeat(128), 'hook'],
    ['x'.repeat(129), 'odd'],
    ['.hidden', 'nothing'],
    ['drain~', 'nothing'],
    ['drain.sh.rpmsave', 'nothing'],
    ['drain.sh.rpmnew', 'nothing'],
    ['two words', 'odd'],
    ['größe', 'odd'],
    ['a\nb', 'odd'],
    ['a:b', 'odd'],
    ['a/b', 'odd'],
    ['', 'odd'],
  ] as const)('%j is %s', (name, kind) => {
    expect(kindOfName(name)).toBe(kind);
  });
});

describe('instances', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,50}$/).filter((text) => kindOfName(text) === 'hook');

  test('lead back to the hook, in characters that need no escaping in the name of a unit', () => {
    fc.assert(
      fc.property(fc.constantFrom(...HOOK_EVENTS), name, (event, hook) => {
        const text = instanceOf({ event, name: hook });
        expect(text).toMatch(/^[A-Za-z0-9:_.-]+$/);
        expect(parseInstance(text)).toEqual({ event, name: hook });
      }),
    );
  });

  test.each([
    '',
    ':',
    'x',
    'pre-reboot',
    'pre-reboot:',
    ':x',
    'sideways:x',
    'pre-reboot:../x',
    'pre-reboot:.x',
    'pre-reboot:..',
    'pre-reboot:a/b',
    'pre-reboot:a b',
    'pre-reboot:a\n',
    'pre-reboot:a~',
    ' pre-reboot:a',
    '__proto__:a',
  ])('%j is none', (text) => {
    expect(parseInstance(text)).toBeNull();
  });

  test('whatever is taken for one names a file in the folder of its event', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...HOOK_EVENTS), (text, event) => {
        const found = parseInstance(`${event}:${text}`);
        expect(found === null || (found.event === event && !/[/\0\s]|^\./.test(found.name))).toBe(true);
      }),
    );
  });
});

const value = fc.option(fc.string({ maxLength: 400, unit: 'binary' }));
const context: fc.Arbitrary<HookContext> = fc.record({
  bootedVersion: value,
  targetVersion: value,
  nodeId: value,
  group: value,
  reason: value,
});

describe('the environment', () => {
  test('has every variable, in one line each, whatever the context', () => {
    fc.assert(
      fc.property(context, (given) => {
        const env = hookEnvironment('may-reboot', given);
        expect(Object.keys(env).sort()).toEqual(Object.keys(hookEnvironment('may-reboot', CONTEXT)).sort());
        for (const text of Object.values(env)) expect(oneLine(text)).toBe(text);
      }),
    );
  });
});

describe('orders', () => {
  test('are read as they were written', () => {
    const order = { dir: '/etc/holdpoint/hooks.d', timeoutMs: 300_000, context: { ...CONTEXT, group: null } };
    expect(parseOrder(formatOrder(order))).toEqual(order);
  });

  test('are read in one clean line each, whatever the agent has to say', () => {
    fc.assert(
      fc.property(context, (given) => {
        const order = parseOrder(formatOrder({ dir: '/d', timeoutMs: 1, context: given }));
        expect(order).not.toBeNull();
        expect(hookEnvironment('may-reboot', order!.context)).toEqual(hookEnvironment('may-reboot', given));
      }),
    );
  });

  test('what the agent would not write is refused', () => {
    const good = { dir: '/d', timeoutMs: 1, context: CONTEXT };
    const spoiled: readonly unknown[] = [
      null,
      [],
      'x',
      {},
      { ...good, dir: 1 },
      { ...good, dir: '' },
      { ...good, dir: 'hooks.d' },
      { ...good, dir: '/d\nMAINPID=1' },
      { ...good, dir: '/d\r<0>forged' },
      { ...good, dir: '/d\u0000' },
      { ...good, dir: '/d\u202e' },
      { ...good, dir: '/d ' },
      { ...good, dir: `/${'d'.repeat(4096)}` },
      { ...good, timeoutMs: 0 },
      { ...good, timeoutMs: 1.5 },
      { ...good, timeoutMs: 86_400_001 },
      { ...good, timeoutMs: '1' },
      { ...good, context: null },
      { ...good, context: {} },
      { ...good, context: { ...CONTEXT, group: 1 } },
      { ...good, context: { ...CONTEXT, reason: 'a\nLD_PRELOAD=/tmp/x' } },
      { ...good, context: { ...CONTEXT, reason: 'x'.repeat(301) } },
    ];
    for (const one of spoiled) expect(parseOrder(JSON.stringify(one)), JSON.stringify(one)).toBeNull();
    expect(parseOrder('')).toBeNull();
    expect(parseOrder('{')).toBeNull();
  });

  test('nothing but the documented variables comes out of one', () => {
    const extra = { dir: '/d', timeoutMs: 1, context: { ...CONTEXT, PATH: '/tmp', LD_PRELOAD: '/tmp/x' } };
    const order = parseOrder(JSON.stringify(extra));
    expect(order?.context).toEqual(CONTEXT);
  });

  test('any text is an order or none', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const order = parseOrder(text);
        expect(order === null || order.timeoutMs > 0).toBe(true);
      }),
    );
  });
});
