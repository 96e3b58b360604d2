import { wholeFile, type Origin, type Report } from '../../config/problem.ts';
import { zoneProblem } from '../../config/zone.ts';
import type { ManagerReader } from './build.ts';
import { checkIdle, checkPair, factsOf, type Facts } from './facts.ts';
import type { GroupTable } from './group.ts';

/** Reports what no single key of `[lock]` and of its groups shows. */
export function checkGroups(lock: Facts, get: ManagerReader, names: ReadonlySet<string>, report: Report): void {
  checkDefaults(lock, get);
  checkAutoCreate(lock, get, names);
  const before = new Map<string, Origin>();
  for (const table of get('lock.groups')) {
    const at = table.values.get('name')?.from[0] ?? wholeFile('');
    const group = factsOf(table.values, at, report, 'lock.groups: ');
    const twin = before.get(table.name);
    if (twin === undefined) before.set(table.name, at);
    else {
      const text = `line ${twin.line} and line ${at.line} both make a group "${table.name}"; the last one counts`;
      group.say('name', text, 'warning');
    }
    checkSlots(group, table, lock, get);
    checkGate(group);
    checkZone(group, table);
  }
}

function isPercentage(slots: number | string | null): boolean {
  return typeof slots === 'string';
}

function checkDefaults({ isSet, good, say }: Facts, get: ManagerReader): void {
  const [slots, max] = ['lock.default_slots', 'lock.max_slots'] as const;
  if (!good(slots, max)) return;
  if (isPercentage(get(slots)) && !isSet(max)) say(slots, `a percentage needs ${max}, which is not set`);
  if (!isSet(max) || !good('lock.groups') || isPercentage(get(slots))) return;
  const used = get('lock.groups').some(
    (table) => isPercentage(table.get('slots')) || table.values.get('slots')?.good === false,
  );
  if (!used) say(max, 'has no effect, because no slots are a percentage', 'warning');
}

function checkAutoCreate(facts: Facts, get: ManagerReader, names: ReadonlySet<string>): void {
  const [on, max] = ['lock.auto_create', 'lock.max_groups'] as const;
  if (!facts.good(on, max)) return;
  if (!get(on)) checkIdle(facts, [max], `${on} is false`);
  else if (names.size >= get(max)) {
    facts.say(
      on,
      `no group can be made: ${max} is ${get(max)}, and the groups in this file are ${names.size}`,
      'warning',
    );
  }
}

function checkSlots(group: Facts, { get }: GroupTable, lock: Facts, defaults: ManagerReader): void {
  if (!group.good('slots', 'max_slots') || !lock.good('lock.default_slots', 'lock.max_slots')) return;
  const capped = group.isSet('max_slots') || lock.isSet('lock.max_slots');
  if (isPercentage(get('slots')) && !capped) {
    group.say('slots', 'a percentage needs max_slots in the same table, or lock.max_slots');
  }
  if (isPercentage(get('slots') ?? defaults('lock.default_slots'))) return;
  checkIdle(group, ['max_slots'], `${group.isSet('slots') ? 'slots' : 'lock.default_slots'} is a number`);
}

function checkGate(group: Facts): void {
  const [url, server, query] = ['gate_url', 'gate_prometheus_url', 'gate_query'] as const;
  const prometheus = [server, query].find(group.isSet);
  if (group.isSet(url) && prometheus !== undefined) {
    group.say(url, `stands beside ${prometheus}: a group has one gate, of one kind`);
  } else if (!group.isSet(url)) {
    checkPair(group, server, query);
  }
  if (!group.good(url, server, query) || group.isSet(url) || prometheus !== undefined) return;
  checkIdle(group, ['gate_cache_secs', 'gate_timeout_secs', 'gate_token_path'], `neither ${url} nor ${server} is set`);
}

function checkZone({ good, say }: Facts, { get }: GroupTable): void {
  // Looking at a time zone loads all of them into memory: only when one is needed.
  if (get('window').length === 0 || !good('time_zone')) return;
  const wrong = zoneProblem(get('time_zone'));
  if (wrong !== null) say('time_zone', wrong);
}
