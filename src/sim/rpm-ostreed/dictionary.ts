import { createHash } from 'node:crypto';
import { Variant } from 'dbus-next/lib/variant.js';
import type { Deployment, HostState } from '../api.ts';
import type { Release } from '../catalogue.ts';

/** A D-Bus dictionary `a{sv}`. */
export type Dictionary = Readonly<Record<string, Variant>>;

const text = (value: string): Variant => new Variant('s', value);
const flag = (value: boolean): Variant => new Variant('b', value);
const list = (value: readonly string[]): Variant => new Variant('as', value);
const time = (seconds: number): Variant => new Variant('t', BigInt(seconds));

/** A deployment as the daemon shows it. Whether a staged one is locked cannot be seen, as with a modern libostree. */
export function dictionaryOf(deployment: Deployment, state: HostState, catalogue: readonly Release[]): Dictionary {
  return {
    id: text(`${state.osname}-${deployment.checksum}.${deployment.serial}`),
    osname: text(state.osname),
    serial: new Variant('i', deployment.serial),
    checksum: text(deployment.checksum),
    version: text(deployment.version),
    timestamp: time(deployment.timestamp),
    unlocked: text('none'),
    booted: flag(deployment.booted),
    staged: flag(deployment.staged),
    pinned: flag(deployment.pinned),
    'regenerate-initramfs': flag(false),
    'requested-packages': list(deployment.packages),
    packages: list(deployment.packages),
    'requested-local-packages': list([]),
    'requested-local-fileoverride-packages': list([]),
    'requested-base-removals': list([]),
    'requested-base-local-replacements': list([]),
    'base-removals': new Variant('av', []),
    'base-local-replacements': new Variant('a(vv)', []),
    'base-remote-replacements': new Variant('a{sv}', {}),
    'base-commit-meta': new Variant(
      'a{sv}',
      deployment.kind === 'ostree' ? commitMeta(deployment) : imageMeta(deployment),
    ),
    ...(deployment.packages.length > 0 ? layering(deployment) : {}),
    ...(deployment.kind === 'ostree' ? ostreeOrigin(deployment, state, catalogue) : imageOrigin(deployment)),
  };
}

function layering(deployment: Deployment): Dictionary {
  return {
    'base-checksum': text(deployment.base),
    'base-version': text(deployment.version),
    'base-timestamp': time(deployment.timestamp),
    'layered-commit-meta': new Variant('a{sv}', {
      version: text(deployment.version),
      'rpmostree.clientlayer': flag(true),
      'rpmostree.packages': list(deployment.packages),
    }),
  };
}

function ostreeOrigin(deployment: Deployment, state: HostState, catalogue: readonly Release[]): Dictionary {
  const origin = { origin: text(deployment.origin), 'gpg-enabled': flag(false) };
  const prefix = `${deployment.origin}=`;
  const pulled = state.refs.find((entry) => entry.startsWith(prefix))?.slice(prefix.length);
  const head = catalogue.find(({ payload }) => payload === pulled);
  if (head === undefined || head.payload === deployment.base) return origin;
  return {
    ...origin,
    'pending-base-checksum': text(head.payload),
    'pending-base-version': text(head.version),
    'pending-base-timestamp': time(head.timestamp),
  };
}

function imageOrigin(deployment: Deployment): Dictionary {
  return {
    'container-image-reference': text(deployment.origin),
    'container-image-reference-digest': text(deployment.digest ?? ''),
  };
}

function commitMeta(deployment: Deployment): Dictionary {
  const ref = deployment.origin.slice(deployment.origin.indexOf(':') + 1);
  return {
    version: text(deployment.version),
    'coreos-assembler.basearch': text(deployment.basearch),
    'fedora-coreos.stream': text(deployment.stream),
    'ostree.bootable': flag(true),
    'ostree.linux': text(kernelOf(deployment)),
    'ostree.ref-binding': list([ref]),
  };
}

function imageMeta(deployment: Deployment): Dictionary {
  const digest = (what: string): string => `sha256:${sha256(`${what} ${deployment.digest ?? ''}`)}`;
  const layer = digest('layer');
  const labels = {
    'containers.bootc': '1',
    'com.coreos.stream': deployment.stream,
    'fedora-coreos.stream': deployment.stream,
    'org.opencontainers.image.version': deployment.version,
    'ostree.bootable': 'true',
    'ostree.commit': sha256(`commit ${deployment.digest ?? ''}`),
    'ostree.final-diffid': layer,
    'ostree.linux': kernelOf(deployment),
    version: deployment.version,
  };
  const created = new Date(deployment.timestamp * 1000).toISOString().replace('.000Z', 'Z');
  const config = {
    created,
    architecture: deployment.basearch === 'x86_64' ? 'amd64' : 'arm64',
    os: 'linux',
    config: { Labels: labels },
    rootfs: { type: 'layers', diff_ids: [layer] },
    history: [{ created, created_by: deployment.version }],
  };
  const media = 'application/vnd.oci.image';
  const manifest = {
    schemaVersion: 2,
    config: { mediaType: `${media}.config.v1+json`, digest: digest('config'), size: JSON.stringify(config).length },
    layers: [{ mediaType: `${media}.layer.v1.tar+gzip`, digest: digest('compressed'), size: 209_743 }],
    annotations: labels,
  };
  return {
    'ostree.container.image-config': text(JSON.stringify(config)),
    'ostree.manifest': text(JSON.stringify(manifest)),
    'ostree.manifest-digest': text(deployment.digest ?? ''),
    'ostree.tar-filtered': new Variant('a{sa{su}}', {}),
    'ostree.importer.version': text('0.15.3'),
  };
}

function kernelOf(deployment: Deployment): string {
  return `6.17.1-300.fc${deployment.version.split('.')[0] ?? ''}.${deployment.basearch}`;
}

function sha256(what: string): string {
  return createHash('sha256').update(what).digest('hex');
}
