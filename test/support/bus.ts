import { onTestFinished } from 'vitest';
import type { Bus } from '../../src/bus/api.ts';
import { type BusOptions, openBus } from '../../src/bus/bus.ts';
import { type PrivateBus, startDbus } from './dbus.ts';

/** How a connection differs from the default, in which errors that concern no caller are nobody's. */
type Options = Partial<Omit<BusOptions, 'address'>>;

/** Connects to a bus; resolves when it is there. Closed when the test is over. */
export async function connectedBus(address: string, options: Options = {}): Promise<Bus> {
  const bus = openBus({ address, random: Math.random, onError: () => undefined, ...options });
  onTestFinished(() => bus.close());
  await new Promise<void>((resolve) => bus.onState((state) => state.connected && resolve()));
  return bus;
}

/** Takes a name on the bus; resolves with the way to give it back when it is owned. */
export async function takeName(bus: Bus, name: string): Promise<() => void> {
  let leave = (): void => undefined;
  await new Promise<void>((resolve) => (leave = bus.requestName(name, {}, ({ owned }) => owned && resolve())));
  return leave;
}

/** A private bus, and two who are on it. */
export interface BusPair {
  readonly dbus: PrivateBus;
  /** Whoever serves. */
  readonly host: Bus;
  /** Whoever asks. */
  readonly agent: Bus;
}

/** Starts a private bus with two connections, for one test. */
export async function busPair(options: Options = {}): Promise<BusPair> {
  const dbus = await startDbus();
  onTestFinished(() => dbus.stop());
  const { address } = dbus;
  return { dbus, host: await connectedBus(address, options), agent: await connectedBus(address, options) };
}
