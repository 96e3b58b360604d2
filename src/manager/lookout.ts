import type { Log } from '../base/log.ts';
import { errorText } from '../base/text.ts';
import type { FleetStatus } from './api.ts';
import { type Notice, noticesBetween } from './notices.ts';

/** Milliseconds between two looks at the fleet. */
const LOOK_MS = 15_000;

/** What the lookout needs. */
export interface LookoutOptions {
  readonly status: () => Promise<FleetStatus>;
  readonly log: Log;
  /** Sends a notice to whoever wants it. */
  readonly send: (notice: Notice) => void;
}

/** Looks at the fleet now and then, and says what a person should hear of. Returns the way to stop. */
export function startLookout({ status, log, send }: LookoutOptions): () => void {
  let before: FleetStatus | null = null;
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      const after = await status();
      for (const notice of noticesBetween(before, after)) {
        log[notice.level]({ event: notice.event }, notice.text);
        send(notice);
      }
      const known = new Set(before?.store.warnings);
      for (const warning of after.store.warnings) if (!known.has(warning)) log.warn(`store: ${warning}`);
      before = after;
    } catch (error) {
      log.debug(`the fleet could not be looked at: ${errorText(error)}`);
    } finally {
      looking = false;
    }
  };
  void look();
  const timer = setInterval(() => void look(), LOOK_MS);
  return () => clearInterval(timer);
}
