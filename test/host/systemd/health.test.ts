import { describe, expect, test } from 'vitest';
import { judgeBoot } from '../../../src/host/systemd/health.ts';
import { parseUnitRow, unitPath, type UnitState } from '../../../src/host/systemd/unit.ts';

const NAME = 'boot-complete.target';
const unit = (state: Partial<UnitState>): UnitState => ({
  ...{ name: NAME, path: unitPath(NAME), load: 'loaded', active: 'inactive', sub: 'dead', job: null },
  ...state,
});
const start = { type: 'start', path: '/org/freedesktop/systemd1/job/1' };

describe('a boot', () => {
  test.each<[string, UnitState | null]>([
    ['there is no systemd', null],
    ['the unit was masked', unit({ load: 'masked' })],
    ['the unit is active', unit({ active: 'active', sub: 'active' })],
    ['the unit is active, and stops', unit({ active: 'active', job: { ...start, type: 'stop' } })],
    ['the unit reloads', unit({ active: 'reloading' })],
  ])('is healthy when %s', (_, state) => {
    expect(judgeBoot(state, ['a.service'])).toEqual({ kind: 'healthy' });
  });

  test('is healthy, and known to be judged by nothing, when there is no such unit', () => {
    expect(judgeBoot(unit({ load: 'not-found' }), [])).toEqual({ kind: 'healthy', missing: true });
  });

  test.each<[string, UnitState, readonly string[]]>([
    ['is being started', unit({ active: 'activating' }), []],
    ['waits for its turn', unit({ job: start }), []],
    ['is started again after a failure', unit({ active: 'failed', job: start }), ['a.service']],
    ['was not asked for', unit({}), []],
    ['stops', unit({ active: 'deactivating' }), ['a.service']],
  ])('is waited for while its unit %s', (_, state, failed) => {
    const health = judgeBoot(state, failed);
    expect(health.kind).toBe('waiting');
    expect(JSON.stringify(health)).toContain(`${NAME} has not been reached yet`);
  });

  test.each<[UnitState, readonly string[], string]>([
    [unit({ active: 'failed' }), [], `${NAME} has failed`],
    [unit({ active: 'failed', job: { ...start, type: 'stop' } }), [], `${NAME} has failed`],
    [unit({ load: 'error', job: { ...start, type: 'stop' } }), [], `${NAME} cannot be loaded (error)`],
    [unit({}), ['greenboot-healthcheck.service'], `${NAME} was not reached: greenboot-healthcheck.service failed`],
    [unit({}), ['a.service', 'b.service', 'c.service'], `${NAME} was not reached: a.service and 2 more failed`],
    [unit({ load: 'bad-setting' }), [], `${NAME} cannot be loaded (bad-setting)`],
  ])('is unhealthy: %j, %j', (state, failed, reason) => {
    expect(judgeBoot(state, failed)).toEqual({ kind: 'unhealthy', reason });
  });
});

describe('what systemd answers', () => {
  const row = [NAME, 'Boot', 'loaded', 'inactive', 'dead', '', '/x', 7, 'start', '/job/7'];

  test('is read', () => {
    expect(parseUnitRow(row)).toEqual(unit({ path: '/x', job: { type: 'start', path: '/job/7' } }));
    expect(parseUnitRow([...row.slice(0, 7), 0, '', '/'])).toEqual(unit({ path: '/x' }));
  });

  test.each(row.map((_, index) => index).filter((index) => ![1, 5].includes(index)))(
    'and refused when field %s is of another type',
    (index) => {
      expect(parseUnitRow((row as unknown[]).with(index, null))).toBeNull();
    },
  );

  test.each([null, 'x', {}, [], [1]])('and refused when it is %j', (value) => {
    expect(parseUnitRow(value)).toBeNull();
  });
});

test.each([
  ['boot-complete.target', 'boot_2dcomplete_2etarget'],
  ['holdpoint-hook@pre-reboot:10-x_y.service', 'holdpoint_2dhook_40pre_2dreboot_3a10_2dx_5fy_2eservice'],
  ['9p.mount', '_39p_2emount'],
  ['ä', '_c3_a4'],
])('the object of %s', (name, path) => {
  expect(unitPath(name)).toBe(`/org/freedesktop/systemd1/unit/${path}`);
});
