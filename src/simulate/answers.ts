import type { Instant } from '../base/clock.ts';
import type { Around, Person } from '../agent/gates/around.ts';
import { consentWithdrawn } from '../agent/machine/consent.ts';
import type { AsyncEffect } from '../agent/machine/effect.ts';
import type { EventBody } from '../agent/machine/event.ts';
import type { AgentState } from '../agent/machine/state.ts';
import type { ImaginedHost } from './host.ts';
import type { World } from './world.ts';

/** Where an effect is carried out: as things stand when it is answered. */
export interface Scene {
  readonly world: World;
  readonly host: ImaginedHost;
  readonly state: AgentState;
  readonly at: Instant;
  /** Milliseconds since 1970 at which a slot is free; Infinity: never. */
  readonly slotFreeAt: number;
}

type Answers = {
  readonly [K in AsyncEffect['kind']]: (effect: Extract<AsyncEffect, { kind: K }>, scene: Scene) => EventBody;
};

/** What the lock server says. */
const SLOTS_FULL = 'all slots are taken';

/** Somebody at a terminal. */
const SOMEBODY: Person = { id: '1', uid: 1000, user: 'somebody', where: 'pts/0', tty: 'pts/0', idle: false };

const ANSWERS: Answers = {
  look: ({ id }, { host, at }) => ({ kind: 'looked', id, reading: host.read(at.mono) }),
  lookAround: ({ id }, { world, at }) => ({ kind: 'lookedAround', id, around: around(world, at.mono) }),
  hooks: ({ id }) => ({ kind: 'hooksDone', id, outcome: { kind: 'passed' } }),
  rollback: ({ id }) => failed('rollback', id, 'a boot that is not healthy is not simulated'),
  fetchGraph: ({ id }, { world }) => ({ kind: 'graphRead', id, graph: world.graph }),
  stage: ({ id, target }, { host, at }) => {
    host.stage(target);
    return { kind: 'staged', id, reading: host.read(at.mono) };
  },
  discard: ({ id }, { host, at }) => {
    host.discard();
    return { kind: 'discarded', id, reading: host.read(at.mono) };
  },
  finalize: ({ id }, { state, at }) => {
    // The shell asks as well, at the last moment.
    const withdrawn = consentWithdrawn(state, at);
    return withdrawn === null ? { kind: 'finalized', id } : failed('finalize', id, withdrawn);
  },
  lock: ({ id }, { at, slotFreeAt }) =>
    at.wall >= slotFreeAt ? { kind: 'slotGranted', id } : { kind: 'slotRefused', id, text: SLOTS_FULL },
  report: ({ id }) => ({ kind: 'reported', id }),
};

/** Carries out an effect as a host and servers do that are well. */
export function answerTo(effect: AsyncEffect, scene: Scene): EventBody {
  // The table is typed by kind; the compiler cannot see that the looked-up entry is the one of this effect.
  const answer = ANSWERS[effect.kind] as (effect: AsyncEffect, scene: Scene) => EventBody;
  return answer(effect, scene);
}

/** Milliseconds until an effect that begins now is answered. */
export function delayOf(effect: AsyncEffect, { world, at, slotFreeAt }: Omit<Scene, 'state'>): number {
  if (effect.kind === 'stage') return world.stageMs;
  // A server that may take its time answers the moment a slot is free.
  return effect.kind === 'lock' ? Math.min(effect.waitMs, Math.max(0, slotFreeAt - at.wall)) : 0;
}

function failed(effect: AsyncEffect['kind'], id: number, text: string): EventBody {
  return { kind: 'failed', effect, id, failure: { class: 'transient', text } };
}

/** Nothing keeps the reboot back. */
function around({ people }: World, readAt: number): Around {
  return {
    readAt,
    people: people ? [SOMEBODY] : [],
    blockers: [],
    holds: [],
    power: 'ac',
    metered: false,
    clockSynced: true,
    boot: { kind: 'healthy' },
    hooks: [],
    problems: [],
  };
}
