import { Variant } from 'dbus-next/lib/variant.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dict, asDict, nested } from '../../../src/bus/dict.ts';
import {
  deploymentKey,
  imageName,
  parseDeployment,
  parseReading,
  pendingDeployment,
  releaseKey,
  splitReference,
  targetOf,
} from '../../../src/host/rpm-ostree/deployment.ts';
import { recorded } from './recorded.ts';

const OS_PATH = '/org/projectatomic/rpmostree1/fedora_coreos';
const COMMIT = 'd4529a3206ee576ee257af35f86d4ad291337f69a8f02ab6b8b6128c9940e7f9';
const DIGEST = 'sha256:fc80a47ce6b8ccfee42f9aa265d168a1d5fb131292a4e3ff59c6ab22dd20967e';
const IMAGE = 'ostree-unverified-registry:localhost:5055/fedora/fedora-coreos:testing';

function sysroot(name: string): Dict {
  return nested(recorded(name), '/org/projectatomic/rpmostree1/Sysroot org.projectatomic.rpmostree1.Sysroot')!;
}

function reading(name: string): ReturnType<typeof parseReading> {
  const properties = nested(recorded(name), `${OS_PATH} org.projectatomic.rpmostree1.OS`)!;
  return parseReading(1234, sysroot(name), { path: OS_PATH, properties });
}

/** The recorded staged deployment with some of its keys replaced; undefined takes a key out. */
function staged(changes: Readonly<Record<string, unknown>> = {}): Dict {
  const dict = { ...asDict(recorded('default-staged.json')), ...changes };
  return Object.fromEntries(Object.entries(dict).filter(([, value]) => value !== undefined));
}

/** The same for a container image. */
function image(changes: Readonly<Record<string, unknown>> = {}): Dict {
  return { ...nested(recorded('getall-container-staged.json'), 'DefaultDeployment'), ...changes };
}

const str = (value: string): Variant => new Variant('s', value);

