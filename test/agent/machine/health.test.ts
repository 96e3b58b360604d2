import { describe, expect, test } from 'vitest';
import type { BootHealth } from '../../../src/host/systemd/health.ts';
import { statusLine } from '../../../src/agent/machine/explain.ts';
import {
  AROUND,
  INTERVAL,
  MINUTE,
  SECOND,
  aroundRules,
  deployment,
  graph,
  instant,
  keyOf,
  lockAt,
  reading,
  settings,
} from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { IN_FLEET, arrived, surrounded } from '../../support/agent-surrounded.ts';

const WAITING: BootHealth = { kind: 'waiting', reason: 'boot-complete.target is inactive' };
const UNHEALTHY: BootHealth = { kind: 'unhealthy', reason: 'boot-complete.target failed' };
const HEALTHY: BootHealth = AROUND.boot;

/** The boot after an update into release 2, whose slot is still held. */
function updated(rollback = false): Driver {
  const before = arrived({}, { rollback }, IN_FLEET).driver;
  before.granted();
  before.finalized();
  const after = before.restarted({ bootId: 'boot-2', mono: 20 * SECOND });
  after.send({ kind: 'started' });
  after.auto.look = () => after.looked(reading(after.mono, 2, null, [deployment(1)]));
  after.auto.fetchGraph = () => after.graphRead(graph([1, 2]));
  if (after.asked.includes('look')) after.looked(reading(after.mono, 2, null, [deployment(1)]));
  return after;
}

describe('a boot after an update', () => {
  test('gives the slot back when it is healthy, and not before', () => {
    const driver = updated();
    driver.lookedAround({ boot: WAITING });
    driver.auto.lookAround = () => driver.lookedAround();
    driver.pass(5 * MINUTE);
    expect(driver.asked).toEqual([]);
    driver.auto.lookAround = () => driver.lookedAround({ boot: HEALTHY });
    driver.send({ kind: 'aroundChanged' });
    driver.pass(SECOND);
    expect(driver.asked).toEqual(['report']);
  });

  test('that is unhealthy keeps the slot, for ever, and says so loudly', () => {
    const driver = updated();
    driver.lookedAround({ boot: UNHEALTHY });
    driver.auto.lookAround = () => driver.lookedAround();
    driver.pass(24 * 60 * MINUTE, 10_000);
    expect([driver.memory.owed.map(({ slot }) => slot), driver.log.includes('report')]).toEqual([[true], false]);
    expect(driver.said.filter((line) => line.startsWith('error: this boot is not healthy'))).toHaveLength(1);
    const line = statusLine(driver.state, instant(driver.mono));
    expect(line).toMatch(
      'this boot is not healthy: boot-complete.target failed, and the slot of group workers is kept',
    );
  });

  test('that does not become healthy in time is said to be so; when it does after all, the slot goes back', () => {
    const driver = updated();
    driver.lookedAround({ boot: WAITING });
    driver.auto.lookAround = () => driver.lookedAround();
    driver.pass(10 * MINUTE - 21 * SECOND);
    expect(driver.said.join('\n')).not.toMatch('not healthy');
    driver.pass(2 * SECOND);
    expect(driver.said.join('\n')).toMatch(/error: this boot is not healthy: boot-complete.target is inactive/);
    driver.auto.lookAround = () => driver.lookedAround({ boot: HEALTHY });
    driver.send({ kind: 'aroundChanged' });
    driver.pass(SECOND);
    expect(driver.asked).toEqual(['report']);
  });

  test('is not healthy before its post-boot hooks have passed', () => {
    const driver = updated();
    driver.lookedAround({ hooks: ['post-boot'] });
    expect(driver.asked).toEqual(['hooks']);
    driver.hooked({ kind: 'failed', text: '10-check: exit code 1' });
    expect(driver.asked).toEqual([]);
    driver.auto.lookAround = () => driver.lookedAround();
    driver.pass(MINUTE);
    expect(driver.asked).toEqual(['hooks']);
    driver.hooked();
    expect([driver.asked, driver.memory.postBoot.passed]).toEqual([['report'], true]);
  });

  test('whose post-boot hooks have passed does not run them again when the agent restarts', () => {
    const driver = updated();
    driver.lookedAround({ hooks: ['post-boot'] });
    driver.hooked();
    const next = driver.restarted();
    next.send({ kind: 'started' });
    next.lookedAround({ hooks: ['post-boot'] });
    expect(next.asked).not.toContain('hooks');
  });
});

describe('an unhealthy boot', () => {
  test('fetches nothing and asks for no slot', () => {
    const host = surrounded({ boot: WAITING }, {}, IN_FLEET);
    host.driver.pass(2 * INTERVAL);
    expect([host.driver.phase, host.driver.log.includes('stage'), host.driver.memory.slot]).toEqual([
      'staging',
      false,
      null,
    ]);
    host.change({ boot: HEALTHY });
    expect(host.driver.log).toContain('stage');
  });

  test('goes back to the release before where that is wished, and keeps away from the bad one', () => {
    const driver = updated(true);
    driver.lookedAround({ boot: UNHEALTHY });
    driver.auto.lookAround = () => driver.lookedAround();
    driver.pass(9 * MINUTE);
    expect(driver.asked).toEqual([]);
    driver.pass(MINUTE);
    expect(driver.asked).toEqual(['rollback']);
    expect(driver.written?.quarantine.map(({ key }) => key)).toEqual([keyOf(2)]);
    driver.send({ kind: 'rolledBack', id: driver.question('rollback').id });
    const back = driver.restarted({ bootId: 'boot-3', mono: 20 * SECOND });
    back.send({ kind: 'started' });
    back.looked(reading(back.mono, 1, null, [deployment(2)]));
    back.lookedAround({ boot: HEALTHY });
    expect(back.asked).toContain('report');
    back.reported();
    back.pass(INTERVAL);
    back.graphRead(graph([1, 2]));
    expect(back.phase).toBe('watching');
  });

  test('stays where it is when no update led there, or the release before is gone', () => {
    const fresh = surrounded({ boot: UNHEALTHY }, { rollback: true });
    fresh.driver.pass(60 * MINUTE);
    expect(fresh.driver.log).not.toContain('rollback');
    const driver = updated(true);
    driver.auto.look = () => driver.looked(reading(driver.mono, 2));
    driver.send({ kind: 'hostChanged' });
    driver.lookedAround({ boot: UNHEALTHY });
    driver.auto.lookAround = () => driver.lookedAround();
    driver.pass(60 * MINUTE);
    expect(driver.log).not.toContain('rollback');
    expect(driver.said.join('\n')).toMatch(/error: going back to the release before: .*no longer on this host/);
  });

  test('a rollback that is refused is tried again', () => {
    const driver = updated(true);
    driver.lookedAround({ boot: UNHEALTHY });
    driver.auto.lookAround = () => driver.lookedAround();
    driver.pass(10 * MINUTE);
    driver.fails('rollback', 'transient', 'Transaction in progress');
    driver.pass(MINUTE);
    expect(driver.asked).toContain('rollback');
  });
});

test('a host where nothing of this is read is healthy', () => {
  const driver = arrived({}, {}, { around: null, lock: lockAt('a') }).driver;
  expect([settings({ around: aroundRules() }).around === null, driver.asked]).toEqual([false, ['lock']]);
});
