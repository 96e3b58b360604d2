import { httpRequest } from './http.ts';
import { readSecret } from './secret-file.ts';
import { duration, errorText } from './text.ts';

/** Where notices are sent. */
export interface Destination {
  /** http or https; may hold a secret path, query or password: never printed. */
  readonly url: string;
  /** File with a token for `Authorization: Bearer`, or null. Read for each try. */
  readonly tokenPath: string | null;
  readonly timeoutMs: number;
}

/** One notice on its way. */
export interface Post {
  /** What it is called when it is lost. */
  readonly name: string;
  /** JSON. */
  readonly body: string;
}

/** How a webhook sends. */
export interface WebhookOptions {
  /** Asked before each try. Null: nothing is to be sent any more, and what waits is dropped. */
  readonly to: () => Destination | null;
  /** Milliseconds between tries; then a notice is given up. */
  readonly retriesMs: readonly number[];
  /** Calls back once after some milliseconds. */
  readonly after: (ms: number, callback: () => void) => void;
  /** A notice could not be delivered, in words without secrets. */
  readonly onLost: (text: string) => void;
  /** The first try of a notice failed, and there is another one; in words without secrets. */
  readonly onRetry: (text: string) => void;
}

const MOST_WAITING = 100;

/** Sends notices, one after the other, as JSON. What cannot be delivered in time is given up and said so. */
export class Webhook {
  readonly #options: WebhookOptions;
  readonly #queue: Post[] = [];
  /** Aborted when what is under way is given up. */
  readonly #end = new AbortController();
  #sending: Promise<void> | null = null;
  /** Nothing is waited for any more: one try for each notice that is left. */
  #closing = false;
  #endPause: (() => void) | null = null;
  /** The next pause is left out. */
  #isHurried = false;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  send(post: Post): void {
    if (this.#closing) return;
    if (this.#queue.length >= MOST_WAITING) {
      this.#options.onLost(`more than ${MOST_WAITING} notices wait for the webhook; the oldest is given up`);
      this.#queue.shift();
    }
    this.#queue.push(post);
    this.#sending ??= this.#sendAll();
  }

  /** Ends the pause between two tries, or leaves out the next one: there may be no time for it. */
  hurry(): void {
    this.#isHurried = this.#sending !== null && this.#endPause === null;
    this.#endPause?.();
  }

  /** Tries what is left once more, in order, until the signal is aborted. Takes no more. */
  async close(signal: AbortSignal): Promise<void> {
    this.#closing = true;
    const end = (): void => this.#end.abort();
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    this.hurry();
    await this.#sending;
    signal.removeEventListener('abort', end);
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) await this.#deliver(next);
    this.#sending = null;
  }

  async #deliver(post: Post): Promise<void> {
    let isLast = this.#closing;
    let problem = await this.#try(post);
    const [next] = this.#options.retriesMs;
    if (problem !== null && next !== undefined && !this.#closing) {
      const again = `next try in ${duration(next)}`;
      this.#options.onRetry(`the webhook has not taken the notice "${post.name}" so far: ${problem} (${again})`);
    }
    for (const ms of this.#options.retriesMs) {
      if (problem === null || isLast || this.#end.signal.aborted) break;
      await this.#pause(ms);
      isLast = this.#closing;
      problem = await this.#try(post);
    }
    if (problem !== null) this.#options.onLost(`the webhook did not take the notice "${post.name}": ${problem}`);
  }

  async #pause(ms: number): Promise<void> {
    const { after } = this.#options;
    if (!this.#isHurried && !this.#closing) {
      await new Promise<void>((resolve) => {
        this.#endPause = resolve;
        after(ms, resolve);
      });
    }
    this.#endPause = null;
    this.#isHurried = false;
  }

  /** Null when it was delivered, or nobody wants it any more. */
  async #try({ body }: Post): Promise<string | null> {
    const to = this.#options.to();
    if (to === null) return null;
    if (this.#end.signal.aborted) return 'there was no time left for it';
    try {
      const result = await httpRequest({
        method: 'POST',
        url: new URL(to.url),
        headers: { 'content-type': 'application/json', ...authorization(to) },
        body,
        connectTimeoutMs: to.timeoutMs,
        totalTimeoutMs: to.timeoutMs,
        maxBytes: 64 * 1024,
        signal: this.#end.signal,
      });
      if (!result.ok) return result.failure.text;
      const { status } = result.answer;
      return status >= 200 && status < 300 ? null : `it answered HTTP ${status}`;
    } catch (error) {
      return errorText(error);
    }
  }
}

function authorization({ tokenPath }: Destination): Readonly<Record<string, string>> {
  return tokenPath === null ? {} : { authorization: `Bearer ${readSecret(tokenPath)}` };
}
