import { httpRequest } from '../base/http.ts';
import { readSecret } from '../base/secret-file.ts';
import { errorText, utc } from '../base/text.ts';
import type { Notice } from './notices.ts';

/** Where notices are sent. */
export interface WebhookOptions {
  /** http or https; may hold a secret path: never printed. */
  readonly url: string;
  /** File with a token for `Authorization: Bearer`, or null. */
  readonly tokenPath: string | null;
  readonly timeoutMs: number;
  /** Calls back once after some milliseconds. */
  readonly after: (ms: number, callback: () => void) => void;
  /** A notice could not be delivered, in words without secrets. */
  readonly onLost: (text: string) => void;
}

/** Milliseconds between tries; then a notice is given up. */
const RETRIES_MS = [1_000, 10_000, 60_000];
const MOST_WAITING = 100;

/** Sends notices, one after the other, as JSON. What cannot be delivered in time is given up and said so. */
export class Webhook {
  readonly #options: WebhookOptions;
  readonly #queue: Notice[] = [];
  #sending = false;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  send(notice: Notice): void {
    if (this.#queue.length >= MOST_WAITING) {
      this.#options.onLost(`more than ${MOST_WAITING} notices wait for the webhook; the oldest is given up`);
      this.#queue.shift();
    }
    this.#queue.push(notice);
    if (!this.#sending) void this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    this.#sending = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) await this.#deliver(next);
    this.#sending = false;
  }

  async #deliver(notice: Notice): Promise<void> {
    let problem = await this.#try(notice);
    for (const ms of RETRIES_MS) {
      if (problem === null) return;
      await new Promise<void>((resolve) => this.#options.after(ms, resolve));
      problem = await this.#try(notice);
    }
    if (problem !== null) this.#options.onLost(`the webhook did not take the notice "${notice.event}": ${problem}`);
  }

  /** Null when it was delivered. */
  async #try({ event, group, id, at, text }: Notice): Promise<string | null> {
    const { url, timeoutMs } = this.#options;
    try {
      const result = await httpRequest({
        method: 'POST',
        url: new URL(url),
        headers: { 'content-type': 'application/json', ...this.#authorization() },
        body: JSON.stringify({ source: 'holdpoint-manager', event, group, id, at: utc(at), text }),
        connectTimeoutMs: timeoutMs,
        totalTimeoutMs: timeoutMs,
        maxBytes: 64 * 1024,
      });
      if (!result.ok) return result.failure.text;
      const { status } = result.answer;
      return status >= 200 && status < 300 ? null : `it answered HTTP ${status}`;
    } catch (error) {
      return errorText(error);
    }
  }

  #authorization(): Readonly<Record<string, string>> {
    const { tokenPath } = this.#options;
    if (tokenPath === null) return {};
    return { authorization: `Bearer ${readSecret(tokenPath)}` };
  }
}
