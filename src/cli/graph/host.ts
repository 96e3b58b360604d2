import type { Config } from '../../config/schema.ts';
import type { HostFiles } from '../../host/identity/read.ts';
import type { Deployment } from '../../host/rpm-ostree/deployment.ts';

const SERVICE = 'org.projectatomic.rpmostree1';
const SYSROOT = '/org/projectatomic/rpmostree1/Sysroot';
const PROPERTIES = 'org.freedesktop.DBus.Properties';
/** Milliseconds for reaching the bus, and for each answer: rpm-ostree may have to be started first. */
const [CONNECT_MS, ANSWER_MS] = [5_000, 60_000];

/** The release that this host runs, or why nobody can tell. */
export type Booted = { readonly deployment: Deployment } | { readonly problem: string };

/** Asks rpm-ostree which release is booted: properties alone, which every user may read. Never rejects. */
export async function readBooted(
  address: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Booted> {
  const { errorText } = await import('../../base/text.ts');
  try {
    const deployment = await askBooted(address, env);
    return deployment === null ? { problem: 'it was not booted from an ostree deployment' } : { deployment };
  } catch (error) {
    return { problem: errorText(error) };
  }
}

async function askBooted(
  address: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Deployment | null> {
  const { systemBusAddress } = await import('../../bus/address.ts');
  const { openConnection } = await import('../../bus/open.ts');
  const { DRIVER, DRIVER_PATH } = await import('../../bus/driver.ts');
  const { asDict, nested, text } = await import('../../bus/dict.ts');
  const { parseDeployment } = await import('../../host/rpm-ostree/deployment.ts');
  const bus = await openConnection(address ?? systemBusAddress(env), { connectTimeoutMs: CONNECT_MS });
  try {
    const driver = { destination: DRIVER, path: DRIVER_PATH, interface: DRIVER };
    await bus.call({ ...driver, member: 'Hello', timeoutMs: CONNECT_MS });
    const ask = async (path: string, of: string) => {
      const call = { destination: SERVICE, path, interface: PROPERTIES, member: 'GetAll', timeoutMs: ANSWER_MS };
      const [all] = await bus.call({ ...call, signature: 's', body: [`${SERVICE}.${of}`] });
      return asDict(all);
    };
    const path = text(await ask(SYSROOT, 'Sysroot'), 'Booted') ?? '/';
    return path === '/' ? null : parseDeployment(nested(await ask(path, 'OS'), 'BootedDeployment') ?? {});
  } finally {
    bus.close();
  }
}

/** What this host says about itself in files, and what of it cannot be read. Never throws. */
export async function readFiles(root: string): Promise<{ readonly files: HostFiles; readonly problem: string | null }> {
  const { readHostFiles } = await import('../../host/identity/read.ts');
  const { errorText } = await import('../../base/text.ts');
  try {
    return { files: readHostFiles(root), problem: null };
  } catch (error) {
    return { files: { bootId: '', machineId: null, cmdline: '' }, problem: errorText(error) };
  }
}

/** The node's id, or null where this host has none and the configuration neither. */
export async function nodeIdOrNull(config: Config, files: HostFiles): Promise<string | null> {
  if (config.identity.nodeUuid === null && files.machineId === null) return null;
  const { nodeIdOf } = await import('../../agent/settings.ts');
  return nodeIdOf({ config, files });
}

/** Stands for a host of which only the version is known: enough for an update server. */
export function assumedDeployment(version: string, oci: boolean): Deployment {
  return {
    ...{ id: '', osname: '', version, baseChecksum: '', booted: true, staged: false, layered: false },
    ...{ stream: null, basearch: null },
    origin: oci ? { kind: 'container', reference: '', digest: '' } : { kind: 'ostree', refspec: '' },
  };
}
