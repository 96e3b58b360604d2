import { errorText } from '../../base/text.ts';
import type { Machine } from '../api.ts';
import { type ClimbEvent, Climber } from '../climber.ts';
import type { FleetPlan, FleetResult, HostEvent } from './events.ts';
import type { ManagerLine } from './lock-manager.ts';
import { type Sight, type Watch, downIn, median, newWatch, see } from './watch.ts';

/** A host of the fleet. */
export interface Member {
  readonly name: string;
  /** As the lock manager knows it. */
  readonly id: string;
  readonly machine: Machine;
  readonly command: readonly [string, ...string[]];
  /** The content of its agent's one configuration file. */
  readonly config: string;
}

interface Host extends Member {
  readonly climber: Climber;
  /** The graph has nothing newer for it. */
  atTop: boolean;
  arrived: boolean;
}

/** What each phase of an agent is a sight of; any other: it rests. */
const SIGHTS: Readonly<Record<string, Sight>> = { holding: 'asks', releasing: 'asks', rebooting: 'calls' };
/** What the lock manager writes when it has a slot back. */
const GIVEN_BACK: ReadonlySet<string> = new Set(['released', 'soaking']);

/** Hosts that climb together, and the one who counts how many of them are down. */
export class Fleet {
  readonly #plan: FleetPlan;
  readonly #onEvent: (event: HostEvent) => void;
  readonly #hosts: Host[] = [];
  #watch: Watch;
  #isOver = false;
  #settle: { resolve: (result: FleetResult) => void; reject: (error: Error) => void };
  /** Resolves when every host has arrived and is steady; rejects at the first thing that must not be. */
  readonly done: Promise<FleetResult>;

  constructor(plan: FleetPlan, onEvent: (event: HostEvent) => void) {
    this.#plan = plan;
    this.#onEvent = onEvent;
    this.#watch = newWatch(plan.slots);
    this.#settle = { resolve: () => undefined, reject: () => undefined };
    this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.done.catch(() => undefined);
  }

  /** Takes in a host that has booted. */
  add(member: Member): void {
    const { machine, command, config } = member;
    const climber = new Climber({ machine, command, config, onEvent: (event) => this.#happened(host, event) });
    const host: Host = { ...member, climber, atTop: false, arrived: false };
    this.#hosts.push(host);
    climber.top.then(
      () => {
        host.atTop = true;
        this.#lookAround();
      },
      (error: unknown) => this.fail(new Error(`${host.name}: ${errorText(error)}`)),
    );
  }

  /** Starts all agents. */
  start(): void {
    for (const { climber } of this.#hosts) climber.start();
  }

  /** Makes `done` reject. */
  fail(error: Error): void {
    this.#settle.reject(error);
  }

  /** Takes note of what the lock manager says. */
  heard({ level, text, action, id }: ManagerLine): void {
    if (this.#isOver) return;
    const host = this.#hosts.find((one) => one.id === id);
    if (host === undefined || action === null) {
      this.#onEvent({ host: 'manager', event: 'log', level, text });
      return;
    }
    this.#onEvent({ host: host.name, event: 'slot', action });
    if (GIVEN_BACK.has(action)) this.#saw(host, 'steady');
  }

  /** Ends all agents, then all hosts. */
  async stop(): Promise<void> {
    // What ends now is no news.
    this.#isOver = true;
    const agents = await Promise.allSettled(this.#hosts.map(({ climber }) => climber.stop()));
    const machines = await Promise.allSettled(this.#hosts.map(({ machine }) => machine.stop()));
    for (const one of [...agents, ...machines]) if (one.status === 'rejected') throw one.reason;
  }

  #happened(host: Host, event: ClimbEvent): void {
    if (this.#isOver) return;
    this.#onEvent({ host: host.name, ...event });
    if (event.event === 'log' || (event.event === 'boot' && event.boot === 1)) return;
    const sight =
      event.event === 'state' ? (SIGHTS[event.state] ?? 'rests') : event.event === 'boot' ? 'boots' : 'shuts';
    // The lock manager writes its line before anybody acts upon its answer; so when this turn of the event loop is
    // over, that line has been read too. Only then it is certain who was down before.
    setImmediate(() => this.#saw(host, sight));
  }

  #saw(host: Host, sight: Sight): void {
    if (this.#isOver) return;
    const before = this.#watch;
    this.#watch = see(before, host.name, sight, performance.now());
    const [was, is] = [downIn(before).length, downIn(this.#watch).length];
    if (was !== is) this.#onEvent({ host: host.name, event: is > was ? 'down' : 'steady', down: is });
    if (this.#watch.fault !== null) this.fail(new Error(this.#watch.fault));
    this.#lookAround();
  }

  /** A host has arrived when it has nothing left to climb and its slot was given back. */
  #lookAround(): void {
    const down = downIn(this.#watch);
    for (const host of this.#hosts) {
      if (host.arrived || !host.atTop || down.includes(host.name)) continue;
      host.arrived = true;
      const { version, reboots } = host.climber;
      this.#onEvent({ host: host.name, event: 'arrived', version, reboots });
    }
    if (this.#hosts.every(({ arrived }) => arrived)) this.#settle.resolve(this.#result());
  }

  #result(): FleetResult {
    const { most, gaps } = this.#watch;
    const reboots = this.#hosts.reduce((sum, { climber }) => sum + climber.reboots, 0);
    return { to: this.#plan.to, reboots, most, gapMs: median(gaps), gaps: gaps.length };
  }
}
