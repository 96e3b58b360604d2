import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type IncomingMessage, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { type Memory, freshMemory } from '../../src/agent/machine/memory.ts';
import type { MemoryStore } from '../../src/agent/memory-store.ts';
import type { Observer } from '../../src/agent/observer.ts';
import { Agent } from '../../src/agent/run.ts';
import type { Situation } from '../../src/agent/settings.ts';
import { type Instant, systemClock } from '../../src/base/clock.ts';
import { createLog } from '../../src/base/log.ts';
import type { Bus, BusState, MethodCall } from '../../src/bus/api.ts';
import { buildConfig } from '../../src/config/load.ts';
import type { Graph } from '../../src/graph/types.ts';
import type { HostReading } from '../../src/host/rpm-ostree/deployment.ts';
import type { FinalizeOptions, RpmOstree, StageOptions } from '../../src/host/rpm-ostree/client.ts';
import { AROUND, reading, stagedDeployment, target } from './agent-builders.ts';

export const CONNECTED: BusState = { connected: true, uniqueName: ':1.1' };
export const NODE = 'identity.node_uuid = "00000000000040008000000000000001"\n';

export function configOf(text: string): Situation['config'] {
  const { config, problems } = buildConfig([{ path: 'test.toml', text }]);
  if (config === null) throw new Error(JSON.stringify(problems));
  return config;
}

