import { describe, expect, test } from 'vitest';
import { agentInterface } from '../../../src/agent/dbus/interface.ts';
import type { AgentView } from '../../../src/agent/dbus/view.ts';
import type { Order, OrderAnswer } from '../../../src/agent/machine/orders.ts';
import { BusError } from '../../../src/bus/api.ts';
import type { Authorization, AuthorizationQuestion } from '../../../src/host/polkit/authority.ts';
import { BOOT_WALL, instant, person } from '../../support/agent-builders.ts';
import { arrived } from '../../support/agent-surrounded.ts';

const NOW = BOOT_WALL / 1000;
const ANN = person('1', 'ann');

/** An agent that notes what it is ordered, and a polkit that answers as told and notes what it is asked. */
class Noted {
  readonly orders: (readonly [Order, string])[] = [];
  readonly explained: (number | null)[] = [];
  readonly questions: AuthorizationQuestion[] = [];
  /** Aborted: the caller has left. */
  readonly gone = new AbortController();
  polkit: Authorization | Promise<Authorization> = { kind: 'yes' };
  answer: OrderAnswer = { outcome: 'done', text: 'it is so' };
  readonly #driver = arrived({ people: [ANN] }).driver;
  readonly #methods = agentInterface(this.#view(), (question) => {
    this.questions.push(question);
    return Promise.resolve(this.polkit);
  }).methods!;

  /** Calls a method as somebody; root when no number is given. */
  async call(
    member: string,
    args: readonly unknown[],
    uid: number | (() => Promise<number>) = 0,
    interactive = false,
  ): Promise<unknown> {
    const { handle } = this.#methods[member]!;
    try {
      return await handle({
        args,
        sender: ':1.9',
        interactive,
        uid: typeof uid === 'number' ? () => Promise.resolve(uid) : uid,
        gone: this.gone.signal,
      });
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      return `${error.errorName.replace('org.freedesktop.DBus.Error.', '')}: ${error.message}`;
    }
  }

  #view(): AgentView {
    return {
      clock: () => instant(0),
      state: () => this.#driver.state,
      line: () => '',
      postpone: () => ({ until: null, text: '' }),
      order: (order, by) => {
        this.orders.push([order, by]);
        return this.answer;
      },
      explain: (at) => {
        this.explained.push(at);
        return Promise.resolve('{}');
      },
    };
  }
}

const GOOD: readonly (readonly [string, readonly unknown[], Order, string])[] = [
  ['CheckNow', [], { kind: 'checkNow' }, 'check'],
  ['UpdateNow', [3600n], { kind: 'updateNow', forMs: 3_600_000 }, 'update'],
  ['UpdateNow', [1n], { kind: 'updateNow', forMs: 1000 }, 'update'],
  ['Cancel', [], { kind: 'cancel' }, 'cancel'],
  ['Pause', [-1n, 'backup'], { kind: 'pause', until: null, reason: 'backup' }, 'pause'],
  ['Pause', [BigInt(NOW + 1), ''], { kind: 'pause', until: BOOT_WALL + 1000, reason: '' }, 'pause'],
  ['Pause', [-1n, 'a\nb\u001b[2J'], { kind: 'pause', until: null, reason: 'a b [2J' }, 'pause'],
  ['Resume', [], { kind: 'resume' }, 'pause'],
  ['Skip', ['44.20260707.3.1'], { kind: 'skip', version: '44.20260707.3.1' }, 'skip'],
  ['Unskip', ['1:2.3~rc1+x-y_z^a'], { kind: 'unskip', version: '1:2.3~rc1+x-y_z^a' }, 'skip'],
];

describe('an order', () => {
  test.each(GOOD)('%s(%o) of root is given without asking anybody', async (member, args, order) => {
    const noted = new Noted();
    expect(await noted.call(member, args)).toEqual(['done', 'it is so']);
    expect([noted.orders, noted.questions]).toEqual([[[order, 'root']], []]);
  });

  test.each(GOOD)('%s(%o) of others is asked of polkit', async (member, args, order, action) => {
    const noted = new Noted();
    expect(await noted.call(member, args, 4711)).toEqual(['done', 'it is so']);
    const question = {
      sender: ':1.9',
      action: `io.github.holdpoint.Agent1.${action}`,
      interactive: false,
      gone: noted.gone.signal,
    };
    expect([noted.orders, noted.questions]).toEqual([[[order, 'user 4711']], [question]]);
  });

  test.each([1, 999])('of the account of a service (user number %i) is asked of polkit as well', async (uid) => {
    const noted = new Noted();
    await noted.call('Resume', [], uid);
    expect([noted.questions.length, noted.orders]).toEqual([1, [[{ kind: 'resume' }, `user ${uid}`]]]);
  });

  test('names who gives it, where that is known', async () => {
    const noted = new Noted();
    await noted.call('Resume', [], ANN.uid);
    expect(noted.orders).toEqual([[{ kind: 'resume' }, 'ann']]);
  });

  test('passes on that somebody may be asked for a password', async () => {
    const noted = new Noted();
    await noted.call('Resume', [], 4711, true);
    expect(noted.questions[0]?.interactive).toBe(true);
  });

  test.each(['nothing', 'refused'] as const)('may come to "%s"', async (outcome) => {
    const noted = new Noted();
    noted.answer = { outcome, text: 'why' };
    expect(await noted.call('Resume', [])).toEqual([outcome, 'why']);
  });
});

