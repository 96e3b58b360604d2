import { type Dict, asDict, flag, list, nested, text } from '../../bus/dict.ts';
import type { Target } from '../../graph/types.ts';

/** One deployment as rpm-ostree describes it, reduced to what decisions need. */
export interface Deployment {
  readonly id: string;
  readonly osname: string;
  readonly version: string;
  /** Commit without an administrator's layering: 64 hex digits. What a graph's `checksum` payload names. */
  readonly baseChecksum: string;
  /** Where it came from: an ostree ref (`remote:ref`) or a container image. */
  readonly origin:
    | { readonly kind: 'ostree'; readonly refspec: string }
    | { readonly kind: 'container'; readonly reference: string; readonly digest: string };
  readonly booted: boolean;
  /** Not yet written to the boot loader: goes in at shutdown, unless it is locked. */
  readonly staged: boolean;
  /** An administrator layered packages or overrides on the base. */
  readonly layered: boolean;
  readonly stream: string | null;
  readonly basearch: string | null;
}

const CHECKSUM = /^[0-9a-f]{64}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * Reads one deployment dictionary. Null for an empty one, which is how rpm-ostree says "none"; throws with the name of
 * the key when one that decisions need is absent or malformed.
 */
export function parseDeployment(value: unknown): Deployment | null {
  const dict = asDict(value);
  if (dict === undefined) throw new Error('deployment: a dictionary was expected');
  if (Object.keys(dict).length === 0) return null;
  const meta = nested(dict, 'base-commit-meta');
  return {
    id: required(dict, 'id'),
    osname: required(dict, 'osname'),
    version: text(dict, 'base-version') ?? text(dict, 'version') ?? '',
    baseChecksum: checked(text(dict, 'base-checksum') ?? required(dict, 'checksum'), CHECKSUM, 'checksum'),
    origin: parseOrigin(dict),
    booted: flag(dict, 'booted'),
    staged: flag(dict, 'staged'),
    layered: text(dict, 'base-checksum') !== undefined,
    ...describe(meta),
  };
}

function parseOrigin(dict: Dict): Deployment['origin'] {
  const reference = text(dict, 'container-image-reference');
  if (reference === undefined) return { kind: 'ostree', refspec: text(dict, 'origin') ?? '' };
  const digest = checked(
    required(dict, 'container-image-reference-digest'),
    DIGEST,
    'container-image-reference-digest',
  );
  return { kind: 'container', reference, digest };
}

/** Stream and architecture, from the commit's own metadata or from what a container image carries. */
function describe(meta: Dict | undefined): Pick<Deployment, 'stream' | 'basearch'> {
  const labels = member(member(json(text(meta, 'ostree.container.image-config')), 'config'), 'Labels');
  const annotations = member(json(text(meta, 'ostree.manifest')), 'annotations');
  const stream =
    text(meta, 'fedora-coreos.stream') ??
    string(labels, 'com.coreos.stream') ??
    string(annotations, 'fedora-coreos.stream');
  const image = string(json(text(meta, 'ostree.container.image-config')), 'architecture');
  const basearch =
    text(meta, 'coreos-assembler.basearch') ?? (image === undefined ? undefined : (BASEARCH.get(image) ?? image));
  return { stream: nameOrNull(stream), basearch: nameOrNull(basearch) };
}

/** Both become parts of URLs, and are compared with what a graph or a configuration says: anything else is no name. */
function nameOrNull(found: string | undefined): string | null {
  return found !== undefined && /^[\w.+-]{1,64}$/.test(found) ? found : null;
}

/** Architectures as container images name them, in rpm's words. */
const BASEARCH: ReadonlyMap<string, string> = new Map([
  ['amd64', 'x86_64'],
  ['arm64', 'aarch64'],
]);

