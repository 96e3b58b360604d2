import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentState, Settings } from '../../src/agent/machine/state.ts';
import type { Freeze } from '../../src/config/freeze.ts';
import type { Graph, Release } from '../../src/graph/types.ts';
import { type Sight, drive } from '../../src/simulate/drive.ts';
import { type End, endOf } from '../../src/simulate/end.ts';
import { answerTo } from '../../src/simulate/answers.ts';
import { ImaginedHost } from '../../src/simulate/host.ts';
import { Timeline } from '../../src/simulate/timeline.ts';
import type { SlotRule, World } from '../../src/simulate/world.ts';
import { createFreezes, freezeAt } from '../../src/strategy/freeze.ts';
import { createSchedule, scheduleAt } from '../../src/strategy/schedule.ts';
import {
  HOUR,
  MINUTE,
  NODE_ID,
  aroundRules,
  graph as chain,
  hourlyWindows,
  lockAt,
  release,
  settings,
  target,
  version,
} from '../support/agent-builders.ts';

const DAY = 24 * HOUR;
/** A Friday. */
const AT = Date.UTC(2026, 6, 24, 9, 40);

function world(change: Partial<World> = {}): World {
  return {
    settings: settings(),
    graph: { ...chain([1, 2, 3]), raw: true },
    from: target(1),
    stream: 'stable',
    at: AT,
    until: AT + 30 * DAY,
    uptimeMs: DAY,
    stageMs: 2 * MINUTE,
    bootMs: 2 * MINUTE,
    slot: 'granted',
    people: false,
    dice: 0.5,
    ...change,
  };
}

interface Ran {
  readonly end: End;
  readonly sights: readonly Sight[];
  readonly timeline: Timeline;
  /** Each finalize: when, from where and to where. */
  readonly hops: readonly { readonly at: number; readonly from: string; readonly to: string }[];
}

function run(one: World, leaps = true): Ran {
  const timeline = new Timeline(one);
  const sights: Sight[] = [];
  const end = drive(
    one,
    {
      see: (sight) => {
        sights.push(sight);
        timeline.see(sight);
      },
      rest: (state, at) => timeline.rest(state, at),
      leap: (polls, last) => timeline.leap(polls, last),
    },
    leaps,
  );
  const hops = sights.flatMap(({ after, event, effects }) =>
    effects.flatMap((effect) =>
      effect.kind === 'finalize'
        ? { at: event.at.wall, from: after.host?.booted?.version ?? '', to: effect.target.version }
        : [],
    ),
  );
  return { end, sights, timeline, hops };
}

function lines({ timeline }: Ran): readonly string[] {
  return timeline.steps.map(({ at, times, text }) => `${(at - AT) / MINUTE}${times > 1 ? ` ×${times}` : ''} ${text}`);
}

