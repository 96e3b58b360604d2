import { Variant } from 'dbus-next/lib/variant.js';
import { errorText } from '../../base/text.ts';
import type { Incoming } from './codec.ts';
import { WireError } from './connection.ts';
import type { Connection, Sent } from './connection.ts';
import { INTROSPECTABLE, introspection, PEER, PROPERTIES, signatureOf } from './interface.ts';
import type { InterfaceSpec, MethodSpec } from './interface.ts';

/** Values of a reply, in the order of the method's out arguments. */
export type Reply = readonly unknown[];

/** One interface of an object: what it says of itself, and what it does. */
export interface Served {
  readonly spec: InterfaceSpec;
  /** By member; one that is left out answers NotSupported. Errors other than `WireError` answer as Failed. */
  readonly methods: Readonly<Record<string, (call: Incoming) => Reply | Promise<Reply>>>;
  /** The value of every property, as it is now. */
  readonly properties?: () => Readonly<Record<string, unknown>>;
}

/** What happens to a call in place of an answer by an object. */
export type Disturbance =
  | { readonly kind: 'silence' }
  | { readonly kind: 'answer'; readonly signature: string; readonly body: readonly unknown[] }
  | { readonly kind: 'error'; readonly error: WireError };

/** Objects by path. */
export type Objects = () => ReadonlyMap<string, readonly Served[]>;

const ERRORS = 'org.freedesktop.DBus.Error';

/** Answers every call that arrives on `connection` from these objects, unless `disturb` has something else in mind. */
export function serve(
  connection: Connection,
  objects: Objects,
  machineId: () => string,
  disturb: (call: Incoming) => Disturbance | null = () => null,
): void {
  const answer = async (call: Incoming): Promise<void> => {
    try {
      const disturbance = disturb(call);
      if (disturbance?.kind === 'silence') return;
      if (disturbance?.kind === 'error') throw disturbance.error;
      if (disturbance !== null) {
        connection.reply(call, disturbance.signature, disturbance.body);
        return;
      }
      const { types, method } = locate(objects(), call, machineId);
      checkArguments(types, call);
      connection.reply(call, signatureOf(types.out), await method(call));
    } catch (error) {
      const known = error instanceof WireError ? error : new WireError(`${ERRORS}.Failed`, errorText(error));
      connection.fail(call, known);
    }
  };
  connection.onCall((call) => void answer(call));
}

/** The wire form of `values`: each in a variant of its property's type. */
export function variants(spec: InterfaceSpec, values: Readonly<Record<string, unknown>>): Record<string, Variant> {
  const entries = Object.entries(values).map(([name, value]) => {
    return [name, new Variant(spec.properties.get(name) ?? '', value)] as const;
  });
  return Object.fromEntries(entries);
}

/** The signal that properties of an object have these values now. */
export function propertiesChanged(path: string, spec: InterfaceSpec, values: Readonly<Record<string, unknown>>): Sent {
  const body = [spec.name, variants(spec, values), []];
  return { path, interface: PROPERTIES.name, member: 'PropertiesChanged', signature: 'sa{sv}as', body };
}

interface Located {
  readonly types: MethodSpec;
  readonly method: (call: Incoming) => Reply | Promise<Reply>;
}

/** What a call is for. Throws the error with which it is to be answered when there is no such thing. */
function locate(objects: ReturnType<Objects>, call: Incoming, machineId: () => string): Located {
  const { path = '', member = '' } = call;
  const interfaces = objects.get(path);
  if (interfaces === undefined) throw unknown(`Object does not exist at path “${path}”`);
  const served = findInterface([...interfaces, ...standard(interfaces, machineId)], call);
  if (served === undefined) throw unknown(`No such interface “${call.interface ?? ''}” on object at path ${path}`);
  const types = served.spec.methods.get(member);
  if (types === undefined) throw unknown(`No such method “${member}”`);
  const method = served.methods[member];
  if (method === undefined) throw new WireError(`${ERRORS}.NotSupported`, `${member} is not simulated`);
  return { types, method };
}

function findInterface(interfaces: readonly Served[], call: Incoming): Served | undefined {
  if (call.interface !== undefined) return interfaces.find(({ spec }) => spec.name === call.interface);
  return interfaces.find(({ spec }) => spec.methods.has(call.member ?? ''));
}

function checkArguments(types: MethodSpec, call: Incoming): void {
  const expected = signatureOf(types.in);
  if (call.signature === expected) return;
  throw new WireError(
    `${ERRORS}.InvalidArgs`,
    `Type of message, “(${call.signature})”, does not match expected type “(${expected})”`,
  );
}

/** GDBus gives this one error for unknown objects, interfaces and methods. */
function unknown(text: string): WireError {
  return new WireError(`${ERRORS}.UnknownMethod`, text);
}

function standard(interfaces: readonly Served[], machineId: () => string): Served[] {
  const named = (name: unknown): Served => {
    const found = interfaces.find(({ spec }) => spec.name === name);
    if (found === undefined) throw new WireError(`${ERRORS}.InvalidArgs`, `No such interface “${String(name)}”`);
    return found;
  };
  const all = (served: Served): Record<string, Variant> => variants(served.spec, served.properties?.() ?? {});
  const noProperty = (name: unknown): WireError =>
    new WireError(`${ERRORS}.InvalidArgs`, `No such property “${String(name)}”`);
  return [
    {
      spec: PROPERTIES,
      methods: {
        GetAll: ({ body: [iface] }) => [all(named(iface))],
        Get: ({ body: [iface, name] }) => {
          const value = all(named(iface))[String(name)];
          if (value === undefined) throw noProperty(name);
          return [value];
        },
        Set: ({ body: [iface, name] }) => {
          if (!named(iface).spec.properties.has(String(name))) throw noProperty(name);
          throw new WireError(`${ERRORS}.InvalidArgs`, `Property “${String(name)}” is not writable`);
        },
      },
    },
    { spec: INTROSPECTABLE, methods: { Introspect: () => [introspection(interfaces.map(({ spec }) => spec))] } },
    { spec: PEER, methods: { Ping: () => [], GetMachineId: () => [machineId()] } },
  ];
}
