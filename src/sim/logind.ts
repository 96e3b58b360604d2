import type { Inhibitor, Session } from './api.ts';
import type { FaultFolder } from './faults.ts';
import type { Incoming } from './wire/codec.ts';
import { WireError } from './wire/connection.ts';
import type { Sent } from './wire/connection.ts';
import { describe } from './wire/interface.ts';
import { propertiesChanged } from './wire/objects.ts';
import type { Disturbance, Served } from './wire/objects.ts';

/** What the simulated logind shows, and does. */
export interface LogindHost {
  readonly inhibitors: readonly Inhibitor[];
  readonly sessions: readonly Session[];
  readonly goingDown: boolean;
  reboot(): void;
  /** What is wrong with the answer to this method now. */
  trouble(method: string): LogindTrouble | null;
}

/** Does not answer, answers nonsense, refuses. */
export type LogindTrouble = 'silent' | 'nonsense' | 'denied';

/** Name, path and interface of logind's manager. */
export const LOGIND = 'org.freedesktop.login1';
export const LOGIND_PATH = '/org/freedesktop/login1';

/** The manager's interface, as far as an update agent meets it. */
export const LOGIND_MANAGER = describe(`${LOGIND}.Manager`, {
  methods: {
    Reboot: 'b interactive',
    CanReboot: '-> s result',
    GetSession: 's session_id -> o object_path',
    ListSessions: '-> a(susso) sessions',
    ListInhibitors: '-> a(ssssuu) inhibitors',
  },
  signals: {
    PrepareForShutdown: 'b start',
    SessionNew: 's session_id, o object_path',
    SessionRemoved: 's session_id, o object_path',
  },
  properties: {
    BlockInhibited: 's',
    BlockWeakInhibited: 's',
    DelayInhibited: 's',
    NCurrentInhibitors: 't',
    PreparingForShutdown: 'b',
  },
});

const SESSION = describe(`${LOGIND}.Session`, {
  properties: {
    Id: 's',
    User: '(uo)',
    Name: 's',
    Seat: '(so)',
    TTY: 's',
    Remote: 'b',
    RemoteHost: 's',
    Service: 's',
    Leader: 'u',
    Type: 's',
    Class: 's',
    Active: 'b',
    State: 's',
    IdleHint: 'b',
    IdleSinceHint: 't',
  },
});

/** The objects of logind, by path. */
export function logindObjects(host: LogindHost): ReadonlyMap<string, readonly Served[]> {
  const sessions = host.sessions.map((session) => [pathOf(session.id), [sessionObject(session)]] as const);
  return new Map<string, readonly Served[]>([[LOGIND_PATH, [manager(host)]], ...sessions]);
}

function manager(host: LogindHost): Served {
  return {
    spec: LOGIND_MANAGER,
    methods: {
      Reboot: () => {
        host.reboot();
        return [];
      },
      CanReboot: () => ['yes'],
      GetSession: ({ body: [id] }) => [pathOf(String(id))],
      ListSessions: () => [host.sessions.map(({ id, uid, user, tty }) => [id, uid, user, seatOf(tty), pathOf(id)])],
      ListInhibitors: () => [
        host.inhibitors.map(({ what, who, why, mode, uid = 0 }) => [what, who, why, mode, uid, 1]),
      ],
    },
    properties: () => ({
      ...inhibitorProperties(host.inhibitors),
      PreparingForShutdown: host.goingDown,
    }),
  };
}

function inhibitorProperties(inhibitors: readonly Inhibitor[]): Readonly<Record<string, unknown>> {
  const inhibited = (mode: Inhibitor['mode']): string =>
    [...new Set(inhibitors.filter((lock) => lock.mode === mode).flatMap(({ what }) => what.split(':')))].join(':');
  return {
    BlockInhibited: inhibited('block'),
    BlockWeakInhibited: inhibited('block-weak'),
    DelayInhibited: inhibited('delay'),
    NCurrentInhibitors: BigInt(inhibitors.length),
  };
}

function sessionObject(session: Session): Served {
  return { spec: SESSION, methods: {}, properties: () => sessionProperties(session) };
}

function sessionProperties(session: Session): Readonly<Record<string, unknown>> {
  const { id, uid, user, tty, remote, type, state, remoteHost = '', idleSince } = session;
  const seat = seatOf(tty);
  return {
    Id: id,
    User: [uid, `${LOGIND_PATH}/user/_${uid}`],
    Name: user,
    Seat: [seat, seat === '' ? '/' : `${LOGIND_PATH}/seat/${seat}`],
    TTY: tty,
    Remote: remote,
    RemoteHost: remoteHost,
    Service: remote ? 'sshd' : 'login',
    Leader: 1,
    Type: type,
    Class: session.class,
    Active: state === 'active',
    State: state,
    IdleHint: idleSince !== undefined,
    IdleSinceHint: BigInt(idleSince ?? 0) * 1000n,
  };
}

