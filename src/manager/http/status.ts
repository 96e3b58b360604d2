import { type Refusal, refuse } from '../answer.ts';
import type { Manager } from '../api.ts';
import type { Metrics } from '../metrics.ts';
import { textAnswer } from './answers.ts';
import type { Exchange } from './exchange.ts';
import { answerProbe, refuseUnlessGet, type Readiness } from './probes.ts';
import { routeOf, STATUS_ROUTES } from './routes.ts';
import type { Handler } from './server.ts';

/** What the status listener needs. */
export interface StatusOptions {
  readonly manager: Pick<Manager, 'status'>;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  /** Connections of the public listener. */
  readonly connections: () => number;
}

const NOT_FOUND: Refusal = refuse('not_found', 'there are /metrics, /healthz and /readyz here');

/** The handler of the status listener: metrics, and the probes. */
export function statusHandler(options: StatusOptions): Handler {
  return (exchange) => {
    const route = routeOf(STATUS_ROUTES, exchange.request.url ?? '');
    if (route === null) exchange.refuse(NOT_FOUND);
    else if (route !== 'metrics') answerProbe(exchange, route, options.readiness);
    else if (!refuseUnlessGet(exchange)) void answerMetrics(exchange, options);
  };
}

async function answerMetrics(exchange: Exchange, { manager, metrics, connections }: StatusOptions): Promise<void> {
  exchange.work();
  const text = await metrics.text({ status: () => manager.status(), connections: connections() });
  exchange.answer(textAnswer(200, metrics.contentType, text));
}