describe('a host', () => {
  test('without windows takes release after release as fast as it can', () => {
    const ran = run(world({ graph: chain([1, 2, 3], [[1, 3]]) }));
    expect(lines(ran)).toEqual([
      '0 the agent starts; 42.1 is running',
      '2.5 checks the graph: update to 42.2',
      '2.5 stages 42.2 (assumed: 2 min)',
      '4.5 42.2 is staged',
      '4.5 finalizes 42.2 and reboots (assumed: 2 min)',
      '6.5 boots 42.2; the agent starts',
      '9 checks the graph: update to 42.3',
      '9 stages 42.3 (assumed: 2 min)',
      '11 42.3 is staged',
      '11 finalizes 42.3 and reboots (assumed: 2 min)',
      '13 boots 42.3; the agent starts',
      '15.5 checks the graph: 42.3 is the newest release',
    ]);
    expect(ran.end).toEqual({ kind: 'newest', at: AT + 15.5 * MINUTE, text: '42.3 is the newest release' });
  });

  test('with windows holds until the first one', () => {
    const ran = run(world({ settings: settings({ schedule: hourlyWindows() }) }));
    expect(lines(ran).slice(1, 5)).toEqual([
      '2.5 checks the graph: update to 42.3; 1 older one is passed over',
      '2.5 stages 42.3 (assumed: 2 min)',
      '4.5 42.3 is staged',
      '4.5 holds 42.3: outside of the reboot windows, until 2026-07-24T10:00:00Z',
    ]);
    expect(ran.hops).toEqual([{ at: AT + 20 * MINUTE, from: '42.1', to: '42.3' }]);
  });

  test('that is up for a moment waits for its uptime, from the first boot and from every other', () => {
    const one = { uptimeMs: 0, bootMs: 0, stageMs: 0, graph: chain([1, 2, 3], [[1, 3]]) };
    const ran = run(world({ ...one, settings: settings({ minUptimeMs: HOUR }) }));
    expect(ran.hops.map(({ at }) => (at - AT) / MINUTE)).toEqual([60, 120]);
  });

  test('asks the lock server, and tells people, who get their time', () => {
    const config = settings({ lock: lockAt('a'), around: aroundRules() });
    const ran = run(world({ settings: config, people: true, graph: chain([1, 2]) }));
    expect(lines(ran)).toEqual([
      '0 the agent starts; 42.1 is running',
      '0 tells the lock server that this host is steady (group workers; assumed: it confirms)',
      '2.5 checks the graph: update to 42.2',
      '2.5 stages 42.2 (assumed: 2 min)',
      '4.5 42.2 is staged',
      '4.5 ×2 tells people: This host is to be updated to 42.2 and must reboot for it.',
      '4.5 holds 42.2: somebody (pts/0) is logged in; they are given time to finish, until 2026-07-24T09:54:30Z',
      '14.5 asks for the slot of group workers, and waits for it (50 s at most)',
      '14.5 the slot is granted',
      '14.5 tells people: This host is about to reboot into 42.2: not before 60 s from now, and then unless something holds it back.',
      '15.5 finalizes 42.2 and reboots (assumed: 2 min)',
      '17.5 boots 42.2; the agent starts',
      '17.5 tells the lock server that this host is steady (group workers; assumed: it confirms)',
      '20 checks the graph: 42.2 is the newest release',
    ]);
  });

  test('that gets no slot asks to the end, in few lines', () => {
    const ran = run(world({ settings: settings({ lock: lockAt('a') }), slot: 'refused' }));
    expect([ran.end.kind, ran.end.at, ran.hops]).toEqual(['until', AT + 30 * DAY, []]);
    expect(ran.timeline.steps).toHaveLength(8);
    const refused = ran.timeline.steps.find(({ kind }) => kind === 'refused');
    expect(refused?.times).toBeGreaterThan(7_000);
    expect(refused?.last).toBeGreaterThan(AT + 30 * DAY - 10 * MINUTE);
  });

  test('that gets its slot later goes on the moment it is free, or at the next question', () => {
    const withWait = (lockWaitMs: number): Settings => settings({ lock: lockAt('a'), lockWaitMs });
    const slot = { freeAfterMs: 20_000 };
    expect(run(world({ settings: withWait(50_000), slot })).hops[0]?.at).toBe(AT + 4.5 * MINUTE + 20_000);
    expect(run(world({ settings: withWait(0), slot })).hops[0]?.at).toBe(AT + 4.5 * MINUTE + 315_000);
  });

  test('gives up a question for the slot when its window ends', () => {
    const config = settings({ lock: lockAt('a'), lockWaitMs: HOUR, schedule: hourlyWindows() });
    const ran = run(world({ settings: config, at: AT + 30 * MINUTE, slot: { freeAfterMs: 55 * MINUTE } }));
    expect(ran.hops).toEqual([expect.objectContaining({ at: AT + 30 * MINUTE + 59.5 * MINUTE })]);
  });
});

describe('a rollout', () => {
  const rollout = { startWall: AT + DAY, startValue: 0, durationMinutes: 1000 };
  const graph: Graph = { ...chain([1, 2]), releases: [release(1), release(2, { rollout })] };
  const config = settings({ wariness: 0.5 });

  test('of a raw graph reaches the host in its time', () => {
    const reached = AT + DAY + 500 * MINUTE;
    const ran = run(world({ settings: config, graph: { ...graph, raw: true } }));
    const [start, waits, check] = ran.timeline.steps;
    expect([start?.kind, waits?.kind, waits?.times]).toEqual(['boot', 'check', 370]);
    expect(waits?.text).toContain('42.2 reaches this host at about 2026-07-25T18:00:00Z');
    expect(check?.at).toBeGreaterThanOrEqual(reached);
    expect(check?.at).toBeLessThan(reached + 315_000);
    expect(ran.end.kind).toBe('newest');
  });

  test('that a server has judged is as far as one can see', () => {
    const ran = run(world({ settings: config, graph: { ...graph, edges: [[], []] } }));
    expect([ran.end.kind, ran.hops]).toEqual(['noUpdate', []]);
    expect(ran.end.text).toContain('42.2 reaches this host at about 2026-07-25T18:00:00Z');
  });

  test('that is paused ends it', () => {
    const paused = [release(1), release(2, { rollout: { ...rollout, durationMinutes: null } })];
    const ran = run(world({ settings: config, graph: { ...graph, releases: paused, raw: true } }));
    expect([ran.end.kind, ran.end.at]).toEqual(['noUpdate', AT + 2.5 * MINUTE]);
  });
});

