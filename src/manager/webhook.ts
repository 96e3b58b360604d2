import { type Destination, Webhook, type WebhookOptions } from '../base/webhook.ts';
import { utc } from '../base/text.ts';
import type { Notice } from './notices.ts';

/** Milliseconds between tries. */
const RETRIES_MS = [1_000, 10_000, 60_000];

/** Sends notices about the fleet to a webhook, one after the other. */
export function noticeSender(
  to: Destination,
  { after, onLost, onRetry }: Pick<WebhookOptions, 'after' | 'onLost' | 'onRetry'>,
): (notice: Notice) => void {
  const webhook = new Webhook({ to: () => to, retriesMs: RETRIES_MS, after, onLost, onRetry });
  return ({ event, group, id, at, text }) => {
    const body = JSON.stringify({ source: 'holdpoint-manager', event, group, id, at: utc(at), text });
    webhook.send({ name: event, body });
  };
}
