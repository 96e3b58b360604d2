import { MachineAgent } from './agent-process.ts';
import type { Machine } from './api.ts';
import { type GraphServer, startGraphServer } from './graph-server.ts';
import { createMachine } from './machine.ts';

/** Something that happened on the way up. */
export type ClimbEvent =
  | { readonly event: 'boot'; readonly version: string; readonly boot: number }
  | { readonly event: 'state'; readonly state: string; readonly target: string | null; readonly text: string }
  | { readonly event: 'log'; readonly level: string; readonly text: string }
  | { readonly event: 'reboot'; readonly from: string };

/** What is to be climbed. */
export interface ClimbOptions {
  /** The update graph, as JSON text. */
  readonly graph: string;
  readonly stream: string;
  readonly basearch: string;
  /** The release to begin with. */
  readonly from: string;
  /** The command of this program: `agent` and `sim rpm-ostreed` are added. */
  readonly command: readonly [string, ...string[]];
  readonly onEvent: (event: ClimbEvent) => void;
  /** Gives up when aborted. */
  readonly signal: AbortSignal;
}

/** The top of a climb. */
export interface Climbed {
  readonly version: string;
  readonly reboots: number;
}

/** What a graph says where no way leads on. */
const ENDS: ReadonlySet<string> = new Set(['newest', 'deadEnd', 'noPath', 'notInGraph']);

/** Seconds between two looks at the graph, so that a climb of twenty hops is a matter of seconds. */
const CONFIG = (url: string): string => `[agent.timing]
steady_interval_secs = 1
[cincinnati]
base_url = "${url}"
[updates]
strategy = "immediate"
`;

/**
 * Takes a simulated host with a real agent from one release to the newest: resolves when the agent says that there is
 * nothing newer. Whatever happens, nothing of it is left when this settles.
 */
export async function climb(options: ClimbOptions): Promise<Climbed> {
  const server = await startGraphServer({ graph: options.graph });
  try {
    const machine = await createMachine({
      graph: options.graph,
      stream: options.stream,
      basearch: options.basearch,
      bootedVersion: options.from,
      command: [...options.command, 'sim', 'rpm-ostreed'],
    });
    try {
      return await climbOn(machine, server, options);
    } finally {
      await machine.stop();
    }
  } finally {
    await server.close();
  }
}

async function climbOn(machine: Machine, server: GraphServer, options: ClimbOptions): Promise<Climbed> {
  const { onEvent, command, signal } = options;
  const top = deferred();
  const agent = new MachineAgent({
    machine,
    command: [...command, 'agent'],
    config: CONFIG(server.url),
    onLine: ({ level, text, state, target, verdict }) => {
      onEvent(state === null ? { event: 'log', level, text } : { event: 'state', state, target, text });
      if (verdict !== null && ENDS.has(verdict)) top.resolve();
    },
    onDeath: (code, killed) =>
      top.reject(new Error(`the agent ended (${killed ?? `exit status ${code ?? 'unknown'}`})`)),
  });
  const bootedNow = (): string => machine.state().deployments.find((one) => one.booted)?.version ?? '';
  machine.onShutdown(() => onEvent({ event: 'reboot', from: bootedNow() }));
  machine.onBoot((state) => onEvent({ event: 'boot', version: bootedNow(), boot: state.bootCount }));
  const interrupted = (): void => top.reject(new Error('interrupted'));
  signal.addEventListener('abort', interrupted);
  try {
    onEvent({ event: 'boot', version: bootedNow(), boot: machine.state().bootCount });
    agent.start();
    await top.promise;
    return { version: bootedNow(), reboots: machine.state().bootCount - 1 };
  } finally {
    signal.removeEventListener('abort', interrupted);
    await agent.stop();
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let [resolve, reject]: [() => void, (error: Error) => void] = [() => undefined, () => undefined];
  const promise = new Promise<void>((yes, no) => ([resolve, reject] = [yes, no]));
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
