import { duration } from '../../base/text.ts';
import { type ClosedGate, type GateName, type GateVerdict } from '../gates/gate.ts';
import type { AgentState } from '../machine/state.ts';

/** How people are told of a gate. */
interface Words {
  /** What goes before the reason of a closed one where that follows "because". */
  readonly because?: string;
  /** What opens it: a clause that follows "when". */
  readonly opens: string;
  /** What helps: a command to look with, or a key to change; null: nothing. */
  readonly how: string | null;
  /** Why it is open. */
  readonly open: (state: AgentState) => string;
}

/** The words for each gate, in its order. */
export const GATE_WORDS: Readonly<Record<GateName, Words>> = {
  enabled: {
    opens: 'updates.enabled is true',
    how: 'updates.enabled = true in the configuration, and then: systemctl reload holdpoint-agent',
    open: () => 'updates are enabled',
  },
  health: {
    opens: 'this boot is healthy',
    how: 'what failed: systemctl --failed, journalctl -b -p err',
    open: ({ settings }) => (settings.around === null ? 'nobody asks for it' : 'this boot is healthy'),
  },
  freeze: {
    because: 'there are to be ',
    opens: 'these dates are over',
    how: 'the dates that are kept free: updates.freeze in the configuration',
    open: ({ settings }) =>
      settings.freezes === null ? 'no dates are kept free of reboots' : 'no date that is kept free',
  },
  pause: {
    because: 'updates are ',
    opens: 'the pause is over',
    how: 'to end the pause: holdpoint resume',
    open: () => 'nobody has paused it',
  },
  clock: {
    opens: 'the clock is synchronised, or was waited for long enough',
    how: 'why the clock is not synchronised: timedatectl',
    open: ({ settings, around }) =>
      settings.schedule === null && settings.freezes === null
        ? 'no windows or dates depend on it'
        : around?.clockSynced === true
          ? 'the clock is synchronised'
          : 'it was waited for long enough',
  },
  window: {
    because: 'it is ',
    opens: 'a window opens',
    how: 'the coming windows: holdpoint windows',
    open: ({ settings }) =>
      settings.schedule === null ? 'updates.strategy asks for no window: at any time' : 'a window is open',
  },
  uptime: {
    opens: 'it is up for long enough',
    how: null,
    open: ({ settings }) =>
      settings.minUptimeMs === 0 ? 'no uptime is asked for' : `up for more than ${duration(settings.minUptimeMs)}`,
  },
  postponed: {
    because: 'the reboot was ',
    opens: 'that time is over',
    how: null,
    open: () => 'nobody has postponed it',
  },
  inhibitors: {
    opens: 'the inhibitor lock is gone',
    how: 'who blocks shutdowns, and with which process: systemd-inhibit --list',
    open: ({ settings }) => (settings.around?.inhibitors === true ? 'nobody blocks shutdowns' : 'nobody asks for it'),
  },
  holds: {
    because: 'it is ',
    opens: 'the marker is removed, or its time is over',
    how: 'the markers, which whoever left them removes: ls /run/holdpoint/holds.d',
    open: () => 'no marker is set',
  },
  power: {
    opens: 'it has AC power',
    how: 'AC power; or, if it may reboot on battery: updates.power.require_ac = false in the configuration',
    open: ({ settings, around }) =>
      settings.around?.requireAc !== true
        ? 'AC power is not required'
        : around?.power === 'ac'
          ? 'it has AC power'
          : 'nobody knows of a battery',
  },
  people: {
    opens: 'they have left, or had their time',
    how: 'who is logged in: loginctl list-sessions',
    open: (state) => peopleOpen(state),
  },
  hooks: {
    because: 'it is refused by the ',
    opens: 'the hook allows it',
    how: "what the hooks say: journalctl -u 'holdpoint-hook@*'",
    open: ({ around, hooks }) =>
      around?.hooks.includes('may-reboot') !== true
        ? 'there are no may-reboot hooks'
        : hooks === null
          ? 'they were not asked yet'
          : 'they allowed it',
  },
  report: {
    opens: 'the lock manager has answered',
    how: 'whether the lock manager runs, and takes this host: updates.fleet_lock in the configuration',
    open: ({ settings }) =>
      settings.lock === null ? 'nobody waits for a report' : 'the lock manager knows that this host is steady',
  },
  refusal: {
    opens: 'the next try succeeds',
    how: null,
    open: () => 'nothing was refused',
  },
};

/** What opens a closed gate as it is: a clause that follows "when". */
export function opensOf({ gate, opensAt, lookAgain }: GateVerdict & ClosedGate, { around }: AgentState): string {
  if (gate === 'window' && opensAt === undefined) return 'updates.periodic.window has one';
  if (gate === 'people' && around?.people === null) return 'logind can be read, or was waited for long enough';
  if (gate === 'holds' && opensAt === undefined && lookAgain === null) return 'the marker is removed';
  return GATE_WORDS[gate].opens;
}

/** What helps with a closed gate as it is; null: nothing. */
export function howOf(gate: GateName, { around, phase }: AgentState): string | null {
  if (gate === 'people' && around?.people === null) {
    return 'why logind does not answer: systemctl status systemd-logind; how long it is waited for: updates.sessions.unreadable_secs';
  }
  const by = gate === 'refusal' && phase.name === 'holding' ? phase.refusal?.by : undefined;
  if (by === 'administrator') return 'to reboot all the same: holdpoint update --now';
  return by === 'hook' ? GATE_WORDS.hooks.how : GATE_WORDS[gate].how;
}

/** How it is told that an administrator has called a reboot off. */
const CANCELLED = /^cancelled by (.*)$/;

/** Who has called the reboot off, by the reason of the gate `refusal`; null: nobody has. */
export function cancelledBy(reason: string): string | null {
  return CANCELLED.exec(reason)?.[1] ?? null;
}

function peopleOpen({ settings, around }: AgentState): string {
  if (settings.around?.people === undefined || settings.around.people === null) return 'nobody asks who is logged in';
  if (around?.people === null) return 'nobody can tell who is logged in, for long enough';
  return around?.people.length === 0 ? 'nobody is logged in' : 'who is logged in has had time';
}

const GETS = /; they get (.*) once everything else allows the reboot$/;
const GIVEN = /; they are given time to finish$/;

/** The reason of a closed gate as it follows "because": no second half after a semicolon. */
export function because(gate: string, reason: string): string {
  const words: Partial<Record<string, Words>> = GATE_WORDS;
  const said = reason
    .replace(GETS, ' (to be given $1)')
    .replace(GIVEN, ' (given time to finish)')
    .replace(/^this host /, 'it ')
    .replace(/^no decision /, 'there is $&')
    .replace(/^waits for a slot /, 'it $&');
  const who = gate === 'refusal' ? cancelledBy(reason) : null;
  if (who !== null) return `${who} has cancelled it`;
  // A question, or a second half, in the middle of a sentence.
  return gate === 'refusal'
    ? `the last try came to nothing (${said})`
    : `${said.startsWith('there is ') ? '' : (words[gate]?.because ?? '')}${said}`;
}
