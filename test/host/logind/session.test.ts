import { describe, expect, test } from 'vitest';
import { Variant } from '../../../src/bus/api.ts';
import { parseSession, parseSessionList } from '../../../src/host/logind/session.ts';

const LISTED = { id: '3', uid: 1000, user: 'core', path: '/org/freedesktop/login1/session/_33' };

function properties(changes: Readonly<Record<string, Variant | undefined>> = {}): Record<string, Variant> {
  const all = {
    TTY: new Variant('s', 'pts/0'),
    Remote: new Variant('b', true),
    RemoteHost: new Variant('s', '192.0.2.7'),
    Type: new Variant('s', 'tty'),
    Class: new Variant('s', 'user'),
    State: new Variant('s', 'active'),
    IdleHint: new Variant('b', false),
    IdleSinceHint: new Variant('t', 0n),
    ...changes,
  };
  return Object.fromEntries(
    Object.entries<Variant | undefined>(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

describe('the list of sessions', () => {
  test('is read entry by entry', () => {
    expect(parseSessionList([['3', 1000, 'core', '', LISTED.path]])).toEqual([LISTED]);
    expect(parseSessionList([])).toEqual([]);
  });

  test('tells names in one line', () => {
    expect(parseSessionList([['3\n4', 0, 'ro\u001b[2Jot', '', '/p']])).toMatchObject([{ id: '3 4', user: 'ro [2Jot' }]);
    expect(parseSessionList([['3', 0, 'x'.repeat(1000), '', '/p']])[0]?.user).toHaveLength(64);
  });

  test.each([
    ['no list', 'nonsense'],
    ['an entry that is none', ['nonsense']],
    ['an entry too short', [['3', 1000, 'core']]],
    ['an id that is a number', [[3, 1000, 'core', '', '/p']]],
    ['a uid that is a text', [['3', '1000', 'core', '', '/p']]],
    ['a uid that is none', [['3', -1, 'core', '', '/p']]],
  ])('is refused whole with %s', (_name, value) => {
    expect(() => parseSessionList(value)).toThrow(/^the list of sessions/);
  });
});

describe('a session', () => {
  test('is what logind tells', () => {
    expect(parseSession(LISTED, properties())).toEqual({
      id: '3',
      uid: 1000,
      user: 'core',
      tty: 'pts/0',
      kind: 'terminal',
      remote: true,
      remoteHost: '192.0.2.7',
      class: 'user',
      state: 'active',
      idleSince: null,
    });
  });

  test.each(['Class', 'Type', 'State'])('without its %s is not understood', (key) => {
    expect(() => parseSession(LISTED, properties({ [key]: undefined }))).toThrow('class, type or state');
    expect(() => parseSession(LISTED, properties({ [key]: new Variant('u', 1) }))).toThrow('class, type or state');
  });

  test('without properties is not understood', () => {
    expect(() => parseSession(LISTED, undefined)).toThrow('class, type or state');
  });

  test('whose other properties are odd is there all the same', () => {
    const odd = new Variant('as', ['?']);
    const changes = { TTY: odd, Remote: odd, RemoteHost: odd, IdleHint: odd, IdleSinceHint: odd };
    const unknown = { tty: null, remote: false, remoteHost: null, idleSince: null };
    expect(parseSession(LISTED, properties(changes))).toMatchObject(unknown);
  });

  test.each([
    ['tty', 'pts/0', 'terminal', 'pts/0'],
    ['tty', '', 'terminal', null],
    ['tty', '/dev/tty1', 'terminal', 'tty1'],
    ['x11', 'tty2', 'graphical', 'tty2'],
    ['wayland', '', 'graphical', null],
    ['mir', '', 'graphical', null],
    ['unspecified', 'tty1', 'terminal', 'tty1'],
    ['unspecified', '', 'other', null],
    ['web', '', 'other', null],
  ])('of type %s at "%s" is %s', (type, tty, kind, shown) => {
    const changes = { Type: new Variant('s', type), TTY: new Variant('s', tty) };
    expect(parseSession(LISTED, properties(changes))).toMatchObject({ kind, tty: shown });
  });

  test.each([
    // logind tells microseconds; of a terminal the time of the last input, hint or not.
    ['tty', false, 1_700_000_000_123_999n, 1_700_000_000_123],
    ['tty', true, 1_700_000_000_123_999n, 1_700_000_000_123],
    ['tty', true, 0n, null],
    // Of a desktop the time when the hint changed.
    ['wayland', true, 1_700_000_000_000_000n, 1_700_000_000_000],
    ['wayland', false, 1_700_000_000_000_000n, null],
    ['wayland', true, 0n, null],
  ])('of type %s with hint %s since %s µs is idle since %s', (type, hint, micros, idleSince) => {
    const changes = {
      Type: new Variant('s', type),
      IdleHint: new Variant('b', hint),
      IdleSinceHint: new Variant('t', micros),
    };
    expect(parseSession(LISTED, properties(changes)).idleSince).toBe(idleSince);
  });

  test('tells a host of many lines in one', () => {
    const changes = { RemoteHost: new Variant('s', 'evil\r\n\u202Ehost') };
    expect(parseSession(LISTED, properties(changes)).remoteHost).toBe('evil host');
  });
});
