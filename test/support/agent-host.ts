import type { Failure } from '../../src/base/failure.ts';
import type { Target } from '../../src/graph/types.ts';
import {
  type Deployment,
  type HostReading,
  type OwnStaged,
  deploymentKey,
  isUntouched,
  releaseKey,
} from '../../src/host/rpm-ostree/deployment.ts';
import { deployment, reading } from './agent-builders.ts';

/** What is staged on the modelled host. */
interface Staged {
  readonly number: number;
  readonly by: 'agent' | 'admin' | 'other';
  readonly locked: boolean;
  readonly deployment: Deployment;
}

const UNDERWAY: Failure = { class: 'underway', text: 'Reboot initiated, cannot start new transaction' };

/** Releases from this number on are somebody's own: no graph has them. */
export const FOREIGN = 900;

/** A host with rpm-ostree, as far as an agent can tell: what runs, what is staged, and whether a reboot is on its way. */
export class ModelHost {
  boot = 1;
  booted = 1;
  /** The release of the boot before, still installed. */
  previous: number | null = null;
  staged: Staged | null = null;
  /** An acknowledged or lost finalize has asked systemd for the reboot. */
  rebooting = false;
  /** The daemon went away and cannot come back before the reboot. */
  daemonGone = false;
  /** A deployment of somebody else's was removed, or replaced, by the agent. */
  wronged: string | null = null;

  get bootId(): string {
    return `boot-${this.boot}`;
  }

  read(at: number): HostReading {
    const others = this.previous === null ? [] : [deployment(this.previous)];
    return reading(at, this.booted, this.staged?.deployment ?? null, others);
  }

  /** Transactions give null for success. */
  stage(target: Target, twist: Partial<Deployment>): Failure | null {
    if (this.#closed !== null) return this.#closed;
    const number = Number(target.ageIndex);
    const already = this.staged !== null && deploymentKey(this.staged.deployment) === releaseKey(target);
    if (already && Object.keys(twist).length === 0) return null;
    this.staged = { number, by: 'agent', locked: true, deployment: deployment(number, { staged: true, ...twist }) };
    return null;
  }

  /** The agent asks for what somebody has staged at this very moment: "No change" tells it nothing of that. */
  askedFor(target: Target): void {
    if (
      this.staged?.by !== 'other' ||
      this.staged.deployment.layered ||
      deploymentKey(this.staged.deployment) !== releaseKey(target)
    )
      return;
    this.staged = { ...this.staged, by: 'admin' };
  }

  discard(own: OwnStaged): Failure | null {
    if (this.#closed !== null) return this.#closed;
    if (this.staged === null || !isUntouched(this.staged.deployment, own)) return null;
    if (this.staged.by === 'other') this.wronged = `discarded ${own.key}, which somebody else staged or changed`;
    this.staged = null;
    return null;
  }

  /** `half`: the daemon dies between unlocking and asking for the reboot. */
  finalize(target: Target, allowUnlocked: boolean, half: boolean): Failure | null {
    if (this.#closed !== null) return this.#closed;
    if (this.staged === null || deploymentKey(this.staged.deployment) !== releaseKey(target)) {
      return { class: 'gone', text: 'No pending staged deployment found' };
    }
    if (!this.staged.locked && !allowUnlocked) {
      return { class: 'unlocked', text: 'Staged deployment already unlocked' };
    }
    this.staged = { ...this.staged, locked: false };
    this.rebooting = !half;
    return null;
  }

  get #closed(): Failure | null {
    if (this.daemonGone) return { class: 'transient', text: 'org.freedesktop.DBus.Error.ServiceUnknown' };
    return this.rebooting ? UNDERWAY : null;
  }

  /**
   * Somebody stages a release past the agent. Not possible while a reboot is on its way. `agents`: the agent staged it,
   * or may have, and cannot tell.
   */
  adminStages(number: number, locked: boolean, agents: boolean): void {
    if (this.#closed !== null) return;
    const layered = number % 2 === 0;
    const by = agents && !layered ? 'admin' : 'other';
    const change = layered ? { layered, id: `fedora-coreos-layered-${number}.0` } : {};
    this.staged = { number, by, locked, deployment: deployment(number, { staged: true, ...change }) };
  }

  adminCleans(): void {
    if (this.#closed === null) this.staged = null;
  }

  /** Boots the release of the boot before. False when there is none. */
  adminRollsBack(): boolean {
    if (this.#closed !== null || this.previous === null) return false;
    this.#comeUp(this.previous);
    return true;
  }

  /** The next boot: into what is staged and unlocked, unless it does not come up. */
  restart(comesUp: boolean): void {
    const next = this.staged !== null && !this.staged.locked && comesUp ? this.staged.number : this.booted;
    this.#comeUp(next);
  }

  #comeUp(number: number): void {
    if (number !== this.booted) this.previous = this.booted;
    this.booted = number;
    this.boot += 1;
    this.staged = null;
    this.rebooting = false;
    this.daemonGone = false;
  }
}