describe('the end', () => {
  test.each<[End['kind'], Partial<World>]>([
    ['deadEnd', { graph: { ...chain([1, 2]), releases: [release(1, { deadEnd: 'gone' }), release(2)] } }],
    ['noUpdate', { from: target(9) }],
    ['idle', { settings: settings({ enabled: false }) }],
    ['idle', { settings: settings({ source: 'staged' }) }],
    ['never', { settings: settings({ schedule: weekly([]) }) }],
    ['never', { settings: settings({ freezes: createFreezes([ALWAYS], 'UTC', 'UTC') }) }],
    ['until', { until: AT + MINUTE }],
  ])('is %s', (kind, change) => {
    expect(run(world(change)).end.kind).toBe(kind);
  });
});

const ALWAYS: Freeze = {
  kind: 'yearly',
  reason: 'always',
  timeZone: null,
  from: { month: 1, day: 1 },
  until: { month: 12, day: 31 },
};

function weekly(
  windows: readonly { readonly day: number; readonly startMinute: number; readonly lengthMinutes: number }[],
): NonNullable<Settings['schedule']> {
  const list = windows.map(({ day, ...rest }) => ({ kind: 'weekly', days: [day], timeZone: null, ...rest }) as const);
  return createSchedule({ windows: list, timeZone: 'UTC', randomPlace: false, nodeId: NODE_ID, graceMs: 0 }, 'UTC');
}

const day = fc.record({ month: fc.integer({ min: 7, max: 8 }), day: fc.integer({ min: 1, max: 31 }) });
const freezes = fc
  .array(
    fc.record({
      kind: fc.constant('yearly' as const),
      reason: fc.constant('fair'),
      timeZone: fc.constant(null),
      from: day,
      until: day,
    }),
    { maxLength: 2 },
  )
  .map((list) => list.filter(({ from, until }) => from.month * 100 + from.day <= until.month * 100 + until.day))
  .map((list) => (list.length === 0 ? null : createFreezes(list, 'UTC', 'UTC')));
const window = fc.record({
  day: fc.nat(6),
  startMinute: fc.nat(1439),
  lengthMinutes: fc.integer({ min: 1, max: 3000 }),
});
const configs: fc.Arbitrary<Settings> = fc
  .record({
    schedule: fc.option(fc.array(window, { maxLength: 3 }).map(weekly)),
    freezes,
    lock: fc.option(fc.constant(lockAt('a'))),
    lockWaitMs: fc.constantFrom(0, 50_000, 20 * MINUTE),
    around: fc.option(fc.constant(aroundRules())),
    minUptimeMs: fc.constantFrom(0, 30 * MINUTE, 30 * HOUR),
    steadyIntervalMs: fc.constantFrom(MINUTE, 5 * MINUTE, 3 * HOUR),
    wariness: fc.double({ min: 0, max: 1, noNaN: true }),
    enabled: fc.constantFrom(true, true, true, false),
    allowDowngrade: fc.boolean(),
  })
  .map((change) => settings(change));
