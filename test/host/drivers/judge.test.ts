import { describe, expect, it } from 'vitest';
import { DRIVER_UNITS, judgeDrivers } from '../../../src/host/drivers/judge.ts';

/** Units that stage and leave the reboot to others, and those that reboot by themselves. */
const STAGING = ['rpm-ostreed-automatic.timer', 'rpm-ostree-automatic.timer', 'uupd.timer'];
const REBOOTING = [
  'zincati.service',
  'bootc-fetch-apply-updates.timer',
  'rebootmgr.service',
  'locksmithd.service',
] as const;
const SOURCES = ['graph', 'staged'] as const;

function active(...names: readonly string[]): readonly { name: string; activeState: string }[] {
  return names.map((name) => ({ name, activeState: 'active' }));
}

it('asks about the units that are known to drive updates or reboots', () => {
  expect(DRIVER_UNITS.toSorted()).toEqual([...STAGING, ...REBOOTING].toSorted());
});

describe('with an update graph', () => {
  it.each([...STAGING, ...REBOOTING])('warns about %s while it is active, what it does and how to stop it', (name) => {
    const [driver, ...others] = judgeDrivers(active(name), 'none', 'graph');
    expect(others).toEqual([]);
    expect(driver?.name).toBe(name);
    expect(driver?.advice).toMatch(new RegExp(`^${name.replaceAll('.', '\\.')} is active: it (stages|reboots)`));
    expect(driver?.advice).toContain(`systemctl disable --now ${name}`);
  });

  it.each(['stage', 'apply'])('warns about the policy %s', (policy) => {
    const [driver] = judgeDrivers([], policy, 'graph');
    expect(driver?.name).toBe(`AutomaticUpdatePolicy=${policy}`);
    expect(driver?.advice).toContain('AutomaticUpdatePolicy=none');
  });
});

describe('with the source "staged"', () => {
  it.each(STAGING)('expects %s: somebody must stage', (name) => {
    expect(judgeDrivers(active(name), 'stage', 'staged')).toEqual([]);
  });

  it.each(REBOOTING)('warns about %s, which reboots by itself', (name) => {
    const [driver, ...others] = judgeDrivers(active(name), 'none', 'staged');
    expect(others).toEqual([]);
    expect(driver?.name).toBe(name);
    expect(driver?.advice).toMatch(/reboots/);
  });

  it.each(['zincati.service', 'bootc-fetch-apply-updates.timer'])(
    'does not advise to stop %s without something else that stages',
    (name) => {
      const [driver] = judgeDrivers(active(name), 'none', 'staged');
      expect(driver?.advice).toMatch(/stage.* instead/);
    },
  );

  it('advises to stage only, where the policy reboots', () => {
    const [driver] = judgeDrivers(active('rpm-ostreed-automatic.timer'), 'apply', 'staged');
    expect(driver?.name).toBe('AutomaticUpdatePolicy=apply');
    expect(driver?.advice).toContain('AutomaticUpdatePolicy=stage');
    expect(driver?.advice).not.toContain('AutomaticUpdatePolicy=none');
  });
});

describe.each(SOURCES)('with the source "%s"', (source) => {
  it.each(['inactive', 'failed', 'deactivating', ''])('says nothing about units that are %s', (activeState) => {
    const units = [...STAGING, ...REBOOTING].map((name) => ({ name, activeState }));
    expect(judgeDrivers(units, 'none', source)).toEqual([]);
  });

  it.each(['sshd.service', 'constructor', '__proto__', ''])('says nothing about the unit "%s"', (name) => {
    expect(judgeDrivers(active(name), 'none', source)).toEqual([]);
  });

  it.each(['none', 'check', '', 'constructor', 'toString', '__proto__'])(
    'says nothing about the policy "%s"',
    (policy) => {
      expect(judgeDrivers([], policy, source)).toEqual([]);
    },
  );

  it('says who wins', () => {
    const all = judgeDrivers(active(...STAGING, ...REBOOTING), 'apply', source);
    expect(all.length).toBeGreaterThanOrEqual(REBOOTING.length + 1);
    for (const { advice } of all) expect(advice).toMatch(/ wins?\b/);
  });
});
