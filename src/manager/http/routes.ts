import type { Operation } from '../../fleetlock/protocol.ts';

/** What load balancers ask: does the process live, can it decide. */
type Probe = 'healthz' | 'readyz';

/** Where what can be asked of a listener is found. */
export type Routes<R extends string> = ReadonlyMap<string, R>;

/** The routes of the public listener. `basePath` is empty, or `/x/y` without a slash at its end. */
export function publicRoutes(basePath: string): Routes<Operation | Probe> {
  return new Map<string, Operation | Probe>([
    [`${basePath}/v1/pre-reboot`, 'pre-reboot'],
    [`${basePath}/v1/steady-state`, 'steady-state'],
    [`${basePath}/healthz`, 'healthz'],
    [`${basePath}/readyz`, 'readyz'],
  ]);
}

/** The routes of the status listener. */
export const STATUS_ROUTES: Routes<Probe | 'metrics'> = new Map<string, Probe | 'metrics'>([
  ['/metrics', 'metrics'],
  ['/healthz', 'healthz'],
  ['/readyz', 'readyz'],
]);

/** The route of a request target, or null. The text is compared as it is: nothing is decoded, no slash is forgiven. */
export function routeOf<R extends string>(routes: Routes<R>, target: string): R | null {
  return routes.get(target) ?? routes.get(pathOf(target)) ?? null;
}

/** Without a query, and without what a client puts before the path when it takes us for a proxy (RFC 9112, 3.2.2). */
function pathOf(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?]*/i, '');
  const query = path.indexOf('?');
  return query === -1 ? path : path.slice(0, query);
}
