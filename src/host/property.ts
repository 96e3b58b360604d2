import { type Bus, type Signal, Variant } from '../bus/api.ts';
import { asDict } from '../bus/dict.ts';

/** The interface through which properties are read, and their changes told. */
export const PROPERTIES = 'org.freedesktop.DBus.Properties';

/** Where a property is: an object of another service. */
export interface PropertyName {
  readonly service: string;
  readonly path: string;
  readonly interface: string;
  readonly name: string;
}

/** A property of one type. */
export interface Property extends PropertyName {
  /** Its D-Bus type. */
  readonly type: string;
}

/** How a property is asked for. */
export interface PropertyRequest {
  readonly timeoutMs: number;
  /** Whether the service may be started for this. */
  readonly autoStart: boolean;
}

/** Asks for a property, of whatever type; undefined when the answer is none. Rejects as `Bus.call` does. */
export async function askProperty(
  bus: Bus,
  { service, path, interface: of, name }: PropertyName,
  { timeoutMs, autoStart }: PropertyRequest,
): Promise<Variant | undefined> {
  const [value] = await bus.call({
    ...{ destination: service, path, interface: PROPERTIES, member: 'Get' },
    ...{ signature: 'ss', body: [of, name], timeoutMs, noAutoStart: !autoStart },
  });
  return value instanceof Variant ? value : undefined;
}

/** Reads a property; undefined when it cannot be had for whatever reason, or is of another type. Never rejects. */
export async function readProperty(bus: Bus, property: Property, request: PropertyRequest): Promise<unknown> {
  try {
    const answer = await askProperty(bus, property, request);
    return answer?.signature === property.type ? answer.value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether a signal `PropertiesChanged` tells of one of these properties of an interface. Its body is `sa{sv}as`: the
 * interface, properties with their new values, and names of some whose value is not sent.
 */
export function tellsOf({ body: [from, values, invalidated] }: Signal, of: string, names: readonly string[]): boolean {
  if (from !== of) return false;
  const dict = asDict(values) ?? {};
  return names.some((name) => Object.hasOwn(dict, name) || (Array.isArray(invalidated) && invalidated.includes(name)));
}
