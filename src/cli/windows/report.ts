/** A part of the time that a freeze takes away. Milliseconds since 1970; `to` may be infinite. */
export interface Frozen {
  readonly from: number;
  readonly to: number;
  readonly reason: string;
  /** `FILE:LINE`; null where that is not clear. */
  readonly origin: string | null;
}

/** A time in which windows let this host reboot. Milliseconds since 1970. */
export interface WindowReport {
  /** `-Infinity`: it is open since more than a week. */
  readonly from: number;
  /** `Infinity`: it is open for a month at the least. */
  readonly to: number;
  /** IANA name of the zone on whose clocks it stands; the first one's where several windows overlap. */
  readonly zone: string;
  readonly open: boolean;
  /** Where this host begins in it; null: at its start. */
  readonly place: number | null;
  readonly frozen: readonly Frozen[];
  /** What is left for this host after its own place and all freezes, longest part, in ms; `Infinity` possible. */
  readonly usableMs: number;
  /** True when that is no longer than people who are logged in get to finish. */
  readonly tooShort: boolean;
  /** What a change of the clocks does to it, in words. */
  readonly clocks: readonly string[];
  /** `FILE:LINE` of the tables that make it. */
  readonly origins: readonly string[];
}

/** A window that stands in the configuration and does not open, since the clocks skip it. */
export interface SkippedWindow {
  /** When the clocks change, milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
  readonly origin: string | null;
}

/** When this host may reboot, as far as its configuration says. */
export interface WindowsReport {
  readonly version: 1;
  /** The moment from which on windows are listed, milliseconds since 1970. */
  readonly at: number;
  /** `windows`: in those listed. `anyTime`: windows do not matter. `never`: there is none, or updates are off. */
  readonly reboots: 'windows' | 'anyTime' | 'never';
  readonly strategy: readonly string[];
  /** IANA name of the zone of whoever reads this. */
  readonly localZone: string;
  /** Milliseconds that people who are logged in get to finish; 0: they are not asked. */
  readonly graceMs: number;
  /** What is to be said beside the windows, in sentences. */
  readonly notes: readonly string[];
  readonly windows: readonly WindowReport[];
  readonly skipped: readonly SkippedWindow[];
  /** Freezes that hold or come, also where windows do not matter. */
  readonly freezes: readonly Frozen[];
}
