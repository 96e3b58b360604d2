import type { Inhibitor, Session } from './api.ts';
import { describe } from './wire/interface.ts';
import type { Served } from './wire/objects.ts';

/** What the simulated logind shows, and does. */
export interface LogindHost {
  readonly inhibitors: readonly Inhibitor[];
  readonly sessions: readonly Session[];
  readonly goingDown: boolean;
  reboot(): void;
}

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
  signals: { PrepareForShutdown: 'b start', SessionNew: 's session_id, o object_path' },
  properties: { BlockInhibited: 's', DelayInhibited: 's', PreparingForShutdown: 'b' },
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
  },
});

/** The objects of logind, by path. */
export function logindObjects(host: LogindHost): ReadonlyMap<string, readonly Served[]> {
  const sessions = host.sessions.map((session) => [pathOf(session.id), [sessionObject(session)]] as const);
  return new Map<string, readonly Served[]>([[LOGIND_PATH, [manager(host)]], ...sessions]);
}

function manager(host: LogindHost): Served {
  const inhibited = (mode: Inhibitor['mode']): string =>
    [...new Set(host.inhibitors.filter((lock) => lock.mode === mode).flatMap(({ what }) => what.split(':')))].join(':');
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
      ListInhibitors: () => [host.inhibitors.map(({ what, who, why, mode }) => [what, who, why, mode, 0, 1])],
    },
    properties: () => ({
      BlockInhibited: inhibited('block'),
      DelayInhibited: inhibited('delay'),
      PreparingForShutdown: host.goingDown,
    }),
  };
}

function sessionObject(session: Session): Served {
  const { id, uid, user, tty, remote, type, state } = session;
  const seat = seatOf(tty);
  return {
    spec: SESSION,
    methods: {},
    properties: () => ({
      Id: id,
      User: [uid, `${LOGIND_PATH}/user/_${uid}`],
      Name: user,
      Seat: [seat, seat === '' ? '/' : `${LOGIND_PATH}/seat/${seat}`],
      TTY: tty,
      Remote: remote,
      RemoteHost: '',
      Service: remote ? 'sshd' : 'login',
      Leader: 1,
      Type: type,
      Class: session.class,
      Active: state === 'active',
      State: state,
      IdleHint: false,
    }),
  };
}

function seatOf(tty: string): string {
  return /^tty\d+$/.test(tty) ? 'seat0' : '';
}

/** The path of a session's object: every character that is no letter, and a digit at the beginning, is escaped. */
function pathOf(id: string): string {
  const escaped = id.replace(/^\d|[^A-Za-z0-9]/g, (char) => `_${char.charCodeAt(0).toString(16)}`);
  return `${LOGIND_PATH}/session/${escaped}`;
}
