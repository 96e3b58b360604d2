import { PROTOCOL_HEADER, parseRequest, type ClientParams, type Operation } from '../../fleetlock/protocol.ts';
import type { Log } from '../../base/log.ts';
import { errorText } from '../../base/text.ts';
import { type Answer, type Refusal, refuse } from '../answer.ts';
import type { LockOptions, Manager } from '../api.ts';
import type { HttpMeter } from '../meter.ts';
import type { Access } from './access.ts';
import type { WireAnswer } from './answers.ts';
import type { Exchange } from './exchange.ts';
import { Held } from './held.ts';
import { preferredWait } from './prefer.ts';
import { answerProbe, type Readiness } from './probes.ts';
import { publicRoutes, routeOf } from './routes.ts';
import type { Handler } from './server.ts';

/** What the public listener needs. */
export interface PublicOptions {
  /** Empty, or `/x/y` without a slash at its end. */
  readonly basePath: string;
  /** The longest that a request is held, in ms; 0: none is. */
  readonly maxWaitMs: number;
  /** Asked for each request, so that it can be replaced. */
  readonly access: () => Access;
  readonly manager: Pick<Manager, 'lock' | 'unlock' | 'takeBack'>;
  readonly readiness: Readiness;
  /** Told of what is refused here; of everything else the manager tells. */
  readonly meter: HttpMeter;
  readonly log: Log;
}

/** The only success there is: stock clients reboot on any 2xx. */
const OK: WireAnswer = { status: 200, headers: ['Content-Length', '0'], body: '' };
const NEVER_ABORTED = new AbortController().signal;
const AT_ONCE: LockOptions = { waitMs: 0, signal: NEVER_ABORTED };

const NOT_FOUND = refuse('not_found', 'there is nothing at this path');
const POST_ONLY = refuse('method_not_allowed', 'this is asked with POST');
const MISSING_HEADER = refuse('missing_header', `the header "${PROTOCOL_HEADER}: true" is missing`);

/** The handler of FleetLock requests, and of the probes of load balancers. Nothing else is answered. */
export function publicHandler(options: PublicOptions): Handler {
  const routes = publicRoutes(options.basePath);
  return (exchange) => {
    const { url = '', method } = exchange.request;
    const route = routeOf(routes, url);
    if (route === null) exchange.refuse(NOT_FOUND);
    else if (route !== 'pre-reboot' && route !== 'steady-state') answerProbe(exchange, route, options.readiness);
    else if (method !== 'POST') exchange.refuse(POST_ONLY, ['Allow', 'POST']);
    else receive(exchange, route, options);
  };
}

function receive(exchange: Exchange, operation: Operation, options: PublicOptions): void {
  const { meter } = options;
  meter.incoming(operation);
  if (exchange.request.headers[PROTOCOL_HEADER] !== 'true') {
    meter.decision('', operation, 'missing_header');
    exchange.refuse(MISSING_HEADER);
    return;
  }
  exchange.readBody((body) => {
    const params = typeof body === 'string' ? paramsOf(body) : body;
    if ('kind' in params) {
      meter.decision('', operation, params.kind);
      exchange.refuse(params);
      return;
    }
    const { connection, request } = exchange;
    const facts = { authorization: request.headers.authorization, names: () => connection.names() };
    const refusal = options.access().check(facts, params);
    if (refusal === null) void decide(exchange, operation, params, options);
    else {
      meter.decision(params.group, operation, refusal.kind);
      exchange.refuse(refusal);
    }
  });
}

function paramsOf(body: string): ClientParams | Refusal {
  const params = parseRequest(body);
  return typeof params === 'string' ? refuse('invalid_request', params) : params;
}

async function decide(
  exchange: Exchange,
  operation: Operation,
  params: ClientParams,
  options: PublicOptions,
): Promise<void> {
  const held = operation === 'pre-reboot' ? hold(exchange, params, options) : null;
  let answer: Answer;
  try {
    answer =
      operation === 'steady-state'
        ? await options.manager.unlock(params)
        : await options.manager.lock(params, held ?? AT_ONCE);
  } catch (error) {
    options.log.error({ operation, ...params, error: errorText(error) }, 'A request could not be decided');
    answer = refuse('store_unavailable', 'this request could not be decided', 5000);
  }
  held?.end(answer.ok && answer.outcome === 'granted');
  const extra = held === null ? NO_HEADERS : ['Preference-Applied', `wait=${held.waitMs / 1000}`];
  if (answer.ok) exchange.answer(OK, extra);
  else exchange.refuse(answer, extra);
}

const NO_HEADERS: readonly string[] = [];

/** The way to hold a request that wants it, or null. */
function hold(exchange: Exchange, params: ClientParams, { maxWaitMs, manager }: PublicOptions): Held | null {
  const { prefer } = exchange.request.headers;
  // Node joins the fields of a header it does not know.
  if (typeof prefer !== 'string' || !exchange.mayHold) return null;
  const waitMs = Math.min(preferredWait(prefer) * 1000, maxWaitMs);
  return waitMs === 0 ? null : new Held(exchange, waitMs, () => manager.takeBack(params));
}
