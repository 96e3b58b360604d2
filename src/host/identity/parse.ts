import type { Deployment } from '../rpm-ostree/deployment.ts';

/** What the configuration says about identity; null where it says nothing. */
export interface ConfiguredIdentity {
  readonly stream: string | null;
  readonly platform: string | null;
  readonly basearch: string | null;
}

/** What update graphs and templates are told about this host. */
export interface HostDescription {
  readonly basearch: string;
  readonly stream: string;
  readonly platform: string;
  readonly osVersion: string;
  /** Booted base commit, or `repository@digest`. */
  readonly osChecksum: string;
  /** Booted from a container image. */
  readonly oci: boolean;
}

/** Fedora CoreOS's default where nobody says anything. */
const DEFAULT_STREAM = 'stable';
/** Hosts that were not set up by Ignition do not say where they run. */
const DEFAULT_PLATFORM = 'metal';

/** Architectures as Node names them, in rpm's words. */
const BASEARCH: Readonly<Partial<Record<string, string>>> = { x64: 'x86_64', arm64: 'aarch64', ppc64: 'ppc64le' };

/** Puts together what this host is, and names every default that had to be assumed. */
export function describeHost(
  booted: Deployment,
  imageName: string | null,
  cmdline: string,
  nodeArch: string,
  configured: ConfiguredIdentity,
): { readonly description: HostDescription; readonly assumed: readonly string[] } {
  const assumed: string[] = [];
  const assume = (key: string, value: string): string => {
    assumed.push(`this host does not say its ${key}; ${value} is assumed (to change it: identity.${key})`);
    return value;
  };
  const description: HostDescription = {
    basearch: configured.basearch ?? booted.basearch ?? BASEARCH[nodeArch] ?? nodeArch,
    stream: configured.stream ?? booted.stream ?? assume('stream', DEFAULT_STREAM),
    platform: configured.platform ?? parsePlatform(cmdline) ?? assume('platform', DEFAULT_PLATFORM),
    osVersion: booted.version,
    osChecksum: booted.origin.kind === 'container' ? `${imageName ?? ''}@${booted.origin.digest}` : booted.baseChecksum,
    oci: booted.origin.kind === 'container',
  };
  return { description, assumed };
}

/** The platform that Ignition was told on the kernel's command line, or null. */
export function parsePlatform(cmdline: string): string | null {
  return /(?:^|\s)ignition\.platform\.id=([A-Za-z0-9._-]{1,64})(?=\s|$)/.exec(cmdline)?.[1] ?? null;
}

/** A machine id, 32 hex digits. Throws when the text is none. */
export function parseMachineId(source: string): string {
  const id = source.trim();
  if (!/^[0-9a-f]{32}$/i.test(id) || /^0+$/.test(id))
    throw new Error('machine-id: 32 hexadecimal digits were expected');
  return id.toLowerCase();
}

/** A boot id, as the kernel writes it. Throws when the text is none. */
export function parseBootId(source: string): string {
  const id = source.trim();
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw new Error('boot_id: a UUID was expected');
  return id;
}