function json(source: string | undefined): unknown {
  if (source === undefined) return undefined;
  try {
    return JSON.parse(source) as unknown;
  } catch {
    return undefined;
  }
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

function string(value: unknown, key: string): string | undefined {
  const found = member(value, key);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

function required(dict: Dict, key: string): string {
  const value = text(dict, key);
  if (value === undefined)
    throw new Error(`deployment: the text "${key}" was expected, nothing of that kind was found`);
  return value;
}

function checked(value: string, pattern: RegExp, key: string): string {
  if (!pattern.test(value)) throw new Error(`deployment: "${key}" is not a SHA-256 value`);
  return value;
}

/** The whole of what rpm-ostree says about this host at one moment. */
export interface HostReading {
  /** Milliseconds since boot at which the properties were asked for. */
  readonly readAt: number;
  /** Object path of the booted system, or null when the host was not booted from an ostree deployment. */
  readonly osPath: string | null;
  readonly booted: Deployment | null;
  /** What the next boot takes; the booted one when nothing is pending. */
  readonly next: Deployment | null;
  readonly rollback: Deployment | null;
  readonly deployments: readonly Deployment[];
  /** rpm-ostree's own `AutomaticUpdatePolicy`: none, check, stage, apply … */
  readonly automaticPolicy: string;
}

/** Reads the property dictionaries of the Sysroot and (when booted from one) of the OS object. */
export function parseReading(
  readAt: number,
  sysroot: Dict,
  os: { readonly path: string; readonly properties: Dict } | null,
): HostReading {
  const deployments = list(sysroot, 'Deployments').flatMap((value) => tolerant(value) ?? []);
  return {
    readAt,
    osPath: os?.path ?? null,
    booted: os === null ? null : parseDeployment(nested(os.properties, 'BootedDeployment') ?? {}),
    next: os === null ? null : parseDeployment(nested(os.properties, 'DefaultDeployment') ?? {}),
    rollback: os === null ? null : tolerant(nested(os.properties, 'RollbackDeployment') ?? {}),
    deployments,
    automaticPolicy: text(sysroot, 'AutomaticUpdatePolicy') ?? 'none',
  };
}

/** A deployment that nothing is decided about: an odd one must not hide the others. */
function tolerant(value: unknown): Deployment | null {
  try {
    return parseDeployment(value);
  } catch {
    return null;
  }
}

/**
 * What identifies a release, whoever names it: the base commit, or the image digest. Repository names are left out,
 * since a mirror serves the same image under its own.
 */
export function releaseKey(release: Pick<Target, 'scheme' | 'payload'>): string {
  return release.scheme === 'checksum' ? `checksum:${release.payload}` : `oci:${release.payload.replace(/^.*@/, '')}`;
}

/** The key of the release that a deployment is, with or without layering. */
export function deploymentKey(deployment: Deployment): string {
  const { origin } = deployment;
  return origin.kind === 'container' ? `oci:${origin.digest}` : `checksum:${deployment.baseChecksum}`;
}

/** The deployment that waits for the next boot, or null when that boot takes what is running now. */
export function pendingDeployment(reading: HostReading): Deployment | null {
  return reading.next === null || reading.next.booted ? null : reading.next;
}

/** A deployment as this agent staged it. */
export interface OwnStaged {
  /** `deploymentKey` of it. */
  readonly key: string;
  /** Its id, or null where that is not known: the answer was lost. */
  readonly deployment: string | null;
}

/**
 * True when what is pending is still the deployment that was staged, untouched. Layering and changed kernel arguments
 * make another one of it. Where the id is not known, one with layering counts as touched.
 */
export function isUntouched(pending: Deployment | null, { key, deployment }: OwnStaged): boolean {
  if (pending?.staged !== true || deploymentKey(pending) !== key) return false;
  return deployment === null ? !pending.layered : pending.id === deployment;
}

/** A deployment as a target, for reboots into what somebody else staged. */
export function targetOf(deployment: Deployment): Target {
  const { origin, version } = deployment;
  return origin.kind === 'container'
    ? { version, scheme: 'oci', payload: `${imageName(origin.reference)}@${origin.digest}`, ageIndex: 0n }
    : { version, scheme: 'checksum', payload: deployment.baseChecksum, ageIndex: 0n };
}

/**
 * The repository in an ostree image reference, without transport, tag or digest:
 * `ostree-unverified-registry:quay.io/fedora/fedora-coreos:stable` gives `quay.io/fedora/fedora-coreos`.
 */
export function imageName(reference: string): string {
  return splitReference(reference).name;
}

/** The parts of an ostree image reference: how to verify and fetch, the repository, and the tag or digest. */
export function splitReference(reference: string): { transport: string; name: string; suffix: string } {
  const transport = TRANSPORT.exec(reference)?.[0] ?? '';
  const image = reference.slice(transport.length);
  const slash = image.lastIndexOf('/');
  const end = image.slice(slash + 1).search(/[:@]/);
  const cut = end < 0 ? image.length : slash + 1 + end;
  return { transport, name: image.slice(0, cut), suffix: image.slice(cut) };
}

const TRANSPORT =
  /^(?:ostree-unverified-registry:|ostree-remote-registry:[^:]+:|(?:ostree-unverified-image|ostree-image-signed|ostree-remote-image:[^:]+):(?:docker:\/\/|(?:registry|containers-storage|docker-archive|oci|oci-archive|dir):)|docker:\/\/)/;
