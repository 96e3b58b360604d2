import type { NOTIFY_KEYS } from './keys-notify.ts';
import type { ValueReader } from './merge.ts';
import type { MomentName } from './moment-names.ts';

/** Who is told of the moments that matter. */
export interface NotifyConfig {
  /** http or https, may hold secrets anywhere: never printed. Null: nobody is told. */
  readonly webhookUrl: string | null;
  /** An absolute path; read when it is needed. */
  readonly tokenFile: string | null;
  /** At least one, none twice. */
  readonly events: readonly MomentName[];
  /** Its variables are among `TEXT_VARIABLES`. */
  readonly text: string;
  /** Seconds, 0..31536000; 0: nothing is called stuck. */
  readonly stuckSecs: number;
}

/** The table `notify`. */
export function toNotify(get: ValueReader<typeof NOTIFY_KEYS>): NotifyConfig {
  return {
    webhookUrl: get('notify.webhook_url'),
    tokenFile: get('notify.token_file'),
    events: get('notify.events'),
    text: get('notify.text'),
    stuckSecs: get('notify.stuck_secs'),
  };
}
