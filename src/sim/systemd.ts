import type { Unit } from './api.ts';
import { describe } from './wire/interface.ts';
import type { Served } from './wire/objects.ts';

/** The bus name of systemd, and the path of its manager. */
export const SYSTEMD = 'org.freedesktop.systemd1';
const SYSTEMD_PATH = '/org/freedesktop/systemd1';

const MANAGER = describe(`${SYSTEMD}.Manager`, {
  methods: {
    ListUnits: '-> a(ssssssouso) units',
    ListUnitsByNames: 'as names -> a(ssssssouso) units',
    Subscribe: '',
    Unsubscribe: '',
  },
  properties: { Version: 's', SystemState: 's' },
});

/** The objects of systemd, by path: a manager that knows these units. */
export function systemdObjects(units: readonly Unit[]): ReadonlyMap<string, readonly Served[]> {
  const named = (name: string): Unit =>
    units.find((unit) => unit.name === name) ?? { name, load: 'not-found', active: 'inactive' };
  const manager: Served = {
    spec: MANAGER,
    methods: {
      ListUnits: () => [units.map(row)],
      ListUnitsByNames: ({ body: [names] }) => [
        Array.isArray(names) ? names.map((name) => row(named(String(name)))) : [],
      ],
      Subscribe: () => [],
      Unsubscribe: () => [],
    },
    properties: () => ({ Version: '257', SystemState: 'running' }),
  };
  return new Map([[SYSTEMD_PATH, [manager]]]);
}

function row({ name, active, sub, load }: Unit): readonly unknown[] {
  const state = sub ?? (active === 'active' ? 'running' : 'dead');
  return [name, name, load ?? 'loaded', active, state, '', `${SYSTEMD_PATH}/unit/${escape(name)}`, 0, '', '/'];
}

function escape(name: string): string {
  return name.replace(/^\d|[^A-Za-z0-9]/g, (char) => `_${char.charCodeAt(0).toString(16)}`);
}
