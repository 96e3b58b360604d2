/** An argument of a method or signal. */
export interface Argument {
  /** One complete D-Bus type. */
  readonly type: string;
  readonly name: string;
}

/** A method: what it takes and what it answers. */
export interface MethodSpec {
  readonly in: readonly Argument[];
  readonly out: readonly Argument[];
}

/** A D-Bus interface, from which calls are checked and introspection is answered. */
export interface InterfaceSpec {
  readonly name: string;
  readonly methods: ReadonlyMap<string, MethodSpec>;
  readonly signals: ReadonlyMap<string, readonly Argument[]>;
  /** Name → one complete D-Bus type; all are read-only. */
  readonly properties: ReadonlyMap<string, string>;
}

interface InterfaceText {
  readonly methods?: Readonly<Record<string, string>>;
  readonly signals?: Readonly<Record<string, string>>;
  readonly properties?: Readonly<Record<string, string>>;
}

/**
 * Describes an interface in short: methods as `a{sv} options, s name -> s address`, signals as a list of arguments,
 * properties by their type.
 */
export function describe(name: string, text: InterfaceText): InterfaceSpec {
  const map = <Value>(part: Readonly<Record<string, string>> = {}, read: (line: string) => Value): Map<string, Value> =>
    new Map(Object.entries(part).map(([member, line]) => [member, read(line)]));
  return {
    name,
    methods: map(text.methods, method),
    signals: map(text.signals, list),
    properties: map(text.properties, String),
  };
}

function method(line: string): MethodSpec {
  const [input = '', output = ''] = line.split('->');
  return { in: list(input), out: list(output) };
}

function list(line: string): Argument[] {
  const parts = line.split(',').filter((part) => part.trim() !== '');
  return parts.map((part) => {
    const [type = '', name = ''] = part.trim().split(' ');
    return { type, name };
  });
}

/** The signature of a list of arguments. */
export function signatureOf(list: readonly Argument[]): string {
  return list.map(({ type }) => type).join('');
}

/** The interfaces that every object has. */
export const PROPERTIES = describe('org.freedesktop.DBus.Properties', {
  methods: {
    Get: 's interface_name, s property_name -> v value',
    GetAll: 's interface_name -> a{sv} properties',
    Set: 's interface_name, s property_name, v value',
  },
  signals: { PropertiesChanged: 's interface_name, a{sv} changed_properties, as invalidated_properties' },
});
export const INTROSPECTABLE = describe('org.freedesktop.DBus.Introspectable', {
  methods: { Introspect: '-> s xml_data' },
});
export const PEER = describe('org.freedesktop.DBus.Peer', {
  methods: { Ping: '', GetMachineId: '-> s machine_uuid' },
});

const QT_NAMES: Readonly<Record<string, string>> = {
  'a{sv}': 'QVariantMap',
  'aa{sv}': 'QVariantList',
  'a(sua{sv})': 'QVariantList',
  'a{ss}': 'QMap&lt;QString,QString&gt;',
};
const QT_PROPERTY_NAMES: Readonly<Record<string, string>> = {
  'a{sv}': 'QVariantMap',
  'aa{sv}': 'QList&lt;QVariantMap&gt;',
  '(sss)': 'QStringList',
};
const QT = 'org.qtproject.QtDBus.QtTypeName';

/** The introspection document of an object, laid out as GDBus does. */
export function introspection(interfaces: readonly InterfaceSpec[]): string {
  const lines = [PROPERTIES, INTROSPECTABLE, PEER, ...interfaces].flatMap(interfaceLines);
  return `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
                      "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
<!-- GDBus 2.74.6 -->
<node>
${lines.map((line) => `  ${line}\n`).join('')}</node>
`;
}

function interfaceLines(spec: InterfaceSpec): string[] {
  const standard = spec.name.startsWith('org.freedesktop.DBus.');
  return element(`interface name="${spec.name}"`, 'interface', [
    ...[...spec.methods].flatMap(([name, types]) => methodLines(name, types, standard)),
    ...[...spec.signals].flatMap(([name, list]) => element(`signal name="${name}"`, 'signal', argumentLines(list, ''))),
    ...[...spec.properties].flatMap(([name, type]) => propertyLines(name, type)),
  ]);
}

function methodLines(name: string, types: MethodSpec, standard: boolean): string[] {
  const annotations = standard ? [] : [...qtLines(types.in, 'In'), ...qtLines(types.out, 'Out')];
  const lines = [...annotations, ...argumentLines(types.in, 'in'), ...argumentLines(types.out, 'out')];
  return element(`method name="${name}"`, 'method', lines);
}

function propertyLines(name: string, type: string): string[] {
  const qt = QT_PROPERTY_NAMES[type];
  const annotation = qt === undefined ? [] : [`<annotation name="${QT}" value="${qt}"/>`];
  return element(`property type="${type}" name="${name}" access="read"`, 'property', annotation);
}

function qtLines(list: readonly Argument[], direction: 'In' | 'Out'): string[] {
  return list.flatMap(({ type }, index) => {
    const qt = QT_NAMES[type];
    return qt === undefined ? [] : [`<annotation name="${QT}.${direction}${index}" value="${qt}"/>`];
  });
}

function argumentLines(list: readonly Argument[], direction: string): string[] {
  const suffix = direction === '' ? '' : ` direction="${direction}"`;
  return list.map(({ type, name }) => `<arg type="${type}" name="${name}"${suffix}/>`);
}

function element(open: string, close: string, content: readonly string[]): string[] {
  if (content.length === 0) return [`<${open}/>`];
  return [`<${open}>`, ...content.map((line) => `  ${line}`), `</${close}>`];
}