describe('parseDeployment', () => {
  it('reads a recorded staged deployment of an ostree origin', () => {
    const checksum = 'deb3031e59b7b4a87e1e6802d0f5c9d8fe22f64bd11fe09afb0fe2a9108252ed';
    expect(parseDeployment(recorded('default-staged.json'))).toEqual({
      id: `fedora-coreos-${checksum}.0`,
      osname: 'fedora-coreos',
      version: '43.20260115.2.0',
      baseChecksum: checksum,
      origin: { kind: 'ostree', refspec: 'fedora:fedora/x86_64/coreos/testing' },
      booted: false,
      staged: true,
      layered: false,
      stream: 'testing',
      basearch: 'x86_64',
    });
  });

  it('reads a recorded staged deployment of a container origin', () => {
    expect(parseDeployment(image())).toMatchObject({
      version: '43.20260115.2.0',
      origin: { kind: 'container', reference: IMAGE, digest: DIGEST },
      staged: true,
      booted: false,
      stream: 'testing',
      basearch: 'x86_64',
    });
  });

  it('takes base commit and base version where an administrator layered packages', () => {
    const base = 'b'.repeat(64);
    const layered = staged({ 'base-checksum': str(base), 'base-version': str('43.1'), version: str('43.1 (layered)') });
    expect(parseDeployment(layered)).toMatchObject({ baseChecksum: base, version: '43.1', layered: true });
  });

  it('takes an empty dictionary as none', () => {
    expect(parseDeployment({})).toBeNull();
    expect(parseDeployment(new Variant('a{sv}', {}))).toBeNull();
  });

  it.each(['id', 'osname', 'checksum'])('names the key "%s" when it is missing or no text', (key) => {
    expect(() => parseDeployment(staged({ [key]: undefined }))).toThrow(`"${key}"`);
    expect(() => parseDeployment(staged({ [key]: new Variant('u', 7) }))).toThrow(`"${key}"`);
  });

  it.each(['', 'abc', 'D'.repeat(64), `${COMMIT}\n`, `${COMMIT}0`, '../../etc/passwd'])(
    'refuses the checksum %j',
    (text) => {
      expect(() => parseDeployment(staged({ checksum: str(text) }))).toThrow('"checksum" is not a SHA-256 value');
    },
  );

  it('refuses a container origin without a digest', () => {
    const key = 'container-image-reference-digest';
    expect(() => parseDeployment(image({ [key]: str('sha256:abc') }))).toThrow(`"${key}"`);
    expect(() => parseDeployment(image({ [key]: 1 }))).toThrow(`"${key}"`);
  });

  it('does without version, flags, origin and metadata', () => {
    const keys = ['version', 'booted', 'staged', 'origin', 'base-commit-meta'];
    const bare = staged(Object.fromEntries(keys.map((key) => [key, undefined])));
    expect(parseDeployment(bare)).toMatchObject({
      version: '',
      booted: false,
      staged: false,
      origin: { kind: 'ostree', refspec: '' },
      stream: null,
      basearch: null,
    });
  });

  it('takes a flag for set only when it is the boolean true', () => {
    expect(parseDeployment(staged({ booted: str('true'), staged: new Variant('u', 1) }))).toMatchObject({
      booted: false,
      staged: false,
    });
  });

  it.each(['a b', 'x/y', '\ud800', 'a'.repeat(65), '..%2f'])('takes "%s" for no name of a stream', (name) => {
    const meta = new Variant('a{sv}', {
      'fedora-coreos.stream': new Variant('s', name),
      'coreos-assembler.basearch': new Variant('s', name),
    });
    expect(parseDeployment(staged({ 'base-commit-meta': meta }))).toMatchObject({ stream: null, basearch: null });
  });

  describe('the stream of a container image', () => {
    const meta = (config: unknown, manifest: unknown): Dict =>
      image({
        'base-commit-meta': new Variant('a{sv}', {
          'ostree.container.image-config': str(typeof config === 'string' ? config : JSON.stringify(config)),
          'ostree.manifest': str(typeof manifest === 'string' ? manifest : JSON.stringify(manifest)),
        }),
      });
    const labels = (stream: unknown): unknown => ({ config: { Labels: { 'com.coreos.stream': stream } } });
    const annotations = (stream: unknown): unknown => ({ annotations: { 'fedora-coreos.stream': stream } });

    it.each([
      ['label before annotation', labels('next'), annotations('stable'), 'next'],
      ['annotation without label', {}, annotations('stable'), 'stable'],
      ['annotation where the label is no text', labels(7), annotations('stable'), 'stable'],
      ['annotation where the configuration is not JSON', '{', annotations('stable'), 'stable'],
      ['none', {}, {}, null],
      ['none in hostile JSON', 'null', '[[[', null],
      ['none on a prototype', '{"config":{"__proto__":{"Labels":{"com.coreos.stream":"next"}}}}', '"text"', null],
    ])('%s', (_, config, manifest, stream) => {
      expect(parseDeployment(meta(config, manifest))?.stream).toBe(stream);
    });

    it.each([
      ['amd64', 'x86_64'],
      ['arm64', 'aarch64'],
      ['s390x', 's390x'],
      ['constructor', 'constructor'],
      ['', null],
    ])('the architecture "%s" is %s', (architecture, basearch) => {
      expect(parseDeployment(meta({ architecture }, {}))?.basearch).toBe(basearch);
    });
  });

  it('throws nothing but an Error that begins with "deployment:", whatever it is given', () => {
    const leaf = fc.oneof(fc.anything(), fc.string().map(str), fc.constant(new Variant('a{sv}', { id: 1 })));
    const keys = Object.keys(staged()).concat(Object.keys(image()), ['__proto__', 'base-checksum', 'constructor']);
    const changes = fc.dictionary(fc.constantFrom(...keys), leaf);
    const hostile = fc.oneof(
      fc.anything({ withNullPrototype: true, withBigInt: true }),
      changes,
      changes.map((some) => staged(some)),
      changes.map((some) => image(some)),
    );
    fc.assert(
      fc.property(hostile, (value) => {
        try {
          const deployment = parseDeployment(value);
          if (deployment === null) return;
          expect(deployment.baseChecksum).toMatch(/^[0-9a-f]{64}$/);
          for (const text of [deployment.id, deployment.osname, deployment.version]) expect(text).toBeTypeOf('string');
          for (const text of [deployment.stream, deployment.basearch]) expect(typeof (text ?? '')).toBe('string');
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect((error as Error).message).toMatch(/^deployment: /);
        }
      }),
    );
  });

  it('is not misled by a key that is called __proto__', () => {
    const hostile = JSON.parse('{"__proto__":{"id":"x","osname":"x","checksum":"x"}}') as unknown;
    expect(() => parseDeployment(hostile)).toThrow('"id"');
    expect({}).not.toHaveProperty('osname');
  });
});

