import { hostname } from 'node:os';
import type { Log } from '../../base/log.ts';
import type { Destination, Webhook } from '../../base/webhook.ts';
import { errorText } from '../../base/text.ts';
import type { NotifyConfig } from '../../config/notify.ts';
import type { Observer, Sight } from '../observer.ts';
import { type Teller, entryOf } from './entry.ts';
import type { Journal } from './journal.ts';
import type { Moment } from './moment.ts';
import { noticeOf } from './notice.ts';
import { NOTHING_WATCHED, momentsOf } from './watch.ts';

/** Who hears of moments. */
export interface MomentOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** What is logged goes to the journal: so do moments, with their ids. */
  readonly journald: boolean;
  /** Stand-ins for tests; left out, the pauses are those of the clock. */
  readonly after?: (ms: number, callback: () => void) => void;
}

/** Milliseconds between tries of a webhook: a host that has just booted may have no network for a while. */
const RETRIES_MS = [1_000, 10_000, 60_000, 300_000, 900_000];
/** Milliseconds for one answer of it. */
const ANSWER_MS = 10_000;
/** Milliseconds in which an agent that ends tries to send what is left: a host that goes down is not held up longer. */
const CLOSE_MS = 2_000;

/** Tells the journal and a webhook of the moments that matter. Both are loaded with the first one. */
export function observeMoments(options: MomentOptions): Observer {
  const teller = new MomentTeller(options);
  return { name: 'notices', see: (sight) => teller.see(sight), close: (signal) => teller.close(signal) };
}

class MomentTeller {
  readonly #options: MomentOptions;
  #watched = NOTHING_WATCHED;
  #notify: NotifyConfig | null = null;
  #webhook: Promise<Webhook> | null = null;
  #journal: Promise<Journal> | null = null;

  constructor(options: MomentOptions) {
    this.#options = options;
  }

  see(sight: Sight): void {
    const { identity, notify } = sight.config;
    this.#notify = notify;
    const { watched, moments } = momentsOf(this.#watched, sight, notify.stuckSecs * 1000);
    this.#watched = watched;
    if (moments.length === 0) return;
    const teller = { nodeId: sight.after.settings.nodeId, host: hostname(), group: identity.group };
    if (this.#options.journald) this.#write(moments, teller);
    const chosen = notify.webhookUrl === null ? [] : moments.filter(({ event }) => notify.events.includes(event));
    if (chosen.length > 0) this.#send(chosen, teller, notify.text);
  }

  async close(signal: AbortSignal): Promise<void> {
    const end = AbortSignal.any([signal, AbortSignal.timeout(CLOSE_MS)]);
    const [webhook, journal] = await Promise.all([this.#webhook, this.#journal]);
    await Promise.all([webhook?.close(end), journal?.close(end)]);
  }

  #send(moments: readonly Moment[], teller: Teller, template: string): void {
    this.#webhook ??= this.#openWebhook();
    this.#with(this.#webhook, (webhook) => {
      for (const moment of moments) {
        webhook.send({ name: moment.event, body: noticeOf(moment, teller, template) });
        // There may be no time for the pauses of those before it.
        if (moment.event === 'rebooting') webhook.hurry();
      }
    });
  }

  #write(moments: readonly Moment[], teller: Teller): void {
    this.#journal ??= this.#openJournal();
    this.#with(this.#journal, (journal) => {
      for (const moment of moments) journal.write(entryOf(moment, teller));
    });
  }

  /** In the order in which they were asked for. */
  #with<T>(loading: Promise<T>, use: (loaded: T) => void): void {
    loading.then(use).catch((error: unknown) => this.#options.log.warn(`notices: ${errorText(error)}`));
  }

  async #openWebhook(): Promise<Webhook> {
    const { log, after = later } = this.#options;
    const { Webhook } = await import('../../base/webhook.ts');
    const say = (text: string): void => log.warn(text);
    return new Webhook({
      to: () => this.#destination(),
      retriesMs: RETRIES_MS,
      after,
      onLost: say,
      onRetry: say,
    });
  }

  async #openJournal(): Promise<Journal> {
    const { env, log } = this.#options;
    const { Journal } = await import('./journal.ts');
    return new Journal({ env, onError: (text) => log.warn(text) });
  }

  /** As configured at this moment. */
  #destination(): Destination | null {
    const { webhookUrl = null, tokenFile = null } = this.#notify ?? {};
    return webhookUrl === null ? null : { url: webhookUrl, tokenPath: tokenFile, timeoutMs: ANSWER_MS };
  }
}

function later(ms: number, callback: () => void): void {
  setTimeout(callback, ms).unref();
}