describe('an order is not given', () => {
  const refusals: readonly (readonly [Authorization, string])[] = [
    [
      { kind: 'no', text: 'for a reason' },
      'AccessDenied: only root and those whom polkit lets (io.github.holdpoint.Agent1.pause) may do this: for a reason',
    ],
    [
      { kind: 'unknown', text: 'polkit is not there' },
      'AccessDenied: only root may do this, since nobody knows who else: polkit is not there',
    ],
    [
      { kind: 'challenge' },
      'InteractiveAuthorizationRequired: an administrator must confirm this with a password, or root do it (sudo)',
    ],
  ];
  test.each(refusals)('where polkit says %o', async (polkit, expected) => {
    const noted = new Noted();
    noted.polkit = polkit;
    expect(await noted.call('Resume', [], ANN.uid)).toBe(expected);
    expect(noted.orders).toEqual([]);
  });

  const wrong: readonly (readonly [string, readonly unknown[], string])[] = [
    ['UpdateNow', [0n], 'seconds: expected 1 to 604800, found 0'],
    ['UpdateNow', [604_801n], 'seconds: expected 1 to 604800, found 604801'],
    ['Pause', [0n, ''], 'until: expected seconds since 1970 that are still to come, or -1, found 0'],
    ['Pause', [-2n, ''], 'until: expected seconds since 1970 that are still to come, or -1, found -2'],
    ['Pause', [BigInt(NOW), ''], `until: expected seconds since 1970 that are still to come, or -1, found ${NOW}`],
    [
      'Pause',
      [2n ** 63n - 1n, ''],
      'until: expected seconds since 1970 that are still to come, or -1, found 9223372036854775807',
    ],
    ['Skip', [''], 'version: expected the version of a release, found '],
    ['Skip', ['a b'], 'version: expected the version of a release, found a b'],
    ['Skip', ['x'.repeat(129)], `version: expected the version of a release, found ${'x'.repeat(79)}…`],
    ['Unskip', ['44\n'], 'version: expected the version of a release, found 44'],
  ];
  test.each(wrong)('%s(%o) is nonsense, whoever asks', async (member, args, text) => {
    const noted = new Noted();
    for (const uid of [0, 4711]) expect(await noted.call(member, args, uid)).toBe(`InvalidArgs: ${text}`);
    expect([noted.orders, noted.questions]).toEqual([[], []]);
  });

  test('when the caller has gone', async () => {
    const noted = new Noted();
    await expect(noted.call('Cancel', [], () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
    expect(noted.orders).toEqual([]);
  });

  test('when the caller has left before polkit allows it', async () => {
    const noted = new Noted();
    noted.gone.abort();
    expect(await noted.call('Cancel', [], 4711)).toBe('AccessDenied: whoever wanted this has left the bus');
    expect(noted.orders).toEqual([]);
  });

  test('while polkit is asked about the same user too often, which keeps no other from it', async () => {
    const noted = new Noted();
    let answer: (answer: Authorization) => void = () => undefined;
    noted.polkit = new Promise((resolve) => (answer = resolve));
    const open = Array.from({ length: 4 }, () => noted.call('Resume', [], 4711, true));
    const much =
      'LimitsExceeded: polkit is being asked about you too often at once: wait for the answers, or leave them';
    expect(await noted.call('Pause', [-1n, ''], 4711, true)).toBe(much);
    open.push(...Array.from({ length: 4 }, () => noted.call('Skip', ['1'], 4711)));
    expect(await noted.call('CheckNow', [], 4711)).toBe(much);
    open.push(noted.call('Resume', [], ANN.uid, true));
    expect(await noted.call('Resume', [])).toEqual(['done', 'it is so']);
    answer({ kind: 'yes' });
    expect(await Promise.all(open)).toEqual(open.map(() => ['done', 'it is so']));
    expect(await noted.call('Pause', [-1n, ''], 4711, true)).toEqual(['done', 'it is so']);
  });
});

describe('Explain', () => {
  test.each([
    [0n, null],
    [BigInt(NOW), BOOT_WALL],
  ])('of %s is for everybody', async (at, expected) => {
    const noted = new Noted();
    expect(await noted.call('Explain', [at], 4711)).toEqual(['{}']);
    expect([noted.explained, noted.questions]).toEqual([[expected], []]);
  });

  test.each([-1n, 253_402_300_800n])('of %s is nonsense', async (at) => {
    expect(await new Noted().call('Explain', [at])).toBe(
      `InvalidArgs: at: expected seconds since 1970, or 0, found ${at}`,
    );
  });
});
