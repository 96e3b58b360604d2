import { MachineAgent } from './agent-process.ts';
import type { Machine } from './api.ts';

/** Something that happened on the way up. */
export type ClimbEvent =
  | { readonly event: 'boot'; readonly version: string; readonly boot: number }
  | { readonly event: 'state'; readonly state: string; readonly target: string | null; readonly text: string }
  | { readonly event: 'log'; readonly level: string; readonly text: string }
  | { readonly event: 'reboot'; readonly from: string };

/** Who climbs. */
export interface ClimberOptions {
  readonly machine: Machine;
  /** The command of this program: `agent` is added. */
  readonly command: readonly [string, ...string[]];
  /** The content of the agent's one configuration file. */
  readonly config: string;
  readonly onEvent: (event: ClimbEvent) => void;
}

/** What a graph says where no way leads on. */
const ENDS: ReadonlySet<string> = new Set(['newest', 'deadEnd', 'noPath', 'notInGraph']);

/** A simulated host with a real agent that takes it up an update graph. */
export class Climber {
  readonly #machine: Machine;
  readonly #agent: MachineAgent;
  readonly #onEvent: ClimberOptions['onEvent'];
  readonly #top = deferred();

  constructor({ machine, command, config, onEvent }: ClimberOptions) {
    this.#machine = machine;
    this.#onEvent = onEvent;
    this.#agent = new MachineAgent({
      machine,
      command: [...command, 'agent'],
      config,
      onLine: ({ level, text, state, target, verdict }) => {
        onEvent(state === null ? { event: 'log', level, text } : { event: 'state', state, target, text });
        if (verdict !== null && ENDS.has(verdict)) this.#top.resolve();
      },
      onDeath: (code, killed) =>
        this.fail(new Error(`the agent ended (${killed ?? `exit status ${code ?? 'unknown'}`})`)),
    });
    machine.onShutdown(() => onEvent({ event: 'reboot', from: this.version }));
    machine.onBoot(() => this.#sayBoot());
  }

  /** Resolves when the agent says that there is nothing newer. Rejects when the agent or the machine fails. */
  get top(): Promise<void> {
    return this.#top.promise;
  }

  /** The release that the host runs. */
  get version(): string {
    return this.#machine.state().deployments.find((one) => one.booted)?.version ?? '';
  }

  /** How often the host has booted again. */
  get reboots(): number {
    return this.#machine.state().bootCount - 1;
  }

  /** Starts the agent on the host, which has booted. */
  start(): void {
    this.#sayBoot();
    this.#followBoots();
    this.#agent.start();
  }

  /** Makes `top` reject. */
  fail(error: Error): void {
    this.#top.reject(error);
  }

  /** Ends the agent for good; the machine is the caller's to stop. */
  stop(): Promise<void> {
    return this.#agent.stop();
  }

  #sayBoot(): void {
    this.#onEvent({ event: 'boot', version: this.version, boot: this.reboots + 1 });
  }

  /** A boot that fails is told to those alone who wait for it. */
  #followBoots(): void {
    this.#machine.nextBoot().then(
      () => this.#followBoots(),
      (error: unknown) => this.fail(error instanceof Error ? error : new Error(String(error))),
    );
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let [resolve, reject]: [() => void, (error: Error) => void] = [() => undefined, () => undefined];
  const promise = new Promise<void>((yes, no) => ([resolve, reject] = [yes, no]));
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
