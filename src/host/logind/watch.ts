import type { Bus, Signal } from '../../bus/api.ts';
import { asDict } from '../../bus/dict.ts';
import { PROPERTIES } from '../property.ts';
import { LOGIND, LOGIND_PATH, MANAGER, SESSION } from './names.ts';

/** The properties whose change is news; logind sends others, for example when somebody types in another session. */
const NEWS: ReadonlyMap<unknown, readonly string[]> = new Map([
  [MANAGER, ['BlockInhibited']],
  [SESSION, ['Active', 'State', 'IdleHint', 'Class', 'Type', 'TTY']],
]);

/**
 * Calls `changed` whenever people or inhibitors may have changed: a session begins, ends or changes, an inhibitor in mode
 * block comes or goes, logind appears or leaves the bus (at first too, once its owner is known). Several calls may come
 * for one change. Not everything is told: a session that is logged out while processes are left (`closing`), and a
 * terminal that becomes idle, show only when they are read. Returns the way to stop.
 */
export function watchLogind(bus: Bus, changed: () => void): () => void {
  const manager = { sender: LOGIND, path: LOGIND_PATH, interface: MANAGER };
  const stops = [
    bus.watch({ ...manager, member: 'SessionNew' }, () => changed()),
    bus.watch({ ...manager, member: 'SessionRemoved' }, () => changed()),
    bus.watch({ sender: LOGIND, interface: PROPERTIES, member: 'PropertiesChanged' }, (signal) => {
      if (isNews(signal)) changed();
    }),
    bus.watchOwner(LOGIND, () => changed()),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** The body is `sa{sv}as`: the interface, properties with their new values, and names of some whose value is not sent. */
function isNews({ body: [name, values, invalidated] }: Signal): boolean {
  const changed = new Set<unknown>(Array.isArray(invalidated) ? invalidated : []);
  for (const key of Object.keys(asDict(values) ?? {})) changed.add(key);
  return (NEWS.get(name) ?? []).some((key) => changed.has(key));
}
