import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { sipHash13 } from '../base/siphash.ts';

/** How the simulated policy engine sees its clients. */
export interface GraphPolicy {
  /** The server's clock: milliseconds since 1970. */
  readonly now: () => number;
  /** Takes the place of every client's wariness, 0..1. */
  readonly wariness?: number;
}

/** What a graph server starts with. */
export interface GraphServerOptions {
  /** The raw graph, as JSON text: one stream, one architecture, one scheme. */
  readonly graph: string;
  /** When given, edges are left out for each client as the policy engine does; else the graph is served as it is. */
  readonly policy?: GraphPolicy;
  /** Default: any free port. */
  readonly port?: number;
}

/** One request that the server received. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** A graph server on the loopback address. */
export interface GraphServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** The last requests, at most 1000, oldest first. */
  readonly requests: readonly SeenRequest[];
  /** Serves another graph from now on. Throws when the text is not a graph. */
  setGraph(graph: string): void;
  /** Answers every request with this status and no body from now on; null ends that. */
  setFailure(status: number | null): void;
  /** Ends the server and its connections. */
  close(): Promise<void>;
}

interface ServedNode {
  readonly version: string;
  readonly payload: string;
  readonly metadata: Readonly<Record<string, string>>;
}

interface ServedGraph {
  readonly nodes: readonly ServedNode[];
  readonly edges: readonly (readonly [number, number])[];
}

const MOST_REQUESTS = 1000;
const UPDATES = 'org.fedoraproject.coreos.updates.';

/** Starts a simulated Cincinnati server: the graph builder's graph behind the policy engine's rules. */
export async function startGraphServer(options: GraphServerOptions): Promise<GraphServer> {
  const served = { graph: parseServed(options.graph), failure: null as number | null };
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const seen = describeRequest(request);
    requests.push(seen);
    if (requests.length > MOST_REQUESTS) requests.shift();
    answer(response, served.failure ?? refusalOf(seen), () => policyAnswer(served.graph, seen, options.policy));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`,
    requests,
    setGraph: (graph) => {
      served.graph = parseServed(graph);
    },
    setFailure: (status) => {
      served.failure = status;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function describeRequest(request: IncomingMessage): SeenRequest {
  const url = new URL(request.url ?? '/', 'http://localhost');
  return { method: request.method ?? '', path: url.pathname, parameters: Object.fromEntries(url.searchParams) };
}

/** The status with which a request is refused, or null. The real services send no body with it. */
function refusalOf({ method, path, parameters }: SeenRequest): number | null {
  if (method !== 'GET' || path !== '/v1/graph') return 404;
  const { basearch = '', stream = '', oci } = parameters;
  if (basearch === '' || stream === '') return 400;
  return oci === undefined || oci === 'true' || oci === 'false' ? null : 400;
}

function answer(response: ServerResponse, refusal: number | null, graph: () => ServedGraph): void {
  response.statusCode = refusal ?? 200;
  if (refusal !== null) {
    response.end();
    return;
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(graph()));
}

/** Leaves out the edges that this client may not follow now; nodes stay, so that clients can say what is coming. */
function policyAnswer(graph: ServedGraph, { parameters }: SeenRequest, policy: GraphPolicy | undefined): ServedGraph {
  if (policy === undefined) return graph;
  const waits = policy.wariness ?? clientWariness(parameters);
  const isHidden = graph.nodes.map((node) => isRollout(node) && waits > threshold(node, policy.now() / 1000));
  const isDead = graph.nodes.map(({ metadata }) => metadata[`${UPDATES}deadend`] === 'true');
  const edges = graph.edges.filter(([from, to]) => isDead[from] !== true && isHidden[to] !== true);
  return { nodes: graph.nodes, edges };
}

function clientWariness({ rollout_wariness: stated, node_uuid: id = '' }: SeenRequest['parameters']): number {
  const value = Number.parseFloat(stated ?? '');
  if (!Number.isNaN(value)) return Math.min(1, Math.max(0, value));
  const hash = sipHash13(Buffer.concat([Buffer.from(id, 'utf8'), Buffer.of(0xff)]));
  return Math.max(1e-6, Number(hash) / Number(2n ** 64n - 1n));
}

function isRollout({ metadata }: ServedNode): boolean {
  return metadata[`${UPDATES}rollout`] === 'true';
}

/** The wariness up to which a rollout is open, at a moment in seconds since 1970. */
function threshold({ metadata }: ServedNode, seconds: number): number {
  const [start, first] = [numberIn(metadata, 'start_epoch'), numberIn(metadata, 'start_value')];
  if (seconds < start) return 0;
  if (metadata[`${UPDATES}duration_minutes`] === undefined) return first;
  const length = 60 * Math.max(1, numberIn(metadata, 'duration_minutes'));
  const elapsed = seconds - start;
  return elapsed >= length ? 1 : first + (1 - first) * (elapsed / length);
}

function numberIn(metadata: ServedNode['metadata'], name: string): number {
  return Number(metadata[`${UPDATES}${name}`] ?? '0');
}

function parseServed(text: string): ServedGraph {
  const value: unknown = JSON.parse(text);
  if (!isServed(value)) throw new Error('the graph to be served needs "nodes" with metadata and "edges" as pairs');
  return value;
}

function isServed(value: unknown): value is ServedGraph {
  if (typeof value !== 'object' || value === null || !('nodes' in value) || !('edges' in value)) return false;
  const { nodes, edges } = value;
  return Array.isArray(nodes) && nodes.every(isServedNode) && Array.isArray(edges) && edges.every(isPair);
}

function isServedNode(node: unknown): node is ServedNode {
  return (
    typeof node === 'object' &&
    node !== null &&
    'metadata' in node &&
    typeof node.metadata === 'object' &&
    node.metadata !== null
  );
}

function isPair(edge: unknown): edge is [number, number] {
  return Array.isArray(edge) && edge.length === 2 && edge.every((end) => typeof end === 'number');
}
