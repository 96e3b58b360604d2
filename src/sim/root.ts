import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { HostState } from './api.ts';
import { replaceFile } from './files.ts';
import { bootedOf } from './ostree.ts';

/** Writes the files from which an agent learns which host this is, as they are in the current boot. */
export function writeRoot(root: string, state: HostState): void {
  const { version, checksum } = bootedOf(state);
  const [release = ''] = version.split('.');
  const files: Readonly<Record<string, string>> = {
    'etc/machine-id': state.machineId,
    'etc/os-release': osRelease(version, release),
    'proc/cmdline': `BOOT_IMAGE=(hd0,gpt3)/boot/ostree/fedora-coreos-${checksum}/vmlinuz ignition.platform.id=${state.platform} console=ttyS0 ostree=/ostree/boot.1/fedora-coreos/${checksum}/0`,
    'proc/uptime': '60.00 120.00',
    'proc/sys/kernel/random/boot_id': state.bootId,
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    replaceFile(join(root, path), `${content}\n`);
  }
}

function osRelease(version: string, release: string): string {
  return [
    'NAME="Fedora Linux"',
    `VERSION="${version} (CoreOS)"`,
    'ID=fedora',
    `VERSION_ID=${release}`,
    `PRETTY_NAME="Fedora CoreOS ${version}"`,
    'VARIANT="CoreOS"',
    'VARIANT_ID=coreos',
    `OSTREE_VERSION='${version}'`,
  ].join('\n');
}
