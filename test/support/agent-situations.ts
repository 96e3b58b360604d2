import type { Settings } from '../../src/agent/machine/state.ts';
import { INTERVAL, graph, reading, settings, stagedDeployment } from './agent-builders.ts';
import { Driver } from './agent-driver.ts';

/** An agent that watches: release 1 runs, and nothing is owed. */
export function settled(change: Partial<Settings> = {}): Driver {
  const driver = new Driver({ settings: settings(change) });
  driver.send({ kind: 'started' });
  driver.looked(reading(driver.mono, 1));
  if (driver.asked.includes('report')) driver.reported();
  return driver;
}

/** An agent that stages release 2. */
export function staging(change: Partial<Settings> = {}): Driver {
  const driver = settled(change);
  driver.pass(INTERVAL);
  driver.graphRead(graph([1, 2]));
  return driver;
}

/**
 * An agent with release 2 staged: paused, or at the next question. `pollOpen`: the graph is being asked for as well.
 */
export function held(change: Partial<Settings> = {}, { pause = false, pollOpen = false } = {}): Driver {
  const driver = staging(change);
  if (pause) driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
  if (pollOpen) driver.pass(2 * INTERVAL);
  driver.staged(reading(driver.mono, 1, stagedDeployment(2)));
  return driver;
}

/** An agent that has called finalize for release 2, under a slot if there is a lock. */
export function rebooting(change: Partial<Settings> = {}): Driver {
  const driver = held(change);
  if (driver.phase === 'releasing') {
    driver.granted();
    driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
  }
  return driver;
}

function withdraw(driver: Driver): void {
  for (let count = 0; count < 2; count += 1) {
    driver.pass(2 * INTERVAL);
    driver.graphRead(graph([1, 2], [[1, 2]]));
  }
}

function supersede(driver: Driver): void {
  driver.pass(2 * INTERVAL);
  driver.graphRead(graph([1, 2, 3]));
}

function skip(driver: Driver): void {
  driver.send({ kind: 'skip', by: 'root', version: '42.2' });
}

/** What makes the agent leave its target. */
export const REASONS_TO_LEAVE: readonly (readonly [string, (driver: Driver) => void])[] = [
  ['withdrawn', withdraw],
  ['superseded', supersede],
  ['skipped', skip],
];
