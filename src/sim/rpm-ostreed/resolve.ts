import type { Release } from '../catalogue.ts';

/** What to look for, and where. */
export interface Wanted {
  /** Refspec or image reference. */
  readonly origin: string;
  /** `revision=<commit>`, `version=<version>`, a digest, or empty for the newest. */
  readonly revision: string;
  /** Take a commit that is not on the origin's branch. */
  readonly anyBranch: boolean;
}

/** True for a reference to an image, false for an ostree refspec. */
export function isImageReference(origin: string): boolean {
  return /^(ostree-[a-z-]+|docker|containers-storage):/.test(origin);
}

/** The release that is wanted. Throws with the daemon's text when there is none. */
export function resolve(catalogue: readonly Release[], wanted: Wanted): Release {
  return isImageReference(wanted.origin) ? resolveImage(catalogue, wanted) : resolveCommit(catalogue, wanted);
}

function resolveCommit(catalogue: readonly Release[], { origin, revision, anyBranch }: Wanted): Release {
  const ref = origin.slice(origin.indexOf(':') + 1);
  const commits = catalogue.filter(({ kind }) => kind === 'ostree');
  const branch = commits.filter((release) => ref === release.payload || ref === branchOf(release));
  const [, by, named = ''] = /^(?:(revision|version)=)?(.*)$/.exec(revision) ?? [];
  if (named === '')
    return branch.at(-1) ?? fail(`While fetching ${origin}: No such branch '${ref}' in repository summary`);
  const places = anyBranch ? commits : branch;
  if (by === 'revision' || /^[0-9a-f]{64}$/.test(named)) {
    return places.find(({ payload }) => payload === named) ?? fail(`Checksum ${named} not found in ${origin}`);
  }
  return places.find(({ version }) => version === named) ?? fail(`Version ${named} not found in ${origin}`);
}

function branchOf({ basearch, stream }: Release): string {
  return `fedora/${basearch}/coreos/${stream}`;
}

function resolveImage(catalogue: readonly Release[], { origin, revision }: Wanted): Release {
  const [, repository = '', tag = '', pinned = ''] =
    /([^:/]+(?::\d+)?(?:\/[^:@]+)+)(?::([^@]+))?(?:@(sha256:[0-9a-f]+))?$/.exec(origin) ?? [];
  const images = catalogue.filter((release) => release.kind === 'container');
  const digest = revision === '' ? pinned : revision;
  const found =
    digest === ''
      ? images.findLast(({ stream }) => stream === tag)
      : images.find((release) => release.payload === digest);
  const what = digest === '' ? tag : digest;
  return (
    found ??
    fail(
      `Creating importer: Failed to invoke skopeo proxy method OpenImage: reading manifest ${what} in ${repository}: manifest unknown`,
    )
  );
}

function fail(text: string): never {
  throw new Error(text);
}
