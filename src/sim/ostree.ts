import { createHash } from 'node:crypto';
import type { Deployment, HostState } from './api.ts';
import type { Release } from './catalogue.ts';

/** What is to be deployed: a release, under an origin, with packages on top. */
export interface Staging {
  readonly release: Release;
  readonly origin: string;
  readonly packages: readonly string[];
  readonly locked: boolean;
}

/** What the boot menu, or an unhealthy boot, makes of an update. `applied` is the good end. */
export type BootOutcome = 'applied' | 'discarded' | 'not-booted' | 'rolled-back';

/** The deployment that is running. */
export function bootedOf(state: HostState): Deployment {
  const booted = state.deployments.find((deployment) => deployment.booted);
  if (booted === undefined) throw new Error('the host state has no booted deployment');
  return booted;
}

/** The deployment that boots next, when nothing is staged under lock. */
export function defaultOf(state: HostState): Deployment {
  return state.deployments[0] ?? bootedOf(state);
}

/** The first deployment behind the booted one. */
export function rollbackOf(state: HostState): Deployment | undefined {
  return state.deployments[state.deployments.indexOf(bootedOf(state)) + 1];
}

/** A new deployment of a release; the commit of an image, or with packages on top, is another at every write. */
export function deploymentOf(state: HostState, staging: Staging): Deployment {
  const { release, origin, packages, locked } = staging;
  const { kind, version, stream, basearch, timestamp, payload } = release;
  const made = (what: string): string =>
    createHash('sha256')
      .update(`${what} ${payload} ${packages.join(' ')} ${state.writes}`)
      .digest('hex');
  const base = kind === 'container' ? made('image') : payload;
  const checksum = packages.length === 0 ? base : made('layered');
  const digest = kind === 'container' ? payload : null;
  const same = state.deployments.filter((other) => other.checksum === checksum && !other.staged);
  const serial = Math.max(-1, ...same.map((other) => other.serial)) + 1;
  const flags = { booted: false, staged: false, locked, pinned: false };
  return { kind, origin, checksum, base, digest, version, stream, basearch, timestamp, packages, serial, ...flags };
}

/** Stages a deployment in place of one that is staged. */
export function stage(state: HostState, staging: Staging): HostState {
  const staged = { ...deploymentOf(state, staging), staged: true };
  const rest = unstaged(state);
  const refs =
    staging.release.kind === 'ostree' ? withRef(state.refs, staging.origin, staging.release.payload) : state.refs;
  return { ...state, deployments: [staged, ...rest], refs, writes: state.writes + 1 };
}

/** The pull of a ref: what it has brought stays in the repository whatever becomes of the deployment. */
export function withRef(refs: readonly string[], refspec: string, commit: string): readonly string[] {
  return [...refs.filter((entry) => !entry.startsWith(`${refspec}=`)), `${refspec}=${commit}`];
}

/** Removes what is staged, and what would boot instead of the booted deployment. */
export function dropPending(state: HostState): HostState {
  const at = state.deployments.indexOf(bootedOf(state));
  return { ...state, deployments: state.deployments.filter((other, index) => index >= at || other.pinned) };
}

/** Removes what is behind the booted deployment. */
export function dropRollback(state: HostState): HostState {
  const at = state.deployments.indexOf(bootedOf(state));
  return { ...state, deployments: state.deployments.filter((other, index) => index <= at || other.pinned) };
}

/** Lets the staged deployment apply at the next reboot. */
export function unlock(state: HostState): HostState {
  return { ...state, deployments: state.deployments.map((other) => ({ ...other, locked: false })) };
}

/** Makes the rollback deployment the default; a staged one is lost. Null when there is none. */
export function rollBack(state: HostState): HostState | null {
  const rest = unstaged(state);
  const [first, ...others] = rest;
  const target = first?.booted === true ? rollbackOf(state) : bootedOf(state);
  if (first === undefined || target === undefined || others.length === 0) return null;
  return { ...state, deployments: [target, ...rest.filter((other) => other !== target)] };
}

/**
 * What a shutdown in order and the boot after it make of the deployments: an unlocked staged one is written and boots,
 * the booted one becomes the rollback; a locked one is discarded. `outcome` other than `applied` spoils that.
 */
export function reboot(state: HostState, outcome: BootOutcome): HostState {
  const [first] = state.deployments;
  if (first?.staged === true && !first.locked && outcome !== 'discarded') {
    const written = { ...first, staged: false, booted: false };
    const kept = unstaged(state).filter((other) => other.booted || other.pinned);
    const old = bootedOf(state);
    if (outcome === 'applied') return boot({ ...state, deployments: [written, ...kept] }, written);
    if (outcome === 'not-booted') return { ...state, deployments: [written, ...kept] };
    return { ...state, deployments: [old, written, ...kept.filter((other) => other !== old)] };
  }
  const deployments = unstaged(state);
  return boot({ ...state, deployments }, deployments[0] ?? bootedOf(state));
}

/** What a power cut leaves: the staged deployment was only in /run and is gone, locked or not. */
export function powerCut(state: HostState): HostState {
  const deployments = unstaged(state);
  return boot({ ...state, deployments }, deployments[0] ?? bootedOf(state));
}

function boot(state: HostState, target: Deployment): HostState {
  const deployments = state.deployments.map((other) => ({ ...other, booted: other === target }));
  return { ...state, deployments };
}

function unstaged(state: HostState): readonly Deployment[] {
  return state.deployments.filter((other) => !other.staged);
}
