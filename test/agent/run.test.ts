import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type IncomingMessage, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Memory, freshMemory } from '../../src/agent/machine/memory.ts';
import type { MemoryStore } from '../../src/agent/memory-store.ts';
import { Agent } from '../../src/agent/run.ts';
import type { Situation } from '../../src/agent/settings.ts';
import { systemClock } from '../../src/base/clock.ts';
import { FailureError } from '../../src/base/failure.ts';
import { createLog } from '../../src/base/log.ts';
import type { Bus, BusState, MethodCall } from '../../src/bus/api.ts';
import { buildConfig } from '../../src/config/load.ts';
import type { Graph } from '../../src/graph/types.ts';
import type { HostReading } from '../../src/host/rpm-ostree/deployment.ts';
import type { FinalizeOptions, RpmOstree } from '../../src/host/rpm-ostree/client.ts';
import { reading, stagedDeployment, target } from '../support/agent-builders.ts';

const CONNECTED: BusState = { connected: true, uniqueName: ':1.1' };
const NODE = 'identity.node_uuid = "00000000000040008000000000000001"\n';

function configOf(text: string): Situation['config'] {
  const { config, problems } = buildConfig([{ path: 'test.toml', text }]);
  if (config === null) throw new Error(JSON.stringify(problems));
  return config;
}

/** A promise that the test settles. */
interface Open<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