describe('parseReading', () => {
  it('reads a host that runs its default deployment', () => {
    const host = reading('getall-v3-booted.json');
    expect(host).toMatchObject({ readAt: 1234, osPath: OS_PATH, automaticPolicy: 'none' });
    expect(host.booted).toMatchObject({ baseChecksum: COMMIT, booted: true, version: '43.20260129.2.0' });
    expect(host.next).toEqual(host.booted);
    expect(host.rollback).toMatchObject({ version: '43.20260101.2.0', booted: false });
    expect(host.deployments.map(({ version }) => version)).toEqual(['43.20260129.2.0', '43.20260101.2.0']);
    expect(pendingDeployment(host)).toBeNull();
  });

  it('reads a host with one deployment', () => {
    const host = reading('getall-v1.json');
    expect(host.rollback).toBeNull();
    expect(host.deployments).toHaveLength(1);
  });

  it('reads a host that waits to be booted into a container image', () => {
    const host = reading('getall-container.json');
    expect(pendingDeployment(host)).toEqual(host.next);
    expect(host.next?.staged).toBe(true);
    expect(host.rollback?.origin.kind).toBe('ostree');
  });

  it('reads a host that was not booted from a deployment', () => {
    const host = parseReading(1, sysroot('getall-v1.json'), null);
    expect(host).toMatchObject({ osPath: null, booted: null, next: null, rollback: null });
    expect(pendingDeployment(host)).toBeNull();
  });

  it('does without properties that are missing', () => {
    expect(parseReading(1, {}, { path: OS_PATH, properties: {} })).toEqual({
      readAt: 1,
      osPath: OS_PATH,
      booted: null,
      next: null,
      rollback: null,
      deployments: [],
      automaticPolicy: 'none',
    });
  });
});

describe('what names a release', () => {
  const target = (scheme: 'checksum' | 'oci', payload: string): Parameters<typeof releaseKey>[0] => ({
    scheme,
    payload,
  });

  it('is the base commit, or the digest from whatever repository', () => {
    expect(releaseKey(target('checksum', COMMIT))).toBe(`checksum:${COMMIT}`);
    expect(releaseKey(target('oci', `quay.io/fedora/fedora-coreos@${DIGEST}`))).toBe(`oci:${DIGEST}`);
    expect(releaseKey(target('oci', `mirror.example:5000/fcos@${DIGEST}`))).toBe(`oci:${DIGEST}`);
  });

  it.each(['getall-v1.json', 'getall-v3-booted.json', 'getall-container.json'])(
    'is the same for a deployment and for the target made of it (%s)',
    (name) => {
      for (const deployment of reading(name).deployments) {
        expect(releaseKey(targetOf(deployment))).toBe(deploymentKey(deployment));
      }
    },
  );

  it('is the same with an administrator’s packages on it', () => {
    const plain = parseDeployment(staged())!;
    const layered = parseDeployment(staged({ checksum: str(COMMIT), 'base-checksum': str(plain.baseChecksum) }))!;
    expect(deploymentKey(layered)).toBe(deploymentKey(plain));
  });

  it('gives targets of images the whole name', () => {
    const { next } = reading('getall-container.json');
    expect(targetOf(next!).payload).toBe(`localhost:5055/fedora/fedora-coreos@${DIGEST}`);
  });
});

describe('splitReference', () => {
  const TRANSPORTS = [
    'ostree-unverified-registry:',
    'ostree-remote-registry:fedora:',
    'ostree-image-signed:docker://',
    'ostree-image-signed:registry:',
    'ostree-unverified-image:docker://',
    'ostree-unverified-image:registry:',
    'ostree-remote-image:fedora:docker://',
    'ostree-remote-image:fedora:registry:',
    'ostree-unverified-image:containers-storage:',
    'docker://',
    '',
  ];
  const NAMES = [
    'quay.io/fedora/fedora-coreos',
    'localhost:5055/fedora/fedora-coreos',
    '[::1]:5000/os',
    'localhost/os',
  ];
  const SUFFIXES = ['', ':stable', `@${DIGEST}`, `:stable@${DIGEST}`];

  it.each(TRANSPORTS)('takes references with the transport "%s" apart', (transport) => {
    for (const name of NAMES) {
      for (const suffix of SUFFIXES) {
        const reference = `${transport}${name}${suffix}`;
        expect(splitReference(reference), reference).toEqual({ transport, name, suffix });
        expect(imageName(reference)).toBe(name);
      }
    }
  });

  it.each([
    ['ostree-unverified-image:oci:/var/images/os:latest', 'ostree-unverified-image:oci:', '/var/images/os', ':latest'],
    ['ostree-unverified-image:oci-archive:/os.tar', 'ostree-unverified-image:oci-archive:', '/os.tar', ''],
    ['ostree-unverified-image:oci:/a:b/os:x', 'ostree-unverified-image:oci:', '/a:b/os', ':x'],
    ['ostree-unverified-image:dir:/os', 'ostree-unverified-image:dir:', '/os', ''],
    ['registry:5000/os:stable', '', 'registry:5000/os', ':stable'],
  ])('takes %s apart', (reference, transport, name, suffix) => {
    expect(splitReference(reference)).toEqual({ transport, name, suffix });
  });

  it('loses nothing of any text', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TRANSPORTS), fc.string(), (transport, text) => {
        const parts = splitReference(transport + text);
        expect(parts.transport + parts.name + parts.suffix).toBe(transport + text);
      }),
    );
  });
});
