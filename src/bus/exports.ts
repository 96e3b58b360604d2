import { isInterfaceNameValid, isMemberNameValid, isObjectPathValid } from 'dbus-next/lib/validators.js';
import {
  BusError,
  type Argument,
  type ExportedInterface,
  type ExportedMethod,
  type ExportedObject,
  type SignalToSend,
} from './api.ts';
import { type Incoming, MESSAGE_FLAG } from './codec.ts';
import type { Answer } from './connection.ts';
import { readSingleType } from './signature.ts';
import { type ExportedNode, propertyValues, standardInterfaces } from './standard.ts';
import type { CallsUnderWay } from './under-way.ts';

const ERROR = 'org.freedesktop.DBus.Error';

/** Of calls that are over before anybody could leave. */
const NEVER = new AbortController().signal;

type UidOf = (sender: string) => () => Promise<number>;

/** The objects that we export, and the answers to calls to them. */
export class Exports {
  readonly #objects = new Map<string, readonly ExportedInterface[]>();
  readonly #uidOf: UidOf;
  readonly #underWay: CallsUnderWay;
  readonly #emit: (signal: SignalToSend) => void;

  constructor(uidOf: UidOf, underWay: CallsUnderWay, emit: (signal: SignalToSend) => void) {
    this.#uidOf = uidOf;
    this.#underWay = underWay;
    this.#emit = emit;
  }

  /** Throws a TypeError when a name or type is not valid, or the path is taken. */
  add(path: string, interfaces: readonly ExportedInterface[]): ExportedObject {
    if (!isObjectPathValid(path)) throw new TypeError(`"${path}" is not an object path`);
    if (this.#objects.has(path)) throw new TypeError(`${path}: exported already`);
    for (const one of interfaces) checkInterface(one);
    this.#objects.set(path, interfaces);
    return {
      changed: (name, properties) =>
        this.#emit({
          path,
          interface: 'org.freedesktop.DBus.Properties',
          member: 'PropertiesChanged',
          signature: 'sa{sv}as',
          body: [name, propertyValues(interfaces, name, properties), []],
        }),
      emit: (name, signal, body = []) => {
        const args = interfaces.find((one) => one.name === name)?.signals?.[signal]?.args ?? [];
        this.#emit({ path, interface: name, member: signal, signature: signatureOf(args), body });
      },
      remove: () => this.#objects.delete(path),
    };
  }

  /** Carries out a call. Rejects with `BusError` when there is no such method or its arguments are of other types. */
  async answer(call: Incoming): Promise<Answer> {
    const { method, isStandard } = this.#find(call);
    const expected = signatureOf(method.in);
    if (call.signature !== expected)
      throw new BusError(`${ERROR}.InvalidArgs`, `expected arguments "${expected}", found "${call.signature}"`);
    const { sender } = call;
    if (sender === undefined) throw new BusError(`${ERROR}.AccessDenied`, 'a call without a sender');
    const interactive = (call.flags & MESSAGE_FLAG.allowInteractiveAuthorization) !== 0;
    const known = { args: call.body(), sender, interactive, uid: this.#uidOf(sender) };
    const work = (gone: AbortSignal): ReturnType<ExportedMethod['handle']> => method.handle({ ...known, gone });
    // What D-Bus wants of every object is answered at once: nobody is kept from it by what takes long.
    const body = await (isStandard ? work(NEVER) : this.#underWay.run(sender, work));
    return { signature: signatureOf(method.out), body };
  }

  #find(call: Incoming): { readonly method: ExportedMethod; readonly isStandard: boolean } {
    const node = this.#node(call.path ?? '');
    const own = new Set(node.interfaces);
    const all = [...own, ...standardInterfaces(node)];
    const wanted = call.interface === undefined ? all : all.filter((one) => one.name === call.interface);
    if (wanted.length === 0)
      throw new BusError(`${ERROR}.UnknownInterface`, `no interface ${call.interface ?? ''} here`);
    const member = call.member ?? '';
    for (const one of wanted) {
      const { methods = {} } = one;
      const method = Object.hasOwn(methods, member) ? methods[member] : undefined;
      if (method !== undefined) return { method, isStandard: !own.has(one) };
    }
    throw new BusError(`${ERROR}.UnknownMethod`, `no method ${member} here`);
  }

  /** Parents of what is exported exist too, so that others can find their way. */
  #node(path: string): ExportedNode {
    const prefix = path === '/' ? '/' : `${path}/`;
    const below = [...this.#objects.keys()].filter((other) => other !== path && other.startsWith(prefix));
    const children = [...new Set(below.map((other) => other.slice(prefix.length).split('/')[0] ?? ''))];
    const interfaces = this.#objects.get(path);
    if (interfaces === undefined && children.length === 0 && path !== '/')
      throw new BusError(`${ERROR}.UnknownObject`, `no object ${path} here`);
    return { interfaces: interfaces ?? [], children };
  }
}

function signatureOf(args: readonly Argument[] = []): string {
  return args.map(({ type }) => type).join('');
}

function checkInterface(one: ExportedInterface): void {
  if (!isInterfaceNameValid(one.name)) throw new TypeError(`"${one.name}" is not an interface name`);
  const { methods = {}, properties = {}, signals = {} } = one;
  for (const name of [methods, properties, signals].flatMap((members) => Object.keys(members)))
    if (!isMemberNameValid(name)) throw new TypeError(`${one.name}: "${name}" is not a member name`);
  const args = [
    ...Object.values(methods).flatMap((method) => [...(method.in ?? []), ...(method.out ?? [])]),
    ...Object.values(signals).flatMap((signal) => signal.args ?? []),
    ...Object.values(properties),
  ];
  for (const { type } of args) readSingleType(type);
}
