import { setTimeout as delay } from 'node:timers/promises';
import type { Deployment } from '../api.ts';
import type { Release } from '../catalogue.ts';
import { defaultOf, stage } from '../ostree.ts';
import type { Options } from './options.ts';
import { resolve } from './resolve.ts';
import type { Sysroot } from './sysroot.ts';
import type { Progress, Work } from './transaction.ts';

/** What to deploy. */
export interface DeployRequest {
  /** `Deploy` or `Rebase`. */
  readonly method: string;
  readonly revision: string;
  /** The origin to change to; null keeps it. */
  readonly refspec: string | null;
  readonly packages: readonly string[];
  readonly options: Options;
}

/** Fetches a release and stages it, under lock when `lock-finalization` asks for it. */
export function deployWork(sysroot: Sysroot, request: DeployRequest): Work {
  const { method, options } = request;
  const title = options.text('initiating-command-line') ?? method.toLowerCase();
  return {
    method,
    title,
    run: async (progress) => {
      await progress.phase('start');
      const { folder } = sysroot;
      const current = defaultOf(folder.read());
      if (request.refspec === current.origin) throw new Error(`Old and new refs are equal: ${current.origin}`);
      const origin = request.refspec ?? current.origin;
      const anyBranch = options.flag('skip-branch-check');
      const release = resolve(folder.catalogue(), { origin, revision: request.revision, anyBranch });
      if (!options.flag('allow-downgrade', true)) refuseDowngrade(release, current);
      if (release.kind === 'ostree' && release.payload === current.base && origin === current.origin) {
        progress.signal('Message', 'No change.');
        return progress.phase('done');
      }
      await download(sysroot, progress, release);
      if (options.flag('dry-run') || options.flag('download-only')) return;
      const packages = [...current.packages, ...request.packages];
      const locked = options.flag('lock-finalization');
      const staged = falsified(sysroot, release);
      progress.signal('TaskBegin', 'Staging deployment');
      sysroot.apply((state) => stage(state, { release: staged, origin, packages, locked }));
      progress.signal('TaskEnd', 'done');
      await progress.phase('done');
    },
  };
}

/** The real daemon compares the times of ostree commits only, and with the pending deployment. */
function refuseDowngrade(release: Release, current: Deployment): void {
  if (release.kind !== 'ostree' || release.timestamp >= current.timestamp) return;
  const date = (seconds: number): string => new Date(seconds * 1000).toUTCString();
  throw new Error(
    `Upgrade target revision '${release.payload}' with timestamp '${date(release.timestamp)}' is chronologically older ` +
      `than current revision '${current.base}' with timestamp '${date(current.timestamp)}'; use --allow-downgrade to permit`,
  );
}

function falsified(sysroot: Sysroot, release: Release): Release {
  const wrong = sysroot.folder.faults.take('wrongStaged');
  if (wrong === null) return release;
  const { stream, version, checksum } = wrong;
  return {
    ...release,
    stream: stream === '' ? release.stream : stream,
    version: version === '' ? release.version : version,
    payload: checksum === '' ? release.payload : checksum,
  };
}

const BYTES = 700_000_000;

async function download(sysroot: Sysroot, progress: Progress, release: Release): Promise<void> {
  const what = release.kind === 'ostree' ? `Pulling ${release.payload.slice(0, 12)}` : 'Fetching container image';
  progress.signal('TaskBegin', what);
  await progress.phase('download');
  const slow = sysroot.folder.faults.take('slow');
  const steps = Math.max(1, Math.floor(slow?.steps ?? 1));
  for (let step = 1; step <= steps; step += 1) {
    if (slow !== null) await delay(slow.ms / steps, undefined, { signal: progress.cancelled });
    if (release.kind === 'container') progress.signal('PercentProgress', what, Math.floor((100 * step) / steps));
    else progress.signal('DownloadProgress', ...transfer(step / steps));
  }
  progress.signal('ProgressEnd');
  progress.signal('TaskEnd', 'done');
}

/** The arguments of DownloadProgress when `share` (0..1) of the commit has arrived. */
function transfer(share: number): readonly unknown[] {
  const objects = 10_000;
  const got = Math.floor(objects * share);
  const bytes = BigInt(Math.floor(BYTES * share));
  return [
    [0n, 0n],
    [objects - got, 0],
    [got, got, 0],
    [0, 0, 0, 0n],
    [got, objects],
    [bytes, bytes],
  ];
}
