import type { Target } from '../graph/types.ts';
import { type Deployment, type HostReading, releaseKey } from '../host/rpm-ostree/deployment.ts';

/** The digits of a commit that nobody asks for: the one inside of a container image. */
const NO_COMMIT = '0'.repeat(64);

/** A host that does what it is asked for: what runs, what is staged, and what ran before. */
export class ImaginedHost {
  readonly #stream: string | null;
  #booted: Target;
  #staged: Target | null = null;
  #previous: Target | null = null;
  #boots = 1;

  constructor(booted: Target, stream: string | null) {
    this.#booted = booted;
    this.#stream = stream;
  }

  /** Another one for each boot. */
  get bootId(): string {
    return `boot-${this.#boots}`;
  }

  get booted(): Target {
    return this.#booted;
  }

  /** What rpm-ostree would say. `readAt` in ms since boot. */
  read(readAt: number): HostReading {
    const booted = this.#deployment(this.#booted, { booted: true });
    const staged = this.#staged === null ? null : this.#deployment(this.#staged, { staged: true });
    const previous = this.#previous === null ? null : this.#deployment(this.#previous, {});
    return {
      readAt,
      osPath: '/org/projectatomic/rpmostree1/fedora_coreos',
      booted,
      next: staged ?? booted,
      rollback: previous,
      deployments: [staged, booted, previous].flatMap((one) => one ?? []),
      automaticPolicy: 'none',
    };
  }

  stage(target: Target): void {
    this.#staged = target;
  }

  discard(): void {
    this.#staged = null;
  }

  /** Boots what is staged, or again what runs. */
  reboot(): void {
    this.#boots += 1;
    if (this.#staged === null) return;
    [this.#previous, this.#booted, this.#staged] = [this.#booted, this.#staged, null];
  }

  #deployment(target: Target, state: { readonly booted?: true; readonly staged?: true }): Deployment {
    return {
      ...deploymentOf(target, this.#stream),
      booted: state.booted === true,
      staged: state.staged === true,
    };
  }
}

/** A release as rpm-ostree would show it once it runs. */
export function deploymentOf({ version, scheme, payload, ...rest }: Target, stream: string | null): Deployment {
  const key = releaseKey({ scheme, payload, ...rest });
  const digest = key.slice('oci:'.length);
  return {
    id: `fedora-coreos-${key.replace(/^.*:/, '')}.0`,
    osname: 'fedora-coreos',
    version,
    baseChecksum: scheme === 'checksum' ? payload : NO_COMMIT,
    origin:
      scheme === 'checksum'
        ? { kind: 'ostree', refspec: '' }
        : { kind: 'container', reference: `ostree-unverified-registry:${payload}`, digest },
    booted: true,
    staged: false,
    layered: false,
    stream,
    basearch: null,
  };
}