/** A promise that the test settles. */
export interface Open<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export function open<T>(): Open<T> {
  let [resolve, reject]: [(value: T) => void, (error: Error) => void] = [() => undefined, () => undefined];
  const promise = new Promise<T>((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
}

export interface Options {
  readonly config?: string;
  readonly memory?: Partial<Memory>;
  readonly pending?: HostReading['next'];
  /** Whether the bus is there from the start. Default true. */
  readonly connected?: boolean;
  /** The first reading waits for this. */
  readonly readable?: Promise<unknown>;
  readonly observers?: readonly Observer[];
}

/** An agent in a world of which the test makes every move. */
export class Shell {
  readonly said: string[] = [];
  readonly status: string[] = [];
  readonly finalizes: { readonly options: FinalizeOptions; readonly outcome: Open<unknown> }[] = [];
  readonly graphs: Open<Graph>[] = [];
  /** What was asked of the world and said to the service manager, in order. */
  readonly asked: string[] = [];
  readonly stages: { readonly options: StageOptions; readonly outcome: Open<HostReading> }[] = [];
  /** Added to the clocks, in milliseconds. */
  later = 0;
  /** Where set, time passes by `later` alone. */
  stands: Instant | null = null;
  diskFails = false;
  /** Readings wait for this. */
  readable: Promise<unknown> = Promise.resolve();
  /** What comes of a registration as update driver. */
  isDriverTaken = true;
  memory: Memory | null;
  bus: (state: BusState) => void = () => undefined;
  /** What the bus answers to everything. */
  answer: (call: MethodCall) => Promise<readonly unknown[]> = () => Promise.resolve([]);
  readonly runDir = mkdtempSync(join(tmpdir(), 'hp-run-'));
  readonly agent: Agent;
  readonly ended: Promise<unknown>;
  pending: HostReading['next'];
  #isOver = false;
  readonly #connected: boolean;

  constructor({ config = '', memory, pending = null, connected = true, readable, observers = [] }: Options = {}) {
    this.#connected = connected;
    if (readable !== undefined) this.readable = readable;
    this.memory = memory === undefined ? null : { ...freshMemory('boot-1'), ...memory };
    this.pending = pending;
    const write = (line: string): void => void this.said.push(line.trim());
    this.agent = new Agent({
      observers,
      bus: this.#fakeBus(),
      rpmOstree: this.#fakeRpmOstree(),
      surroundings: {
        read: () => Promise.resolve({ ...AROUND, readAt: this.#now().mono }),
        watch: () => () => undefined,
        runHooks: () => Promise.resolve({ kind: 'passed' }),
        tell: () => Promise.resolve(),
      },
      clock: () => this.#now(),
      dice: () => 0,
      log: createLog({ format: 'text', level: 'debug', write, journald: true }),
      notifier: {
        ready: () => void this.asked.push('READY'),
        status: (line) => void this.status.push(line),
        stopping: () => void this.asked.push('STOPPING'),
        close: () => undefined,
      },
      store: {
        load: () => ({ memory: this.memory, problems: [] }),
        save: (saved: Memory) => {
          if (this.diskFails) throw new Error('ENOSPC: no space left on device');
          this.memory = saved;
        },
      } as unknown as MemoryStore,
      runDir: this.runDir,
      situation: {
        config: configOf(NODE + config),
        files: { bootId: 'boot-1', machineId: null, cmdline: '' },
        nodeArch: 'x64',
        booted: null,
      },
      fetchGraph: () => {
        const question = open<Graph>();
        this.graphs.push(question);
        return question.promise;
      },
    });
    this.ended = this.agent.run().then(
      () => 'ended',
      (error: unknown) => error,
    );
    void this.ended.then(() => (this.#isOver = true));
    onTestFinished(async () => {
      this.stands = null;
      if (!this.#isOver) await this.agent.stop();
      rmSync(this.runDir, { recursive: true, force: true });
    });
  }

  #fakeBus(): Bus {
    return {
      call: (call: MethodCall) => {
        this.asked.push(call.member);
        return this.answer(call);
      },
      onState: (handler: (state: BusState) => void) => {
        this.bus = handler;
        if (this.#connected) handler(CONNECTED);
        return () => undefined;
      },
      exportObject: () => ({ changed: () => undefined, remove: () => undefined }),
      requestName: () => () => undefined,
      close: () => undefined,
    } as unknown as Bus;
  }

  #fakeRpmOstree(): RpmOstree {
    const read = async (): Promise<HostReading> => {
      this.asked.push('read');
      await this.readable;
      return reading(this.#now().mono, 1, this.pending);
    };
    return {
      read,
      stage: (_: unknown, options: StageOptions) => {
        const outcome = open<HostReading>();
        this.stages.push({ options, outcome });
        return outcome.promise;
      },
      discard: read,
      finalize: (_: unknown, options: FinalizeOptions) => {
        this.asked.push('finalize');
        const outcome = open<unknown>();
        this.finalizes.push({ options, outcome });
        return outcome.promise.then(() => undefined);
      },
      rollback: () => {
        this.asked.push('rollback');
        return Promise.resolve();
      },
      registerDriver: () => {
        this.asked.push('register-driver');
        return Promise.resolve(this.isDriverTaken);
      },
      watch: () => () => undefined,
    };
  }

  #now(): Instant {
    const { wall, mono } = this.stands ?? systemClock();
    return { wall: wall + this.later, mono: mono + this.later };
  }

  /** How often something was asked. */
  count(what: string): number {
    return this.asked.filter((one) => one === what).length;
  }

  shown(): Readonly<Record<string, unknown>> {
    return JSON.parse(readFileSync(join(this.runDir, 'status.json'), 'utf8')) as Record<string, unknown>;
  }
}

/** Memory and host of an agent that has release 2 staged. */
export const STAGED = {
  memory: { target: { release: target(2), staged: true, ours: true, deployment: null } },
  pending: stagedDeployment(2),
};

export interface Locks {
  readonly config: string;
  readonly log: string[];
  /** Answers the oldest question that is held open. */
  readonly grant: () => void;
  /** From now on nothing at all is answered. */
  readonly stall: () => void;
}

/** A lock server that grants what it is asked when the test says so; steadiness is taken note of at once. */
export async function startLocks(): Promise<Locks> {
  const log: string[] = [];
  const waiting: (() => void)[] = [];
  let stalled = false;
  const server: Server = createServer((request: IncomingMessage, response) => {
    const operation = request.url?.split('/').at(-1) ?? '';
    log.push(operation);
    const yes = (): void => void response.writeHead(200).end();
    request.resume().on('end', () => (operation === 'pre-reboot' || stalled ? waiting.push(yes) : yes()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const config = `updates.strategy = "fleet_lock"\nupdates.fleet_lock.base_url = "http://127.0.0.1:${port}/"\n`;
  return { config, log, grant: () => waiting.shift()?.(), stall: () => void (stalled = true) };
}

export async function until(check: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(check()).toBe(true), { timeout: 10_000, interval: 5 });
}
