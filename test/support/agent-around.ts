import type { Around } from '../../src/agent/gates/around.ts';
import type { HookEvent } from '../../src/hooks/event.ts';
import type { AsyncEffect } from '../../src/agent/machine/effect.ts';
import type { HookOutcome } from '../../src/agent/machine/event.ts';
import { AROUND, person } from './agent-builders.ts';

type HooksEffect = Extract<AsyncEffect, { kind: 'hooks' }>;

/** What surrounds the reboots of a modelled host. */
export class ModelAround {
  now: Omit<Around, 'readAt'> = AROUND;
  /** Milliseconds since boot at which each session that is there came. */
  readonly came = new Map<string, number>();
  /** What `pre-reboot` did was not undone; how often undoing it has failed since. */
  drained = false;
  undosFailed = 0;
  /** How often its hooks were run for that, and failed. */
  undosRun = 0;
  /** The event whose hooks say "not now", and how. */
  refuses: { readonly event: HookEvent; readonly kind: 'not-now' | 'failed' | 'not-run' } | null = null;
  #next = 0;

  /** Somebody logs in. */
  login(mono: number): void {
    this.#next += 1;
    const id = String(this.#next);
    this.came.set(id, mono);
    this.now = { ...this.now, people: [...(this.now.people ?? []), person(id)] };
  }

  logout(): void {
    this.came.clear();
    this.now = { ...this.now, people: [] };
  }

  change(change: Partial<Around>): void {
    this.now = { ...this.now, ...change };
  }

  /** A new boot: nobody is there yet, and whatever was drained is so no more. */
  boots(): void {
    this.logout();
    [this.drained, this.undosFailed, this.undosRun] = [false, 0, 0];
  }

  /** Nothing is in the way. */
  heals(): void {
    this.refuses = null;
    const { hooks } = this.now;
    this.now = { ...AROUND, hooks, people: this.now.people ?? [] };
  }

  read(mono: number): Around {
    return { ...this.now, readAt: mono };
  }

  runHooks({ event }: HooksEffect, fails: boolean): HookOutcome {
    const { refuses } = this;
    const kind = fails ? 'failed' : refuses?.event === event ? refuses.kind : 'passed';
    if (event === 'pre-reboot') [this.drained, this.undosFailed, this.undosRun] = [true, 0, 0];
    if (event === 'reboot-cancelled') {
      if (kind === 'passed') [this.drained, this.undosFailed, this.undosRun] = [false, 0, 0];
      else this.undosFailed += 1;
      if (kind === 'failed' || kind === 'not-now') this.undosRun += 1;
    }
    return kind === 'passed' ? { kind } : { kind, text: '10-some: no' };
  }
}
