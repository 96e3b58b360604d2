import { expect, test } from 'vitest';
import { MINUTE, hourlyWindows } from '../../support/agent-builders.ts';
import { surrounded } from '../../support/agent-surrounded.ts';

const WARNING = 'warn: the clock is still not synchronised, as far as anybody knows: windows go by it all the same';

test('no window opens before the clock is right', () => {
  const host = surrounded({ clockSynced: false }, {}, { schedule: hourlyWindows() });
  host.driver.pass(5 * MINUTE);
  expect(host.driver.phase).toBe('holding');
  host.change({ clockSynced: true });
  expect(host.driver.asked).toEqual(['finalize']);
});

test('a clock that nobody sets is waited for until ten minutes after the boot, and then there is a warning', () => {
  const host = surrounded({ clockSynced: false }, {}, { schedule: hourlyWindows() });
  host.driver.auto.finalize = () => host.driver.fails('finalize');
  // The agent starts a minute after the boot.
  host.driver.pass(9 * MINUTE - 1);
  expect(host.driver.log).not.toContain('finalize');
  host.driver.pass(2 * MINUTE);
  expect(host.driver.log).toContain('finalize');
  expect(host.driver.said.filter((line) => line === WARNING)).toHaveLength(1);
});

test('where nobody goes by the clock it is not waited for; one of which nobody knows is waited for as long', () => {
  const free = surrounded({ clockSynced: false });
  const unknown = surrounded({ clockSynced: null }, {}, { schedule: hourlyWindows() });
  for (const { driver } of [free, unknown]) driver.pass(5 * MINUTE);
  expect([free.driver.asked, unknown.driver.phase]).toEqual([['finalize'], 'holding']);
  unknown.driver.pass(5 * MINUTE);
  expect(unknown.driver.asked).toContain('finalize');
});
