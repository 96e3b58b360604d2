import { type Bus, Variant } from '../bus/api.ts';

/** The interface through which properties are read, and their changes told. */
export const PROPERTIES = 'org.freedesktop.DBus.Properties';

/** A property of an object of another service. */
export interface Property {
  readonly service: string;
  readonly path: string;
  readonly interface: string;
  readonly name: string;
  /** Its D-Bus type. */
  readonly type: string;
}

/** How a property is asked for. */
export interface PropertyRequest {
  readonly timeoutMs: number;
  /** Whether the service may be started for this. */
  readonly autoStart: boolean;
}

/** Reads a property; undefined when it cannot be had for whatever reason, or is of another type. Never rejects. */
export async function readProperty(bus: Bus, property: Property, request: PropertyRequest): Promise<unknown> {
  try {
    const [value] = await bus.call({
      destination: property.service,
      path: property.path,
      interface: PROPERTIES,
      member: 'Get',
      signature: 'ss',
      body: [property.interface, property.name],
      timeoutMs: request.timeoutMs,
      noAutoStart: !request.autoStart,
    });
    return value instanceof Variant && value.signature === property.type ? value.value : undefined;
  } catch {
    return undefined;
  }
}
