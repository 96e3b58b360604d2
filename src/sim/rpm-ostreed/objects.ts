import type { Incoming } from '../wire/codec.ts';
import { variants } from '../wire/objects.ts';
import type { Reply, Served } from '../wire/objects.ts';
import type { Daemon } from './daemon.ts';
import { deployWork } from './deploy.ts';
import { denied, notFound } from './errors.ts';
import { OBJECT_MANAGER, OS, OS_EXPERIMENTAL, ROOT_PATH, SYSROOT } from './interfaces.ts';
import { Options } from './options.ts';
import { form, osPath } from './properties.ts';
import { die } from './transaction.ts';
import type { Work } from './transaction.ts';
import { cleanupWork, driverWork, finalizeWork, refreshWork, rollbackWork } from './works.ts';

type Method = (call: Incoming) => Reply | Promise<Reply>;

/** The objects of the daemon, by path. */
export function objectsOf(daemon: Daemon): ReadonlyMap<string, readonly Served[]> {
  const faulty = (methods: Readonly<Record<string, Method>>): Record<string, Method> =>
    Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, withFaults(daemon, method)]));
  const sysroot = {
    spec: SYSROOT,
    methods: faulty(sysrootMethods(daemon)),
    properties: () => daemon.properties.sysroot,
  };
  const os = { spec: OS, methods: faulty(osMethods(daemon)), properties: () => daemon.properties.os };
  const experimental = { spec: OS_EXPERIMENTAL, methods: {} };
  const objects = new Map<string, readonly Served[]>([
    [`${ROOT_PATH}/Sysroot`, [sysroot]],
    [osPath(daemon.hostState.osname), [experimental, os]],
  ]);
  const manager = { spec: OBJECT_MANAGER, methods: { GetManagedObjects: () => [managed(objects)] } };
  return new Map([...objects, [ROOT_PATH, [manager]]]);
}

function managed(objects: ReadonlyMap<string, readonly Served[]>): unknown {
  const interfaces = (list: readonly Served[]): unknown =>
    Object.fromEntries(list.map(({ spec, properties }) => [spec.name, variants(spec, properties?.() ?? {})]));
  return Object.fromEntries([...objects].map(([path, list]) => [path, interfaces(list)]));
}

/** Open to every user; everything else asks polkit. */
const OPEN = new Set(['Reload', 'GetOS']);

function withFaults(daemon: Daemon, method: Method): Method {
  return async (call) => {
    const { faults } = daemon.folder;
    const member = call.member ?? '';
    if (faults.take('dieInCall', (fault) => fault.method === member) !== null) await die();
    const refused = ({ methods }: { readonly methods: readonly string[] }): boolean =>
      methods.length === 0 || methods.includes(member);
    if (!OPEN.has(member) && faults.take('deny', refused) !== null) throw denied();
    return method(call);
  };
}

function sysrootMethods(daemon: Daemon): Record<string, Method> {
  const reload = (): Reply => {
    daemon.reload();
    return [];
  };
  return {
    Reload: reload,
    ReloadConfig: reload,
    RegisterClient: ({ sender }) => {
      daemon.clients.add(sender ?? '');
      return [];
    },
    UnregisterClient: ({ sender }) => {
      daemon.clients.remove(sender ?? '');
      return [];
    },
    GetOS: ({ body: [name] }) => {
      const { osname } = daemon.hostState;
      if (name !== '' && name !== osname) throw notFound(`OS name "${String(name)}" not found`);
      return [osPath(osname)];
    },
  };
}

function osMethods(daemon: Daemon): Record<string, Method> {
  const begin = async (call: Incoming, work: Work, reboot: boolean): Promise<Reply> => {
    const key = form([call.member, call.body]);
    return [await daemon.begin({ caller: call.sender ?? '', key, work, reboot })];
  };
  return {
    Deploy: (call) => {
      const [revision, given] = call.body;
      const options = new Options(given);
      const driver = options.text('register-driver');
      if (revision === '' && driver !== null) return begin(call, driverWork(daemon, driver), false);
      const request = { method: 'Deploy', revision: String(revision), refspec: null, packages: [], options };
      return begin(call, deployWork(daemon, request), options.flag('reboot'));
    },
    Rebase: (call) => {
      const [given, refspec, list] = call.body;
      const options = new Options(given);
      const revision = options.text('revision') ?? '';
      const request = { method: 'Rebase', revision, refspec: String(refspec), packages: texts(list), options };
      return begin(call, deployWork(daemon, request), options.flag('reboot'));
    },
    FinalizeDeployment: (call) => begin(call, finalizeWork(daemon, new Options(call.body[0])), true),
    Cleanup: (call) => begin(call, cleanupWork(daemon, texts(call.body[0])), false),
    Rollback: (call) => {
      const options = new Options(call.body[0]);
      return begin(call, rollbackWork(daemon, options), options.flag('reboot'));
    },
    RefreshMd: (call) => begin(call, refreshWork(new Options(call.body[0])), false),
  };
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
