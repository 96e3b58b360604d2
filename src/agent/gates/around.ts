import type { HookEvent } from '../../hooks/event.ts';
import type { Hold } from '../../host/holds/hold.ts';
import type { BootHealth } from '../../host/systemd/health.ts';

/** Somebody who is logged in, as far as logind tells. */
export interface Person {
  /** Of the session. */
  readonly id: string;
  readonly uid: number;
  readonly user: string;
  /** Where, for people: `pts/0`, `seat0`, `pts/1 from 192.0.2.7`. */
  readonly where: string;
  /** The terminal that can be written to, or null. */
  readonly tty: string | null;
  /** Has not touched the session for as long as is configured: counts only where time was promised. */
  readonly idle: boolean;
}

/** What surrounds a reboot of this host, read at one moment. */
export interface Around {
  /** Milliseconds since boot. */
  readonly readAt: number;
  /** Who is logged in. Null: that cannot be read. */
  readonly people: readonly Person[] | null;
  /** Who blocks shutdowns by logind's inhibitors. Empty also where that cannot be read: rpm-ostree heeds them itself. */
  readonly blockers: readonly { readonly who: string; readonly why: string }[];
  readonly holds: readonly Hold[];
  readonly power: 'ac' | 'battery' | 'unknown';
  /** Whether the network counts what is transferred; null: nobody knows. */
  readonly metered: boolean | null;
  /** Whether the clock is synchronised; null: nobody knows. */
  readonly clockSynced: boolean | null;
  readonly boot: BootHealth;
  /** Events for which there are hooks. */
  readonly hooks: readonly HookEvent[];
  /** What could not be read or made sense of, for the log. */
  readonly problems: readonly string[];
}

/** What of the surroundings matters, as configured. */
export interface AroundRules {
  /** Null: who is logged in does not matter. */
  readonly people: {
    /** Milliseconds that people get before the reboot, once everything else allows it. */
    readonly graceMs: number;
    /** Milliseconds of the last notice, with the slot held. */
    readonly finalNoticeMs: number;
    /** Milliseconds for which a list that cannot be read counts as somebody. */
    readonly unreadableMs: number;
    /** Milliseconds by which people can postpone a reboot altogether; 0: they cannot. */
    readonly postponeMs: number;
  } | null;
  readonly inhibitors: boolean;
  readonly requireAc: boolean;
  readonly avoidMetered: boolean;
  /** Milliseconds since boot for which windows wait for a synchronised clock. */
  readonly clockWaitMs: number;
  /** Milliseconds since boot after which a boot that is not healthy is reported as such. */
  readonly healthMs: number;
  /** An unhealthy boot of an update goes back to the release before. */
  readonly rollback: boolean;
}

/** What the `may-reboot` hooks said last. */
export interface HookVerdict {
  /** Milliseconds since boot at which they were asked, and had answered. */
  readonly askedAt: number;
  readonly at: number;
  /** Null: they allow the reboot. Else why not, as a clause. */
  readonly refusal: string | null;
  /** Milliseconds since boot until which a refusal counts. */
  readonly until: number;
}

/** What the people of this host know of the reboot that is to come. */
export interface Courtesy {
  /** They were told that the time ends soon. */
  readonly lastCall: boolean;
  /** Milliseconds since boot at which the last notice ends; null: it was not given. */
  readonly noticeUntil: number | null;
  /** The last notice is of going back to the release before: nobody is asked whether it suits them. */
  readonly goesBack: boolean;
  /** Milliseconds since boot at which a session was last told, by its id. */
  readonly told: Readonly<Record<string, number>>;
  /** Milliseconds since boot since when nobody knows who is logged in; null: that is known. */
  readonly unreadableSince: number | null;
}

/** Nobody was told anything. */
export const NOBODY_TOLD: Courtesy = {
  lastCall: false,
  noticeUntil: null,
  goesBack: false,
  told: {},
  unreadableSince: null,
};
