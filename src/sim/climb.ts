import { Climber, type ClimbEvent } from './climber.ts';
import type { Machine } from './api.ts';
import { type GraphServer, startGraphServer } from './graph-server.ts';
import { createMachine } from './machine.ts';

export type { ClimbEvent } from './climber.ts';

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
      hookCommand: [...options.command, 'hook', 'exec'],
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
  const climber = new Climber({ machine, command, config: CONFIG(server.url), onEvent });
  const interrupted = (): void => climber.fail(new Error('interrupted'));
  signal.addEventListener('abort', interrupted);
  try {
    climber.start();
    if (signal.aborted) interrupted();
    await climber.top;
    return { version: climber.version, reboots: climber.reboots };
  } finally {
    signal.removeEventListener('abort', interrupted);
    await climber.stop();
  }
}
