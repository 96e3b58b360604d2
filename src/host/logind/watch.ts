import type { Bus } from '../../bus/api.ts';
import { PROPERTIES, tellsOf } from '../property.ts';
import { LOGIND, LOGIND_PATH, MANAGER, SESSION } from './names.ts';

/** The properties whose change is news; logind sends others, for example when somebody types in another session. */
const NEWS: readonly (readonly [of: string, names: readonly string[]])[] = [
  [MANAGER, ['BlockInhibited']],
  [SESSION, ['Active', 'State', 'IdleHint', 'Class', 'Type', 'TTY']],
];

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
      if (NEWS.some(([of, names]) => tellsOf(signal, of, names))) changed();
    }),
    bus.watchOwner(LOGIND, () => changed()),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
