import { readCapped } from '../base/files.ts';
import { BusError, type ExportedInterface, type ExportedProperty, Variant } from './api.ts';
import { introspectionXml } from './introspect.ts';

const ERROR = 'org.freedesktop.DBus.Error';

/** One place in the tree of exported objects. */
export interface ExportedNode {
  /** None for a place that only has children. */
  readonly interfaces: readonly ExportedInterface[];
  /** Last parts of the paths below. */
  readonly children: readonly string[];
}

/** The interfaces that the D-Bus specification wants of every object: Peer, Introspectable, and Properties. */
export function standardInterfaces(node: ExportedNode): readonly ExportedInterface[] {
  const always: readonly ExportedInterface[] = [
    {
      name: 'org.freedesktop.DBus.Peer',
      methods: {
        Ping: { handle: () => [] },
        GetMachineId: { out: [{ name: 'machine_uuid', type: 's' }], handle: () => [machineId()] },
      },
    },
    {
      name: 'org.freedesktop.DBus.Introspectable',
      methods: {
        Introspect: {
          out: [{ name: 'xml_data', type: 's' }],
          handle: () => [introspectionXml(node.interfaces, node.children)],
        },
      },
    },
  ];
  return node.interfaces.length === 0 ? always : [...always, propertiesInterface(node.interfaces)];
}

function machineId(): string {
  const id = readCapped('/etc/machine-id', 4096)?.trim() ?? '';
  if (!/^[0-9a-f]{32}$/.test(id)) throw new BusError(`${ERROR}.Failed`, 'this host has no machine id');
  return id;
}

function propertiesInterface(interfaces: readonly ExportedInterface[]): ExportedInterface {
  const [name, property, value, all] = [
    { name: 'interface_name', type: 's' },
    { name: 'property_name', type: 's' },
    { name: 'value', type: 'v' },
    { name: 'properties', type: 'a{sv}' },
  ];
  return {
    name: 'org.freedesktop.DBus.Properties',
    methods: {
      Get: {
        in: [name, property],
        out: [value],
        handle: ({ args }) => [valueOf(find(interfaces, String(args[0]), String(args[1])))],
      },
      GetAll: {
        in: [name],
        out: [all],
        handle: ({ args }) => [propertyValues(interfaces, String(args[0]))],
      },
      Set: {
        in: [name, property, value],
        handle: ({ args }): never => {
          find(interfaces, String(args[0]), String(args[1]));
          throw new BusError(`${ERROR}.PropertyReadOnly`, `the property ${String(args[1])} cannot be set`);
        },
      },
    },
  };
}

/** Present values of some properties of an interface, or of all. Throws `BusError` when there is no such thing. */
export function propertyValues(
  interfaces: readonly ExportedInterface[],
  interfaceName: string,
  names?: readonly string[],
): Readonly<Record<string, Variant>> {
  const wanted = names ?? Object.keys(findInterface(interfaces, interfaceName).properties ?? {});
  return Object.fromEntries(wanted.map((name) => [name, valueOf(find(interfaces, interfaceName, name))]));
}

function valueOf(property: ExportedProperty): Variant {
  return new Variant(property.type, property.get());
}

function findInterface(interfaces: readonly ExportedInterface[], name: string): ExportedInterface {
  const found = interfaces.find((one) => one.name === name);
  if (found === undefined) throw new BusError(`${ERROR}.UnknownInterface`, `no interface ${name} here`);
  return found;
}

function find(interfaces: readonly ExportedInterface[], interfaceName: string, name: string): ExportedProperty {
  const { properties = {} } = findInterface(interfaces, interfaceName);
  const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
  if (property === undefined) throw new BusError(`${ERROR}.UnknownProperty`, `no property ${name} in ${interfaceName}`);
  return property;
}
