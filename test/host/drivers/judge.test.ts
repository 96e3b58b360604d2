import { describe, expect, it } from 'vitest';
import { DRIVER_UNITS, judgeDrivers } from '../../../src/host/drivers/judge.ts';

describe('judgeDrivers', () => {
  it.each(DRIVER_UNITS)('warns about %s while it is active, says what it does and how to stop it', (name) => {
    const [driver, ...others] = judgeDrivers([{ name, activeState: 'active' }], 'none');
    expect(others).toEqual([]);
    expect(driver?.name).toBe(name);
    expect(driver?.advice).toMatch(new RegExp(`^${name.replaceAll('.', '\\.')} is active: it (stages|reboots)`));
    expect(driver?.advice).toContain(`systemctl disable --now ${name}`);
  });

  it.each(['inactive', 'failed', 'deactivating', ''])('says nothing about units that are %s', (activeState) => {
    expect(
      judgeDrivers(
        DRIVER_UNITS.map((name) => ({ name, activeState })),
        'none',
      ),
    ).toEqual([]);
  });

  it.each(['sshd.service', 'constructor', '__proto__', ''])('says nothing about the unit "%s"', (name) => {
    expect(judgeDrivers([{ name, activeState: 'active' }], 'none')).toEqual([]);
  });

  it.each(['stage', 'apply'])('warns about the policy %s', (policy) => {
    const [driver] = judgeDrivers([], policy);
    expect(driver?.name).toBe(`AutomaticUpdatePolicy=${policy}`);
    expect(driver?.advice).toContain('AutomaticUpdatePolicy=none');
  });

  it.each(['none', 'check', '', 'constructor', 'toString', '__proto__'])(
    'says nothing about the policy "%s"',
    (policy) => {
      expect(judgeDrivers([], policy)).toEqual([]);
    },
  );

  it('says who wins', () => {
    const advice = judgeDrivers([{ name: 'zincati.service', activeState: 'active' }], 'apply').map((one) => one.advice);
    expect(advice).toHaveLength(2);
    for (const text of advice) expect(text).toContain('whichever finalizes first wins');
  });
});