function open<T>(): Open<T> {
  let [resolve, reject]: [(value: T) => void, (error: Error) => void] = [() => undefined, () => undefined];
  const promise = new Promise<T>((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
}

interface Options {
  readonly config?: string;
  readonly memory?: Partial<Memory>;
  readonly pending?: HostReading['next'];
}

/** An agent in a world of which the test makes every move. */
class Shell {
  readonly said: string[] = [];
  readonly status: string[] = [];
  readonly finalizes: { readonly options: FinalizeOptions; readonly outcome: Open<unknown> }[] = [];
  readonly graphs: Open<Graph>[] = [];
  readonly asked: string[] = [];
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

  constructor({ config = '', memory, pending = null }: Options = {}) {
    this.memory = memory === undefined ? null : { ...freshMemory('boot-1'), ...memory };
    this.pending = pending;
    const write = (line: string): void => void this.said.push(line.trim());
    this.agent = new Agent({
      bus: this.#fakeBus(),
      rpmOstree: this.#fakeRpmOstree(),
      clock: systemClock,
      dice: () => 0,
      log: createLog({ format: 'text', level: 'debug', write, journald: true }),
      notifier: {
        ready: () => undefined,
        status: (line) => void this.status.push(line),
        stopping: () => undefined,
        close: () => undefined,
      },
      store: {
        load: () => ({ memory: this.memory, problems: [] }),
        save: (saved: Memory) => void (this.memory = saved),
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
        handler(CONNECTED);
        return () => undefined;
      },
      close: () => undefined,
    } as unknown as Bus;
  }

  #fakeRpmOstree(): RpmOstree {
    const read = (): Promise<HostReading> => Promise.resolve(reading(systemClock().mono, 1, this.pending));
    return {
      read,
      stage: () => new Promise(() => undefined),
      discard: read,
      finalize: (_: unknown, options: FinalizeOptions) => {
        this.asked.push('finalize');
        const outcome = open<unknown>();
        this.finalizes.push({ options, outcome });
        return outcome.promise.then(() => undefined);
      },
      registerDriver: () => {
        this.asked.push('register-driver');
        return Promise.resolve(this.isDriverTaken);
      },
      watch: () => () => undefined,
    };
  }

  shown(): Readonly<Record<string, unknown>> {
    return JSON.parse(readFileSync(join(this.runDir, 'status.json'), 'utf8')) as Record<string, unknown>;
  }
}

/** Memory and host of an agent that has release 2 staged. */
const STAGED = {
  memory: { target: { release: target(2), staged: true, ours: true, deployment: null } },
  pending: stagedDeployment(2),
};

interface Locks {
  readonly config: string;
  readonly log: string[];
  /** Answers the oldest question that is held open. */
  readonly grant: () => void;
}

/** A lock server that grants what it is asked when the test says so; steadiness is taken note of at once. */
async function startLocks(): Promise<Locks> {
  const log: string[] = [];
  const waiting: (() => void)[] = [];
  const server: Server = createServer((request: IncomingMessage, response) => {
    const operation = request.url?.split('/').at(-1) ?? '';
    log.push(operation);
    const yes = (): void => void response.writeHead(200).end();
    request.resume().on('end', () => (operation === 'pre-reboot' ? waiting.push(yes) : yes()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const config = `updates.strategy = "fleet_lock"\nupdates.fleet_lock.base_url = "http://127.0.0.1:${port}/"\n`;
  return { config, log, grant: () => waiting.shift()?.() };
}

async function until(check: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(check()).toBe(true), { timeout: 10_000, interval: 5 });
}

describe('the registration as update driver', () => {
  test('comes when nothing else is wanted of rpm-ostree', async () => {
    const shell = new Shell();
    await until(() => shell.asked.includes('register-driver'));
  });

  test.each(['updates.enabled = false\n', 'updates.source = "staged"\n'])(
    'is left to others with %s, until the configuration says otherwise',
    async (config) => {
      const shell = new Shell({ config });
      await until(() => ['disabled', 'watching'].includes(String(shell.shown()['state'])));
      await new Promise((resolve) => setImmediate(resolve));
      expect(shell.asked).not.toContain('register-driver');
      shell.agent.reconfigure(configOf(NODE));
      await until(() => shell.asked.includes('register-driver'));
    },
  );

  test('that came to nothing is tried again when something has happened, and no more once it is done', async () => {
    const tries = (shell: Shell): number => shell.asked.filter((one) => one === 'register-driver').length;
    const shell = new Shell();
    shell.isDriverTaken = false;
    await until(() => tries(shell) === 1);
    shell.agent.send({ kind: 'tick' });
    expect(tries(shell)).toBe(1);
    shell.isDriverTaken = true;
    for (const expected of [2, 2]) {
      shell.bus({ connected: false, error: 'connect ENOENT', attempts: 1, retryInMs: 200 });
      shell.bus(CONNECTED);
      await until(() => tries(shell) === expected && shell.shown()['state'] === 'watching');
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(tries(shell)).toBe(2);
  });

  test('does not stand in the way of a finalize', async () => {
    const shell = new Shell(STAGED);
    await until(() => shell.finalizes.length > 0);
    expect(shell.asked).not.toContain('register-driver');
    shell.agent.reconfigure(configOf(`${NODE}updates.strategy = "periodic"\n`));
    shell.finalizes[0]?.outcome.reject(new FailureError({ class: 'transient', text: 'an inhibitor' }));
    await until(() => shell.asked.includes('register-driver'));
  });
});

describe('the consent that a finalize is given', () => {
  test('is withdrawn by a new configuration', async () => {
    const shell = new Shell(STAGED);
    await until(() => shell.finalizes.length > 0);
    const withdrawn = shell.finalizes[0]?.options.withdrawn ?? ((): null => null);
    expect(withdrawn()).toBeNull();
    shell.agent.reconfigure(configOf(`${NODE}updates.enabled = false\n`));
    expect(withdrawn()).toMatch('updates.enabled is false');
  });

  test('is withdrawn at once when the agent is to stop, whatever logind takes to answer', async () => {
    const locks = await startLocks();
    const shell = new Shell({ ...STAGED, config: locks.config });
    await until(() => locks.log.includes('pre-reboot'));
    locks.grant();
    await until(() => shell.finalizes.length > 0);
    const logind = open<readonly unknown[]>();
    shell.answer = () => logind.promise;
    const stopped = shell.agent.stop();
    expect(shell.finalizes[0]?.options.withdrawn()).toBe('the agent is stopping');
    shell.finalizes[0]?.outcome.reject(new FailureError({ class: 'transient', text: 'not started' }));
    logind.resolve([]);
    await stopped;
    expect(locks.log.at(-1)).toBe('steady-state');
    expect(shell.memory).toMatchObject({ slot: null, owed: [], finalize: null });
  });
});

describe('a stop', () => {
  test('while the slot is asked for waits until it is given back', async () => {
    const locks = await startLocks();
    const shell = new Shell({ ...STAGED, config: locks.config });
    await until(() => locks.log.includes('pre-reboot'));
    await shell.agent.stop();
    expect(locks.log.at(-1)).toBe('steady-state');
    expect(shell.memory).toMatchObject({ slot: null, owed: [] });
    expect(shell.said.join('\n')).not.toMatch('could not be given back');
  });

  test('with a grant on its way decides nothing while logind is asked', async () => {
    const locks = await startLocks();
    const shell = new Shell({ ...STAGED, config: locks.config });
    await until(() => locks.log.includes('pre-reboot'));
    const logind = open<readonly unknown[]>();
    shell.answer = () => logind.promise;
    const stopped = shell.agent.stop();
    locks.grant();
    await new Promise((resolve) => setImmediate(resolve));
    logind.resolve([]);
    await stopped;
    expect(shell.finalizes).toEqual([]);
    expect(shell.memory).toMatchObject({ slot: null, owed: [] });
  });
});

describe('a new configuration', () => {
  test('without a node id, on a host that has none, is refused: the one before stays', async () => {
    const shell = new Shell();
    await until(() => shell.asked.includes('register-driver'));
    expect(() => shell.agent.reconfigure(configOf('updates.enabled = false\n'))).toThrow(/node_uuid/);
    expect(shell.shown()['state']).toBe('watching');
    shell.agent.reconfigure(configOf(`${NODE}updates.enabled = false\n`));
    expect(shell.shown()['state']).toBe('disabled');
  });
});

describe('an outage of the bus', () => {
  test('is shown for as long as it lasts', async () => {
    const shell = new Shell();
    await until(() => shell.asked.includes('register-driver'));
    const before = shell.status.at(-1);
    shell.bus({ connected: false, error: 'connect ENOENT', attempts: 1, retryInMs: 200 });
    expect(shell.status.at(-1)).toBe(`no connection to the system bus: connect ENOENT; ${before ?? ''}`);
    expect(shell.shown()['line']).toBe(shell.status.at(-1));
    shell.bus(CONNECTED);
    expect(shell.status.at(-1)).not.toMatch('no connection');
    expect(shell.shown()['line']).toBe(shell.status.at(-1));
  });

  test('leaves what is known of other drivers as it is', async () => {
    const shell = new Shell();
    const unit = ['zincati.service', '', 'loaded', 'active', '', '', '', 0, '', ''];
    shell.answer = () => Promise.resolve([[unit]]);
    await until(() => shell.status.at(-1)?.includes('also updating this host: zincati.service') === true);
    shell.answer = () => Promise.reject(new Error('not connected'));
    const before = shell.asked.length;
    shell.agent.reconfigure(configOf(NODE));
    await until(() => shell.asked.length > before);
    await new Promise((resolve) => setImmediate(resolve));
    expect(shell.said.join('\n')).not.toMatch('no longer updates');
  });
});

test('a fault of the agent itself ends it, with what went wrong in the log and the memory as it was', async () => {
  const shell = new Shell(STAGED);
  await until(() => shell.finalizes.length > 0);
  const before = shell.memory;
  // No answer of the real client looks like this.
  shell.agent.send({ kind: 'no such event' } as never);
  expect(await shell.ended).toBeInstanceOf(TypeError);
  expect(shell.said.filter((line) => line.startsWith('<3>'))).toEqual([expect.stringMatching(/handler.*run\.ts|step/)]);
  expect(shell.memory).toEqual(before);
});
