import { describe, expect, it } from 'vitest';
import { describeHost, parseBootId, parseMachineId, parsePlatform } from '../../../src/host/identity/parse.ts';
import { type Deployment, parseDeployment } from '../../../src/host/rpm-ostree/deployment.ts';
import { recorded } from '../rpm-ostree/recorded.ts';

const CMDLINE = 'BOOT_IMAGE=(hd0,gpt3)/vmlinuz rw ignition.platform.id=aws console=ttyS0';
const NOTHING = { stream: null, platform: null, basearch: null };
const DIGEST = `sha256:${'c'.repeat(64)}`;
const booted = parseDeployment(recorded('default-staged.json'))!;
const plain: Deployment = { ...booted, stream: null, basearch: null };

describe('describeHost', () => {
  it('believes the host where nothing is configured', () => {
    expect(describeHost(booted, null, CMDLINE, 'arm64', NOTHING)).toEqual({
      description: {
        basearch: 'x86_64',
        stream: 'testing',
        platform: 'aws',
        osVersion: '43.20260115.2.0',
        osChecksum: booted.baseChecksum,
        oci: false,
      },
      assumed: [],
    });
  });

  it('believes the configuration before the host', () => {
    const configured = { stream: 'next', platform: 'qemu', basearch: 's390x' };
    expect(describeHost(booted, null, CMDLINE, 'x64', configured)).toMatchObject({
      description: { stream: 'next', platform: 'qemu', basearch: 's390x' },
      assumed: [],
    });
  });

  it('names what it has to assume on a host that says nothing, and the key that would change it', () => {
    const { description, assumed } = describeHost(plain, null, '', 'x64', NOTHING);
    expect(description).toMatchObject({ stream: 'stable', platform: 'metal', basearch: 'x86_64' });
    expect(assumed).toEqual([
      'this host does not say its stream; stable is assumed (to change it: identity.stream)',
      'this host does not say its platform; metal is assumed (to change it: identity.platform)',
    ]);
  });

  it.each([
    ['x64', 'x86_64'],
    ['arm64', 'aarch64'],
    ['ppc64', 'ppc64le'],
    ['s390x', 's390x'],
    ['riscv64', 'riscv64'],
  ])('takes the architecture of this program, %s, for want of a better one', (node, basearch) => {
    expect(describeHost(plain, null, '', node, NOTHING).description.basearch).toBe(basearch);
  });

  it('names a container image by repository and digest', () => {
    const origin = {
      kind: 'container',
      reference: 'ostree-image-signed:docker://quay.io/os:x',
      digest: DIGEST,
    } as const;
    const { description } = describeHost({ ...booted, origin }, 'quay.io/os', CMDLINE, 'x64', NOTHING);
    expect(description).toMatchObject({ osChecksum: `quay.io/os@${DIGEST}`, oci: true });
  });
});

describe('parsePlatform', () => {
  it.each([
    [CMDLINE, 'aws'],
    ['ignition.platform.id=metal', 'metal'],
    ['x\nignition.platform.id=qemu\n', 'qemu'],
    ['', null],
    ['ignition.platform.id=', null],
    ['ignition.platform.id=a/b', null],
    ['notignition.platform.id=aws', null],
    [`ignition.platform.id=${'a'.repeat(65)}`, null],
  ])('%j: %s', (cmdline, platform) => {
    expect(parsePlatform(cmdline)).toBe(platform);
  });
});

describe('parseMachineId', () => {
  const ID = '2e074e9b299c41a59923c51ae16f279b';

  it('takes 32 hexadecimal digits, brought to lower case', () => {
    expect(parseMachineId(`${ID.toUpperCase()}\n`)).toBe(ID);
  });

  it.each(['', 'uninitialized\n', ID.slice(1), `${ID}0`, `${ID}\n${ID}`, '0'.repeat(32), '-'.repeat(32)])(
    'refuses %j, and repeats none of it',
    (text) => {
      expect(() => parseMachineId(text)).toThrow(/^machine-id: 32 hexadecimal digits were expected$/);
    },
  );
});

describe('parseBootId', () => {
  const ID = '1c09ca98-649c-4c7a-bc77-9cd04c96812e';

  it('takes a UUID as the kernel writes it', () => {
    expect(parseBootId(`${ID}\n`)).toBe(ID);
  });

  it.each(['', ID.replaceAll('-', ''), `${ID}0`, `${ID} ${ID}`, ID.replace('1', 'g')])('refuses %j', (text) => {
    expect(() => parseBootId(text)).toThrow('boot_id: a UUID was expected');
  });
});