/** Without edges across a barrier, as graphs are built. */
const graphs: fc.Arbitrary<Graph> = fc
  .array(
    fc.record({
      barrier: fc.option(fc.constant('first this one'), { freq: 3 }),
      deadEnd: fc.option(fc.constant('gone'), { freq: 9 }),
      rollout: fc.option(
        fc.record({
          startWall: fc.integer({ min: AT - DAY, max: AT + 3 * DAY }),
          startValue: fc.constantFrom(0, 0.3),
          durationMinutes: fc.option(fc.integer({ min: 0, max: 4000 })),
        }),
        { freq: 2 },
      ),
      without: fc.array(fc.nat(6), { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .chain((nodes) =>
    fc.boolean().map((raw): Graph => {
      const releases: Release[] = nodes.map(({ barrier, deadEnd, rollout }, n) =>
        release(n + 1, { barrier, deadEnd, rollout }),
      );
      const isOpen = (from: number, to: number): boolean =>
        to > from &&
        nodes[from]?.without.includes(to) !== true &&
        !nodes.slice(from + 1, to).some(({ barrier }) => barrier !== null);
      const edges = nodes.map((_, from) => nodes.flatMap((__, to) => (isOpen(from, to) ? to : [])));
      return { releases, edges, warnings: [], raw };
    }),
  );
const worlds: fc.Arbitrary<World> = fc
  .record({
    settings: configs,
    graph: graphs,
    days: fc.constantFrom(1, 9, 20),
    uptimeMs: fc.constantFrom(0, DAY),
    stageMs: fc.constantFrom(0, 2 * MINUTE, 4 * HOUR),
    bootMs: fc.constantFrom(0, 2 * MINUTE),
    slot: fc.constantFrom<SlotRule[]>('granted', 'refused', { freeAfterMs: 0 }, { freeAfterMs: 7 * MINUTE }),
    people: fc.boolean(),
    dice: fc.constantFrom(0, 0.5, 0.999),
  })
  .map(({ days, ...rest }) => world({ ...rest, until: AT + days * DAY }));

describe('in any world a simulation', { timeout: 120_000 }, () => {
  test('ends, in order, with the same steps for the same world', () => {
    const property = fc.property(worlds, (one) => {
      const ran = run(one);
      expect(ran.end.at).toBeLessThanOrEqual(one.until);
      expect(ran.end.kind).not.toBe('steps');
      const moments = [...ran.timeline.steps.map(({ at }) => at), ran.end.at];
      expect(moments).toEqual(moments.toSorted((a, b) => a - b));
      const again = run(one);
      expect([again.end, again.timeline.steps]).toEqual([ran.end, ran.timeline.steps]);
    });
    fc.assert(property, { numRuns: 60 });
  });

  test('is the same without the looks that change nothing', () => {
    const property = fc.property(worlds, (one) => {
      const [slow, fast] = [run(one, false), run(one, true)];
      expect(fast.timeline.steps).toEqual(slow.timeline.steps);
      expect([fast.end, fast.timeline.checks]).toEqual([slow.end, slow.timeline.checks]);
    });
    fc.assert(property, { numRuns: 60 });
  });

  test('never leaves the machine where it does not belong', () => {
    const property = fc.property(worlds, (one) => {
      const { sights, end, timeline } = run(one);
      expect(sights.filter(({ ignored }) => ignored !== null)).toEqual([]);
      expect(timeline.steps.filter(({ kind }) => kind === 'trouble')).toEqual([]);
      const last = sights.at(-1)?.after;
      if (end.kind !== 'until') expect([last?.pending, last?.memory.slot, last?.memory.owed]).toEqual([{}, null, []]);
    });
    fc.assert(property, { numRuns: 60 });
  });

  test('finalizes inside of windows, outside of freezes and when the host is up for long enough', () => {
    const property = fc.property(worlds, (one) => {
      const { schedule, freezes: dates, minUptimeMs } = one.settings;
      for (const { after, event, effects } of run(one).sights) {
        if (!effects.some(({ kind }) => kind === 'finalize')) continue;
        const { wall, mono } = event.at;
        if (schedule !== null) expect(scheduleAt(schedule, wall).open).toBe(true);
        if (dates !== null) expect(freezeAt(dates, wall).frozen).toBe(false);
        expect(mono).toBeGreaterThanOrEqual(minUptimeMs);
        if (one.settings.lock !== null) expect(after.memory.slot?.state).toBe('held');
      }
    });
    fc.assert(property, { numRuns: 60 });
  });

  test('goes along edges, from one end of a hop to the next, and past no barrier', () => {
    const property = fc.property(worlds, (one) => {
      const { releases, edges } = one.graph;
      let here = 0;
      for (const { from, to } of run(one).hops) {
        const next = releases.findIndex((each) => each.version === to);
        expect([from, edges[here]?.includes(next)]).toEqual([version(here + 1), true]);
        expect(releases.slice(here + 1, next).filter(({ barrier }) => barrier !== null)).toEqual([]);
        here = next;
      }
    });
    fc.assert(property, { numRuns: 100 });
  });
});

describe('in a simulation', () => {
  const fleet = settings({ lock: lockAt('locks') });

  test('a slot is taken anew for each hop, and waited for as long', () => {
    const { hops } = run(
      world({ settings: fleet, graph: chain([1, 2, 3], [[1, 3]]), slot: { freeAfterMs: 6 * HOUR } }),
    );
    const [first, second] = hops;
    expect(hops).toHaveLength(2);
    expect(first!.at - AT).toBeGreaterThanOrEqual(6 * HOUR);
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(6 * HOUR);
  });

  test('the consent is asked for again at finalize', () => {
    const one = world();
    const finalize = run(one).sights.flatMap(({ after, event, effects }) =>
      effects.flatMap((effect) => (effect.kind === 'finalize' ? { effect, state: after, at: event.at } : [])),
    )[0]!;
    const { effect, at } = finalize;
    const answer = (state: AgentState): string =>
      answerTo(effect, { world: one, host: new ImaginedHost(one.from, null), state, at, slotFreeAt: 0 }).kind;
    expect(answer(finalize.state)).toBe('finalized');
    const pause = { until: null, reason: '', by: 'root', since: 0 };
    expect(answer({ ...finalize.state, memory: { ...finalize.state.memory, pause } })).toBe('failed');
  });

  test('it is not over while a lock server is still to be told', () => {
    const one = world({ settings: fleet });
    const { sights } = run(one);
    const { after, event } = sights.at(-1)!;
    expect(endOf(after, event.at, one)?.kind).toBe('newest');
    const owed = [{ ...lockAt('locks'), slot: true }];
    expect(endOf({ ...after, memory: { ...after.memory, owed } }, event.at, one)).toBeNull();
  });
});
