import type { Instant } from '../../base/clock.ts';
import type { AgentState, TroubleSource } from '../machine/state.ts';
import { wallOf } from './moment.ts';
import type { TroubleReport } from './report.ts';

interface Words {
  /** What does not work, as in "… does not work". */
  readonly what: string;
  /** What ends it. */
  readonly mends: string;
}

const AGAIN = 'it is tried again by itself';

/** What people are told of each trouble, the worst first. */
const WORDS: Readonly<Record<TroubleSource, Words>> = {
  memory: {
    what: 'writing the state file',
    mends:
      'make room, or /var/lib/holdpoint writable; until then nothing is fetched, finalized or asked of a lock manager',
  },
  health: {
    what: 'this boot is not healthy',
    mends: 'mend what failed (systemctl --failed); it goes on by itself then',
  },
  rollback: { what: 'going back to the release before', mends: 'by hand: rpm-ostree rollback' },
  reboot: {
    what: 'the reboot',
    mends: 'end what keeps the host up, or reboot it by hand: systemctl reboot',
  },
  finalize: { what: 'finalizing', mends: `${AGAIN}; see journalctl -u rpm-ostreed` },
  undo: {
    what: 'undoing what the pre-reboot hooks did',
    mends: `${AGAIN}; mend the reboot-cancelled hook (journalctl -u 'holdpoint-hook@*'), or undo it by hand`,
  },
  slot: {
    what: 'asking the lock manager',
    mends: `${AGAIN}; check that it runs, and updates.fleet_lock (address, token, certificate)`,
  },
  report: {
    what: 'reporting to the lock manager',
    mends: `${AGAIN}; check that it runs. If it is gone for good: "A lock server that is gone" in docs/operations.md`,
  },
  stage: { what: 'staging', mends: `${AGAIN}; see rpm-ostree status and journalctl -u rpm-ostreed` },
  discard: { what: 'removing a staged deployment', mends: `${AGAIN}; or by hand: rpm-ostree cleanup -p` },
  graph: {
    what: 'asking the update server',
    mends: `${AGAIN}; check the network, the proxy and cincinnati.base_url`,
  },
  host: { what: 'reading the deployments', mends: `${AGAIN}; see systemctl status rpm-ostreed` },
  around: { what: 'reading what surrounds a reboot', mends: `${AGAIN}; see systemctl status systemd-logind` },
};

/** What does not work at the moment, the worst first. */
export function troubleReports(state: AgentState, at: Instant): readonly TroubleReport[] {
  return (Object.keys(WORDS) as TroubleSource[]).flatMap((source) => {
    const trouble = state.troubles[source];
    if (trouble === undefined) return [];
    const { text, since, count, nextTry } = trouble;
    const mends = mendsOf(source, text, state);
    return [{ source, what: WORDS[source].what, mends, text, since: since.wall, count, nextTry: wallOf(nextTry, at) }];
  });
}

const DENIED =
  'install the rule of polkit, /usr/share/polkit-1/rules.d/50-holdpoint.rules, for the user of the agent; it is tried again by itself';

/** `text`: the last error. */
function mendsOf(source: TroubleSource, text: string, { memory }: AgentState): string {
  if (text.includes('denied by polkit')) return DENIED;
  const kept =
    source === 'undo' && memory.slot !== null ? `; the slot of group ${memory.slot.group} is kept until then` : '';
  return WORDS[source].mends + kept;
}
