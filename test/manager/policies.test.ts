import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../src/config/problem.ts';
import { buildManagerConfig } from '../../src/manager/config/load.ts';
import { ConfiguredPolicies } from '../../src/manager/policies.ts';

const MONDAY_NOON = Date.parse('2026-07-20T12:00:00Z');

function policies(toml: string): ConfiguredPolicies {
  const { config, problems } = buildManagerConfig({ path: 'manager.toml', text: `service.tls = false\n${toml}` });
  if (config === null) throw new Error(problems.map(formatProblem).join('; '));
  return new ConfiguredPolicies(config, () => MONDAY_NOON);
}

describe('groups', () => {
  test('have what their table says, and the defaults for the rest', () => {
    const rules = policies(`
      [lock]
      soak_secs = 60
      default_slots = 3
      [[lock.groups]]
      name = "workers"
      slots = "25%"
      max_slots = 4
      halt_after = 2
      first = ["canary"]
    `);
    expect(rules.configured().toSorted()).toEqual(['default', 'workers']);
    expect(rules.of('default', false)?.slots).toEqual({ kind: 'count', count: 3 });
    expect(rules.of('workers', false)).toMatchObject({
      rules: { group: 'workers', soakMs: 60_000, haltAfter: 2 },
      precedence: { first: new Set(['canary']) },
      slots: { kind: 'percent', percent: 25, max: 4 },
    });
    expect(rules.of('others', false)).toBeNull();
  });

  test('that are no longer configured can be left, not entered', () => {
    const rules = policies('');
    expect(rules.of('gone', true)?.slots).toEqual({ kind: 'as-is' });
    expect(rules.closed('gone', MONDAY_NOON)).toMatchObject({ kind: 'unknown_group' });
  });

  test('are made on demand up to a cap', () => {
    const rules = policies('lock.auto_create = true\nlock.max_groups = 5\nlock.default_slots = 2');
    expect(rules.onDemand('new', 4)).toMatchObject({ rules: { group: 'new' }, slots: { kind: 'count', count: 2 } });
    expect(rules.onDemand('new', 5)).toBeNull();
    expect(rules.of('old', true)).toMatchObject({ rules: { group: 'old' }, slots: { kind: 'count', count: 2 } });
    expect(policies('').onDemand('new', 0)).toBeNull();
  });

  test('that are asked for and not there leave nothing behind', () => {
    const rules = policies('lock.auto_create = true\nlock.max_groups = 5');
    rules.onDemand('new', 0);
    rules.closed('new', MONDAY_NOON);
    void rules.prepare('new');
    expect(rules.of('new', false)).toBeNull();
  });

  test('follow a configuration that replaces the one before', () => {
    const rules = policies('lock.default_slots = 1');
    expect(rules.of('default', false)?.slots).toEqual({ kind: 'count', count: 1 });
    const { config } = buildManagerConfig({
      path: 'manager.toml',
      text: 'service.tls = false\nlock.default_slots = 2',
    });
    if (config === null) throw new Error('not good');
    rules.replace(config);
    expect(rules.of('default', false)?.slots).toEqual({ kind: 'count', count: 2 });
  });
});

describe('windows', () => {
  const rules = policies(`
    [[lock.groups]]
    name = "workers"
    time_zone = "Europe/Berlin"
    [[lock.groups.window]]
    days = ["Mon"]
    start_time = "15:00"
    length_minutes = 60
  `);
  const OPENS = Date.parse('2026-07-20T13:00:00Z');

  test('refuse new grants outside, and say when the next one opens', () => {
    const refusal = rules.closed('workers', MONDAY_NOON);
    expect(refusal).toMatchObject({ kind: 'outside_window', retryAfterMs: 3_600_000 });
    expect(refusal?.value).toBe('the windows of group workers are closed; the next one opens at 2026-07-20T13:00:00Z');
  });

  test('are open from their start up to their end', () => {
    expect(rules.closed('workers', OPENS)).toBeNull();
    expect(rules.closed('workers', OPENS + 3_600_000 - 1)).toBeNull();
    expect(rules.closed('workers', OPENS + 3_600_000)).toMatchObject({ kind: 'outside_window' });
  });

  test('tell when to look again', () => {
    expect(rules.changesAt('workers', MONDAY_NOON)).toBe(OPENS);
    expect(rules.changesAt('workers', OPENS)).toBe(OPENS + 3_600_000);
    expect(rules.changesAt('default', OPENS)).toBeNull();
  });
});
