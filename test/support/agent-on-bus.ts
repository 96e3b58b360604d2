import { onTestFinished } from 'vitest';
import { AGENT_NAME, AGENT_PATH } from '../../src/agent/dbus/names.ts';
import type { Bus, ExportedInterface, ExportedMethod, ExportedObject, ExportedProperty } from '../../src/bus/api.ts';
import { connectedBus, takeName } from './bus.ts';

/** Somebody on a bus who stands for the agent. */
export interface StandIn {
  readonly bus: Bus;
  readonly object: ExportedObject;
  /** Sets properties, and tells of it. */
  readonly set: (values: Readonly<Record<string, unknown>>) => void;
}

/** What the stand-in has: methods, and properties by their type and first value. */
export interface StandInParts {
  readonly methods?: Readonly<Record<string, ExportedMethod>>;
  readonly properties?: Readonly<Record<string, readonly [type: string, value: unknown]>>;
}

/** Stands for the agent until the test is over. Resolves when it has the name. */
export async function standIn(address: string, { methods = {}, properties = {} }: StandInParts): Promise<StandIn> {
  const bus = await connectedBus(address);
  const values = Object.fromEntries(Object.entries(properties).map(([name, [, value]]) => [name, value]));
  const exported = Object.entries(properties).map(([name, [type]]): [string, ExportedProperty] => {
    return [name, { type, get: () => values[name] }];
  });
  const description: ExportedInterface = { name: AGENT_NAME, methods, properties: Object.fromEntries(exported) };
  const object = bus.exportObject(AGENT_PATH, [description]);
  await takeName(bus, AGENT_NAME);
  onTestFinished(() => bus.close());
  return {
    bus,
    object,
    set: (changes) => {
      Object.assign(values, changes);
      object.changed(AGENT_NAME, Object.keys(changes));
    },
  };
}
