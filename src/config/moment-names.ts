/** The moments that matter in the life of a host, as webhooks, the journal and the configuration name them. */
export const MOMENTS = [
  'target-found',
  'staged',
  'slot-granted',
  'slot-refused',
  'rebooting',
  'reboot-refused',
  'back',
  'rolled-back',
  'quarantined',
  'dead-end',
  'paused',
  'resumed',
  'stuck',
  'recovered',
] as const;

/** One of them. */
export type MomentName = (typeof MOMENTS)[number];

/** Those that webhooks are told of unless configured otherwise. */
export const DEFAULT_MOMENTS = ['staged', 'rebooting', 'back', 'rolled-back', 'stuck', 'recovered'] as const;

/** The variables of the text of a notice. */
export const TEXT_VARIABLES = ['host', 'event', 'booted', 'target', 'group', 'reason', 'text'] as const;
