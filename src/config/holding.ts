import type { Freeze } from './freeze.ts';
import type { HOLDING_KEYS } from './keys-holding.ts';
import type { ValueReader } from './merge.ts';

/** People who are logged in. */
export interface SessionsConfig {
  readonly enabled: boolean;
  /** Classes of logind sessions that count; possibly none. */
  readonly classes: readonly string[];
  /** Seconds after which an idle session does not count, 0..604800; 0: idle ones count too. */
  readonly idleSecs: number;
  /** Seconds, 0..86400. */
  readonly graceSecs: number;
  /** Seconds, 0..3600. */
  readonly finalNoticeSecs: number;
  /** Seconds for which an unreadable list is somebody, 0..86400. */
  readonly unreadableSecs: number;
  /** Seconds that people may postpone in total, 0..604800; 0: not at all. */
  readonly postponeSecs: number;
}

/** Milliseconds that people get before a reboot: the grace, and the last notice. */
export function graceMs({ graceSecs, finalNoticeSecs }: SessionsConfig): number {
  return (graceSecs + finalNoticeSecs) * 1000;
}

/** What keeps a staged update back, beside strategies; part of `updates`. */
export interface HoldingConfig {
  /** Seconds, 0..604800. */
  readonly minUptimeSecs: number;
  /** Seconds, 0..86400. */
  readonly clockWaitSecs: number;
  /** Their time zones are known to this Node. */
  readonly freezes: readonly Freeze[];
  readonly sessions: SessionsConfig;
  readonly inhibitors: { readonly enabled: boolean };
  readonly power: { readonly requireAc: boolean };
  readonly network: { readonly avoidMetered: boolean };
}

/** Executables that have a say, or something to do. */
export interface HooksConfig {
  /** An absolute path; the folder need not exist. */
  readonly dir: string;
  /** Seconds, 1..86400. */
  readonly timeoutSecs: number;
  /** Seconds, 1..600. */
  readonly mayRebootTimeoutSecs: number;
}

/** When a boot is a healthy one, and what becomes of another. */
export interface HealthConfig {
  /** The full name of a target or service of systemd. */
  readonly unit: string;
  /** Seconds, 1..86400. */
  readonly timeoutSecs: number;
  readonly rollback: boolean;
}

type Reader = ValueReader<typeof HOLDING_KEYS>;

/** That part of `updates`. */
export function toHolding(get: Reader): HoldingConfig {
  return {
    minUptimeSecs: get('updates.min_uptime_secs'),
    clockWaitSecs: get('updates.clock_wait_secs'),
    freezes: get('updates.freeze'),
    sessions: {
      enabled: get('updates.sessions.enabled'),
      classes: get('updates.sessions.classes'),
      idleSecs: get('updates.sessions.idle_secs'),
      graceSecs: get('updates.sessions.grace_secs'),
      finalNoticeSecs: get('updates.sessions.final_notice_secs'),
      unreadableSecs: get('updates.sessions.unreadable_secs'),
      postponeSecs: get('updates.sessions.postpone_secs'),
    },
    inhibitors: { enabled: get('updates.inhibitors.enabled') },
    power: { requireAc: get('updates.power.require_ac') },
    network: { avoidMetered: get('updates.network.avoid_metered') },
  };
}

/** The tables `hooks` and `health`. */
export function toHooksAndHealth(get: Reader): { readonly hooks: HooksConfig; readonly health: HealthConfig } {
  return {
    hooks: {
      dir: get('hooks.dir'),
      timeoutSecs: get('hooks.timeout_secs'),
      mayRebootTimeoutSecs: get('hooks.may_reboot_timeout_secs'),
    },
    health: { unit: get('health.unit'), timeoutSecs: get('health.timeout_secs'), rollback: get('health.rollback') },
  };
}
