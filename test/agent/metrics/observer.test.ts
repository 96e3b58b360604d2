import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type Server, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createMetrics } from '../../../src/agent/metrics/observer.ts';
import type { Observer, Sight } from '../../../src/agent/observer.ts';
import { createLog } from '../../../src/base/log.ts';
import { instant } from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { configOf } from '../../support/agent-shell.ts';
import { held, settled } from '../../support/agent-situations.ts';
import { parseExposition } from '../../support/exposition.ts';

interface Metrics {
  readonly http: string;
  readonly plain: string;
  readonly said: string[];
  readonly observer: Observer;
  readonly see: (driver: Driver, config?: string, timeOnly?: boolean) => void;
  /** What is on zincati's socket. */
  readonly read: () => Promise<string>;
  /** Milliseconds since boot. */
  now: number;
}

const FILES = { bootId: 'boot-1', machineId: null, cmdline: 'ignition.platform.id=qemu' };

function start(): Metrics {
  const runDir = mkdtempSync(join(tmpdir(), 'hp-scrape-'));
  const said: string[] = [];
  const write = (text: string): void => void said.push(text.trim());
  const log = createLog({ format: 'text', level: 'warn', write, journald: false });
  const clock = (): ReturnType<typeof instant> => instant(metrics.now);
  const observer = createMetrics({ runDir, files: FILES, nodeArch: 'x64', clock, log });
  onTestFinished(async () => {
    await observer.close(AbortSignal.timeout(1_000));
    rmSync(runDir, { recursive: true, force: true });
  });
  const plain = join(runDir, 'metrics.promsock');
  const metrics: Metrics = {
    http: join(runDir, 'metrics.sock'),
    plain,
    said,
    observer,
    now: 60_000,
    see: (driver, config = '', timeOnly = false) => {
      const { state } = driver;
      const event: Sight['event'] = timeOnly ? null : { kind: 'tick', at: clock(), dice: 0 };
      observer.see({ before: state, after: state, at: clock(), event, line: '', config: configOf(config) });
    },
    read: async () => {
      let text = '';
      const socket = connect(plain).setEncoding('utf8');
      socket.on('data', (part: string) => (text += part));
      await once(socket, 'close');
      return text;
    },
  };
  return metrics;
}

const opened = ({ http, plain }: Metrics): Promise<void> =>
  vi.waitFor(() => expect([existsSync(http), existsSync(plain)]).toEqual([true, true]), { interval: 5 });

test('what is read is the state as last seen', async () => {
  const metrics = start();
  metrics.see(settled());
  await opened(metrics);
  const first = parseExposition(await metrics.read());
  expect(first.get('holdpoint_state{state="watching"}')).toBe(1);
  expect(first.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
  metrics.see(held({}, { pause: true }));
  const second = parseExposition(await metrics.read());
  expect(second.get('holdpoint_state{state="holding"}')).toBe(1);
  expect(
    second.get('zincati_identity_os_info{os_version="42.1",basearch="x86_64",stream="stable",platform="qemu"}'),
  ).toBe(1);
});

test('who reads all the time gets the same text for a second, unless something happens', async () => {
  const metrics = start();
  const driver = settled();
  metrics.see(driver);
  await opened(metrics);
  const cpu = async (): Promise<number | undefined> =>
    parseExposition(await metrics.read()).get('process_cpu_seconds_total');
  const first = await cpu();
  metrics.now += 999;
  expect(await cpu()).toBe(first);
  metrics.now += 1;
  const second = await cpu();
  expect(second).not.toBe(first);
  metrics.see(driver);
  expect(await cpu()).not.toBe(second);
});

test('nothing is opened where it is turned off', async () => {
  const metrics = start();
  metrics.see(settled(), 'metrics.enabled = false\n');
  await metrics.observer.close(AbortSignal.timeout(1_000));
  expect([existsSync(metrics.http), existsSync(metrics.plain)]).toEqual([false, false]);
});

test('what cannot be opened is said once, and tried again when nothing but time has passed', async () => {
  const metrics = start();
  const other: Server = createServer((socket) => socket.on('error', () => undefined).end('other'));
  await new Promise<void>((resolve) => other.listen(metrics.plain, resolve));
  metrics.see(settled());
  await vi.waitFor(() => expect(metrics.said).toHaveLength(1));
  expect(metrics.said[0]).toContain(`no metrics on ${metrics.plain}: another process listens there`);
  metrics.see(settled(), '', true);
  metrics.see(settled());
  expect(await metrics.read()).toBe('other');
  await new Promise((resolve) => other.close(resolve));
  metrics.see(settled(), '', true);
  await opened(metrics);
  expect(await metrics.read()).toContain('holdpoint_build_info');
  expect(metrics.said).toHaveLength(1);
});

test('a socket that somebody has removed is made again', async () => {
  const metrics = start();
  metrics.see(settled());
  await opened(metrics);
  rmSync(metrics.plain);
  metrics.see(settled(), '', true);
  await opened(metrics);
  expect(await metrics.read()).toContain('holdpoint_build_info');
});
