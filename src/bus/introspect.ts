import type { Argument, ExportedInterface } from './api.ts';

const DOC = 'org.gtk.GDBus.DocString';

/** What every object offers, besides its own interfaces. */
const STANDARD: readonly string[] = [
  '  <interface name="org.freedesktop.DBus.Peer">',
  '    <method name="Ping"/>',
  '    <method name="GetMachineId"><arg name="machine_uuid" type="s" direction="out"/></method>',
  '  </interface>',
  '  <interface name="org.freedesktop.DBus.Introspectable">',
  '    <method name="Introspect"><arg name="xml_data" type="s" direction="out"/></method>',
  '  </interface>',
];

const PROPERTIES: readonly string[] = [
  '  <interface name="org.freedesktop.DBus.Properties">',
  '    <method name="Get">',
  '      <arg name="interface_name" type="s" direction="in"/>',
  '      <arg name="property_name" type="s" direction="in"/>',
  '      <arg name="value" type="v" direction="out"/>',
  '    </method>',
  '    <method name="GetAll">',
  '      <arg name="interface_name" type="s" direction="in"/>',
  '      <arg name="properties" type="a{sv}" direction="out"/>',
  '    </method>',
  '    <method name="Set">',
  '      <arg name="interface_name" type="s" direction="in"/>',
  '      <arg name="property_name" type="s" direction="in"/>',
  '      <arg name="value" type="v" direction="in"/>',
  '    </method>',
  '    <signal name="PropertiesChanged">',
  '      <arg name="interface_name" type="s"/>',
  '      <arg name="changed_properties" type="a{sv}"/>',
  '      <arg name="invalidated_properties" type="as"/>',
  '    </signal>',
  '  </interface>',
];

/** Introspection data of a node (D-Bus specification, "Introspection Data Format"); docs become annotations. */
export function introspectionXml(interfaces: readonly ExportedInterface[], children: readonly string[]): string {
  return [
    '<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"',
    ' "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">',
    '<node>',
    ...STANDARD,
    ...(interfaces.length > 0 ? PROPERTIES : []),
    ...interfaces.flatMap(describe),
    ...children.map((name) => `  <node name="${escape(name)}"/>`),
    '</node>',
    '',
  ].join('\n');
}

function describe(one: ExportedInterface): string[] {
  const methods = Object.entries(one.methods ?? {}).flatMap(([name, method]) =>
    member('method', `name="${escape(name)}"`, [
      ...(method.in ?? []).map((value) => argument(value, ' direction="in"')),
      ...(method.out ?? []).map((value) => argument(value, ' direction="out"')),
      ...documentation(method.doc),
    ]),
  );
  const signals = Object.entries(one.signals ?? {}).flatMap(([name, signal]) =>
    member('signal', `name="${escape(name)}"`, [
      ...(signal.args ?? []).map((value) => argument(value, '')),
      ...documentation(signal.doc),
    ]),
  );
  const properties = Object.entries(one.properties ?? {}).flatMap(([name, { type, doc }]) =>
    member('property', `name="${escape(name)}" type="${escape(type)}" access="read"`, documentation(doc)),
  );
  const docs = documentation(one.doc).map((line) => `    ${line}`);
  return [`  <interface name="${escape(one.name)}">`, ...docs, ...methods, ...signals, ...properties, '  </interface>'];
}

function member(tag: string, attributes: string, inside: readonly string[]): string[] {
  if (inside.length === 0) return [`    <${tag} ${attributes}/>`];
  return [`    <${tag} ${attributes}>`, ...inside.map((line) => `      ${line}`), `    </${tag}>`];
}

function argument(value: Argument, direction: string): string {
  return `<arg name="${escape(value.name)}" type="${escape(value.type)}"${direction}/>`;
}

function documentation(doc: string | undefined): string[] {
  return doc === undefined ? [] : [`<annotation name="${DOC}" value="${escape(doc)}"/>`];
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char);
}
