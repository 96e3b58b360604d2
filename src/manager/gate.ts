import { httpRequest, type HttpResult } from '../base/http.ts';
import { readSecret } from '../base/secret-file.ts';
import { errorText, oneLine } from '../base/text.ts';
import { refuse, type Refusal } from './answer.ts';
import type { Gate } from './config/group.ts';

/** Milliseconds since 1970 from a clock. */
type Now = () => number;

const MOST_BYTES = 256 * 1024;
const MOST_NAMED = 3;

/**
 * The gate of a group: a question to another service about the group's health, asked at most once in `cacheMs`. Closed
 * until it has been answered, and whenever it is not answered as it should be.
 */
export class GateKeeper {
  readonly #gate: Gate;
  readonly #now: Now;
  #verdict: Refusal | null;
  #askedAt = -Infinity;
  #asking: Promise<void> | null = null;

  constructor(gate: Gate, now: Now) {
    this.#gate = gate;
    this.#now = now;
    this.#verdict = this.#closed('it has not answered yet');
  }

  /** When it was asked last, in ms since 1970; null: not yet. */
  get askedAt(): number | null {
    return Number.isFinite(this.#askedAt) ? this.#askedAt : null;
  }

  /** What it said last; null: open. */
  get verdict(): Refusal | null {
    return this.#verdict;
  }

  /**
   * Whether its verdict may be used at a moment, give or take `slackMs`. One from a moment that is still to come may
   * not: the clock has gone back since, and nobody knows how old it is.
   */
  isFresh(now: number, slackMs: number): boolean {
    const age = now - this.#askedAt;
    return age >= -slackMs && age < this.#gate.cacheMs + slackMs;
  }

  /** Makes sure that the verdict is younger than `cacheMs`. Null: it is. */
  prepare(): Promise<void> | null {
    if (this.isFresh(this.#now(), 0)) return null;
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #ask(): Promise<void> {
    const problem = await this.#question();
    this.#verdict = problem === null ? null : this.#closed(problem);
    this.#askedAt = this.#now();
  }

  /** Null when the gate is open. */
  async #question(): Promise<string | null> {
    const { kind, timeoutMs } = this.#gate;
    const url = new URL(this.#gate.url);
    if (kind === 'prometheus') {
      url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v1/query`;
      url.searchParams.set('query', this.#gate.query);
    }
    try {
      const headers = this.#authorization();
      const limits = { connectTimeoutMs: timeoutMs, totalTimeoutMs: timeoutMs, maxBytes: MOST_BYTES };
      return this.#judge(await httpRequest({ method: 'GET', url, headers, ...limits }));
    } catch (error) {
      return `it cannot be asked: ${errorText(error)}`;
    }
  }

  #judge(result: HttpResult): string | null {
    if (!result.ok) return `no answer: ${result.failure.text}`;
    const { status, body } = result.answer;
    if (status < 200 || status > 299) return `it answered HTTP ${status}`;
    return this.#gate.kind === 'http' ? null : firing(body);
  }

  #authorization(): Readonly<Record<string, string>> {
    const { tokenPath } = this.#gate;
    if (tokenPath === null) return {};
    return { authorization: `Bearer ${readSecret(tokenPath)}` };
  }

  #closed(why: string): Refusal {
    const name =
      this.#gate.kind === 'http' ? 'the gate of the group is closed' : 'the alert gate of the group is closed';
    return refuse('blocked', `${name}: ${why}`, this.#gate.cacheMs);
  }
}

/** Prometheus's answer: every series that a query finds is a reason to hold, as in its alerting rules. */
function firing(body: string): string | null {
  const result = seriesIn(body);
  if (result === null) return 'its answer is not that of a Prometheus query';
  if (result.length === 0) return null;
  const names = result.slice(0, MOST_NAMED).map(nameOf);
  const more = result.length > MOST_NAMED ? ` and ${result.length - MOST_NAMED} more` : '';
  return `the query finds ${names.join(', ')}${more}`;
}

function seriesIn(body: string): readonly unknown[] | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return null;
  }
  if (member(parsed, 'status') !== 'success') return null;
  const data = member(parsed, 'data');
  const result = member(data, 'result');
  return member(data, 'resultType') === 'vector' && Array.isArray(result) ? result : null;
}

function nameOf(series: unknown): string {
  const metric = member(series, 'metric');
  const name = member(metric, 'alertname') ?? member(metric, '__name__');
  return typeof name === 'string' && name !== '' ? oneLine(name, 60) : 'a series';
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