/** What logind sends when its inhibitors change; a lock that comes is told even where nothing new is inhibited. */
export function inhibitorSignals(before: readonly Inhibitor[], after: readonly Inhibitor[]): readonly Sent[] {
  const touched = [
    ...before.filter((lock) => !after.includes(lock)),
    ...after.filter((lock) => !before.includes(lock)),
  ];
  if (touched.length === 0) return [];
  const all = inhibitorProperties(after);
  const which = touched.map(({ mode }) => (mode === 'delay' ? 'DelayInhibited' : 'BlockInhibited'));
  return [propertiesChanged(LOGIND_PATH, LOGIND_MANAGER, picked(all, [...which, 'NCurrentInhibitors']))];
}

/** What logind sends when sessions begin, end and change. */
export function sessionSignals(before: readonly Session[], after: readonly Session[]): readonly Sent[] {
  const missing = (list: readonly Session[], other: readonly Session[]): readonly Session[] =>
    list.filter(({ id }) => !other.some((one) => one.id === id));
  return [
    ...missing(after, before).map((session) => presence('SessionNew', session)),
    ...after.flatMap((session) => changes(before, session)),
    ...missing(before, after).map((session) => presence('SessionRemoved', session)),
  ];
}

function presence(member: string, { id }: Session): Sent {
  return { path: LOGIND_PATH, interface: LOGIND_MANAGER.name, member, signature: 'so', body: [id, pathOf(id)] };
}

function changes(before: readonly Session[], session: Session): readonly Sent[] {
  const was = before.find(({ id }) => id === session.id);
  if (was === undefined) return [];
  const [old, now] = [sessionProperties(was), sessionProperties(session)];
  const different = toldOf(session).filter((key) => old[key] !== now[key]);
  return different.length === 0 ? [] : [propertiesChanged(pathOf(session.id), SESSION, picked(now, different))];
}

/** What logind tells of: a desktop's hint is told to it, a terminal's it works out when asked; nobody is told of a logout. */
function toldOf({ type, state }: Session): readonly string[] {
  const told = ['TTY', 'Type', 'Class'];
  if (state !== 'closing') told.push('Active', 'State');
  if (type === 'wayland' || type === 'x11') told.push('IdleHint', 'IdleSinceHint');
  return told;
}

function picked(values: Readonly<Record<string, unknown>>, keys: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(keys.map((key) => [key, values[key]]));
}

/** The fault that acts on a call of this method. */
export function logindTrouble(faults: FaultFolder, method: string): LogindTrouble | null {
  const acts = ({ methods }: { readonly methods: readonly string[] }): boolean => methods.includes(method);
  if (faults.take('logindSilent', acts) !== null) return 'silent';
  if (faults.take('logindNonsense', acts) !== null) return 'nonsense';
  return faults.take('logindDenied', acts) === null ? null : 'denied';
}

/** What happens to a call for logind in place of an answer; unlike others on this bus, it has an error for unknown objects. */
export function disturbLogind(host: LogindHost, { path = '', member = '' }: Incoming): Disturbance | null {
  if (path !== LOGIND_PATH && !path.startsWith(`${LOGIND_PATH}/`)) return null;
  const error = (name: string, text: string): Disturbance => {
    return { kind: 'error', error: new WireError(`org.freedesktop.DBus.Error.${name}`, text) };
  };
  switch (host.trouble(member)) {
    case 'silent':
      return { kind: 'silence' };
    case 'nonsense':
      return { kind: 'answer', signature: 's', body: ['nonsense'] };
    case 'denied':
      return error('AccessDenied', 'Access denied');
    case null:
      return logindObjects(host).has(path) ? null : error('UnknownObject', `Unknown object '${path}'.`);
  }
}

function seatOf(tty: string): string {
  return /^tty\d+$/.test(tty) ? 'seat0' : '';
}

/** The path of a session's object: every character that is no letter, and a digit at the beginning, is escaped. */
function pathOf(id: string): string {
  const escaped = id.replace(/^\d|[^A-Za-z0-9]/g, (char) => `_${char.charCodeAt(0).toString(16)}`);
  return `${LOGIND_PATH}/session/${escaped}`;
}
