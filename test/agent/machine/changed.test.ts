import { describe, expect, test } from 'vitest';
import { statusLine } from '../../../src/agent/machine/explain.ts';
import { INTERVAL, graph, instant, keyOf, reading, stagedDeployment, target } from '../../support/agent-builders.ts';
import type { Driver } from '../../support/agent-driver.ts';
import { held, REASONS_TO_LEAVE, staging } from '../../support/agent-situations.ts';

/** What an administrator's `rpm-ostree install` makes of the staged release 2. */
const LAYERED = stagedDeployment(2, { layered: true, id: 'fedora-coreos-layered.0' });

/** Release 2, staged by this agent and layered by an administrator since; held by a pause. */
function changed(): Driver {
  const driver = held({}, { pause: true });
  driver.send({ kind: 'hostChanged' });
  driver.looked(reading(driver.mono, 1, LAYERED));
  return driver;
}

const status = (driver: Driver): string => statusLine(driver.state, instant(driver.mono));

describe('what was staged and then layered by an administrator', () => {
  test('is still the target, and said to be changed', () => {
    const driver = changed();
    expect(driver.phase).toBe('holding');
    expect(status(driver)).toMatch(/changed by somebody else.*applies at any reboot/);
    const said = driver.said.filter((line) => line.includes('changed by somebody else'));
    expect(said).toEqual([expect.stringMatching(/^info: the staged 42\.2 was changed by somebody else/)]);
    driver.send({ kind: 'resume', by: 'root' });
    expect(driver.question('finalize').target).toEqual(target(2));
  });

  test.each(REASONS_TO_LEAVE)(
    'is not removed when it is %s, but left where it is, also after a restart',
    (_, happens) => {
      const first = changed().restarted();
      first.send({ kind: 'started' });
      first.looked(reading(first.mono, 1, LAYERED));
      expect(first.phase).toBe('holding');
      happens(first);
      const second = first.restarted();
      second.send({ kind: 'started' });
      second.looked(reading(second.mono, 1, LAYERED));
      for (const driver of [first, second]) {
        driver.pass(2 * INTERVAL);
        if (driver.asked.includes('fetchGraph')) driver.graphRead(graph([1, 2, 3], [[1, 2]]));
        expect([driver.phase, driver.asked, driver.memory.discard]).toEqual(['watching', [], null]);
        expect(status(driver)).toMatch(/42\.2 was staged by somebody else.*left alone until it is booted or removed/);
        expect(driver.said.join('\n')).not.toMatch('will be removed');
      }
    },
  );

  test.each(REASONS_TO_LEAVE.slice(1))(
    'between the decision to remove it, %s, and the removal is kept',
    (_, happens) => {
      const driver = held({}, { pause: true });
      happens(driver);
      const { key, deployment } = driver.question('discard');
      expect([key, deployment]).toEqual([keyOf(2), stagedDeployment(2).id]);
      driver.fails('discard');
      driver.looked(reading(driver.mono, 1, LAYERED));
      driver.pass(3 * INTERVAL);
      if (driver.asked.includes('fetchGraph')) driver.graphRead(graph([1, 2, 3]));
      expect([driver.phase, driver.asked, driver.memory.discard]).toEqual(['watching', [], null]);
    },
  );

  test('is not said to be removed either, while the host is being looked at', () => {
    const driver = changed();
    driver.send({ kind: 'hostChanged' });
    driver.send({ kind: 'skip', by: 'root', version: '42.2' });
    expect([driver.phase, driver.asked, driver.memory.discard]).toEqual(['watching', ['look'], null]);
    expect(driver.said.join('\n')).not.toMatch('will be removed');
  });

  test('is not removed where nobody knows what was staged: the answer was lost', () => {
    const driver = staging();
    driver.fails('stage', 'transient');
    driver.looked(reading(driver.mono, 1, LAYERED));
    driver.send({ kind: 'skip', by: 'root', version: '42.2' });
    driver.pass(3 * INTERVAL);
    if (driver.asked.includes('fetchGraph')) driver.graphRead(graph([1]));
    expect([driver.phase, driver.asked, driver.memory.discard]).toEqual(['watching', [], null]);
  });

  test('is not taken for ours because rpm-ostree found nothing left to do', () => {
    const driver = staging();
    driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
    driver.staged(reading(driver.mono, 1, LAYERED));
    expect(driver.phase).toBe('holding');
    driver.send({ kind: 'skip', by: 'root', version: '42.2' });
    expect([driver.phase, driver.memory.discard]).toEqual(['watching', null]);
    expect(driver.asked).not.toContain('discard');
  });
});

test('what this agent staged on a host with layered packages is its own, and is replaced', () => {
  const driver = staging({ allowDowngrade: false });
  driver.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
  const ours = stagedDeployment(2, { layered: true });
  const host = reading(driver.mono, 1, ours);
  const booted = host.booted === null ? null : { ...host.booted, layered: true };
  driver.staged({ ...host, booted });
  driver.pass(2 * INTERVAL);
  driver.graphRead(graph([1, 2, 3]));
  expect(driver.question('discard')).toMatchObject({ key: keyOf(2), deployment: ours.id });
});

test('what an answer that was lost has staged, and nobody has changed since, is removed', () => {
  const driver = staging();
  driver.fails('stage', 'transient');
  driver.looked(reading(driver.mono, 1, stagedDeployment(2)));
  driver.send({ kind: 'skip', by: 'root', version: '42.2' });
  expect(driver.question('discard')).toMatchObject({ key: keyOf(2), deployment: null });
});
