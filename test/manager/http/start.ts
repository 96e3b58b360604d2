import { onTestFinished } from 'vitest';
import { createLog } from '../../../src/base/log.ts';
import { type Access, OPEN_ACCESS } from '../../../src/manager/http/access.ts';
import { type Limits, limitsOf } from '../../../src/manager/http/limits.ts';
import { listen, type Listener } from '../../../src/manager/http/listen.ts';
import { Readiness } from '../../../src/manager/http/probes.ts';
import { publicHandler } from '../../../src/manager/http/public.ts';
import type { TlsFiles } from '../../../src/manager/http/tls.ts';
import type { HttpMeter } from '../../../src/manager/meter.ts';
import { type FakeManager, fakeManager } from './fake-manager.ts';
import { type RawClient, rawClient } from './raw-client.ts';

/** A public listener in front of a fake manager. */
export interface Started {
  readonly manager: FakeManager;
  readonly listener: Listener;
  readonly port: number;
  /** What the meter was told. */
  readonly counted: string[];
  readonly logged: string[];
  /** A new client; closed at the end of the test. */
  readonly client: () => Promise<RawClient>;
}

/** What a test may set. */
export interface StartOptions {
  readonly basePath?: string;
  readonly maxWaitMs?: number;
  readonly access?: () => Access;
  readonly limits?: Partial<Limits>;
  readonly tls?: TlsFiles;
}

/** Starts one on any free port, until the end of the test. */
export async function start(options: StartOptions = {}): Promise<Started> {
  const { basePath = '', maxWaitMs = 50_000, access = () => OPEN_ACCESS, tls = null } = options;
  const manager = fakeManager();
  const counted: string[] = [];
  const logged: string[] = [];
  const meter: HttpMeter = {
    incoming: (operation) => void counted.push(operation),
    decision: (...what) => void counted.push(what.join(' ')),
    storeTime: () => undefined,
    storeError: () => undefined,
  };
  const write = (line: string): void => void logged.push(line);
  const log = createLog({ format: 'text', level: 'debug', journald: true, write });
  const readiness = new Readiness(manager);
  const listener = await listen({
    section: 'service',
    address: '127.0.0.1',
    port: 0,
    tls,
    limits: { ...limitsOf({ maxConnections: 256, requestTimeoutMs: 10_000, maxWaitMs }), ...options.limits },
    handler: publicHandler({ basePath, maxWaitMs, access, manager, readiness, meter, log }),
    log,
  });
  onTestFinished(() => listener.close(0));
  const client = async (): Promise<RawClient> => {
    const one = await rawClient(listener.port);
    onTestFinished(() => one.close());
    return one;
  };
  return { manager, listener, port: listener.port, counted, logged, client };
}
