import type { Facts } from './facts.ts';
import { tokenProblem } from './token.ts';

const URL_KEY = 'notify.webhook_url';
const IDLE = ['notify.token_file', 'notify.events', 'notify.text'] as const;

/** What a webhook needs, and what has no effect without one. */
export function checkNotify({ config, report, at, all, good }: Facts): void {
  const { webhookUrl, tokenFile } = config.notify;
  if (!good(URL_KEY)) return;
  if (webhookUrl === null) {
    for (const key of IDLE) {
      if (all(key).length > 0) report(at(key), `${key}: has no effect, because ${URL_KEY} is not set`, 'warning');
    }
  } else if (tokenFile !== null) {
    const found = tokenProblem(new URL(webhookUrl), URL_KEY);
    if (found !== null) report(at('notify.token_file'), `notify.token_file: ${found.text}`, found.severity);
  }
}
