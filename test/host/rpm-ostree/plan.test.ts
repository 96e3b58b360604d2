import { describe, expect, it } from 'vitest';
import { FailureError } from '../../../src/base/failure.ts';
import type { Target } from '../../../src/graph/types.ts';
import { type Deployment, parseDeployment } from '../../../src/host/rpm-ostree/deployment.ts';
import { planDeploy } from '../../../src/host/rpm-ostree/plan.ts';
import { recorded } from './recorded.ts';

const COMMIT = 'a'.repeat(64);
const DIGEST = `sha256:${'b'.repeat(64)}`;
const commit: Target = { version: '43.2', scheme: 'checksum', payload: COMMIT, ageIndex: 2n };
const oci: Target = { version: '43.2', scheme: 'oci', payload: `quay.io/fedora/fedora-coreos@${DIGEST}`, ageIndex: 2n };

const ostree = parseDeployment(recorded('default-staged.json'))!;
const container = (reference: string): Deployment => ({
  ...ostree,
  origin: { kind: 'container', reference, digest: `sha256:${'c'.repeat(64)}` },
});

describe('planDeploy, ostree origin', () => {
  const deploy = { method: 'Deploy', revision: `revision=${COMMIT}` };

  it.each([
    ['no stream configured', ostree, null],
    ['the stream of the booted release', ostree, 'testing'],
    ['a booted release without a stream', { ...ostree, stream: null }, 'next'],
    ['a ref that does not end in the stream', { ...ostree, origin: { kind: 'ostree', refspec: 'local:mine' } }, 'next'],
    ['a pinned commit without a ref', { ...ostree, origin: { kind: 'ostree', refspec: '' } }, 'next'],
  ] as const)('deploys the commit on the ref that is there: %s', (_, booted, stream) => {
    expect(planDeploy(booted, commit, stream)).toEqual(deploy);
  });

  it('rebases to the configured stream within the same remote', () => {
    expect(planDeploy(ostree, commit, 'stable')).toEqual({
      method: 'Rebase',
      refspec: 'fedora:fedora/x86_64/coreos/stable',
      revision: COMMIT,
    });
  });
});

describe('planDeploy, container origin', () => {
  it.each([
    'ostree-unverified-registry:localhost:5055/fedora/fedora-coreos:testing',
    'ostree-image-signed:docker://quay.io/os',
  ])('deploys the bare digest where the origin is a tag: %s', (reference) => {
    expect(planDeploy(container(reference), oci, null)).toEqual({ method: 'Deploy', revision: DIGEST });
  });

  it.each([
    [
      `ostree-image-signed:docker://mirror.example:5000/os@sha256:${'c'.repeat(64)}`,
      'ostree-image-signed:docker://mirror.example:5000/os',
    ],
    [
      `ostree-remote-registry:fedora:quay.io/os:stable@sha256:${'c'.repeat(64)}`,
      'ostree-remote-registry:fedora:quay.io/os',
    ],
  ])('rebases where the origin is pinned, and keeps its transport and repository: %s', (reference, prefix) => {
    expect(planDeploy(container(reference), oci, null)).toEqual({
      method: 'Rebase',
      refspec: `${prefix}@${DIGEST}`,
      revision: null,
    });
  });
});

describe('planDeploy, a release of the other kind', () => {
  it.each([
    [ostree, oci, '43.2 is offered as oci, but this host follows ostree releases'],
    [
      container('docker://quay.io/os:x'),
      commit,
      '43.2 is offered as checksum, but this host follows container releases',
    ],
  ])('is refused as the fault of the release', (booted, target, text) => {
    expect.assertions(2);
    try {
      planDeploy(booted, target, null);
    } catch (error) {
      expect(error).toBeInstanceOf(FailureError);
      expect((error as FailureError).failure).toEqual({ class: 'release', text });
    }
  });
});
