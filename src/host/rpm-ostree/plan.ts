import { FailureError } from '../../base/failure.ts';
import type { Target } from '../../graph/types.ts';
import { type Deployment, splitReference } from './deployment.ts';

/** How a release is staged: a Deploy within the present origin, or a Rebase onto another one. */
export type DeployPlan =
  | { readonly method: 'Deploy'; readonly revision: string }
  | { readonly method: 'Rebase'; readonly refspec: string; readonly revision: string | null };

/**
 * Plans how to stage a release on a host with this booted deployment.
 *
 * - ostree origin: `revision=<commit>` on the ref; another ref of the same remote when `stream` (the configured one)
 *   is not the stream of the booted release and the ref ends in the latter.
 * - container origin: the bare digest; a Rebase where the origin is pinned to a digest, because the origin of the new
 *   deployment would still name the old one. The repository stays the host's own, so that mirrors are kept.
 *
 * Throws a `FailureError` of class `release` when the release is of the other kind.
 */
export function planDeploy(booted: Deployment, target: Target, stream: string | null): DeployPlan {
  const { origin } = booted;
  if ((origin.kind === 'container') !== (target.scheme === 'oci')) {
    const text = `${target.version} is offered as ${target.scheme}, but this host follows ${origin.kind} releases`;
    throw new FailureError({ class: 'release', text });
  }
  if (origin.kind === 'container') return planImage(origin.reference, target.payload.replace(/^.*@/, ''));
  const suffix = `/${booted.stream ?? ''}`;
  if (stream === null || stream === booted.stream || booted.stream === null || !origin.refspec.endsWith(suffix)) {
    return { method: 'Deploy', revision: `revision=${target.payload}` };
  }
  const refspec = `${origin.refspec.slice(0, -suffix.length)}/${stream}`;
  return { method: 'Rebase', refspec, revision: target.payload };
}

function planImage(reference: string, digest: string): DeployPlan {
  const { transport, name, suffix } = splitReference(reference);
  if (!suffix.includes('@')) return { method: 'Deploy', revision: digest };
  return { method: 'Rebase', refspec: `${transport}${name}@${digest}`, revision: null };
}
