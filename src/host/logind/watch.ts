import type { Bus, Signal } from '../../bus/api.ts';
import { asDict, text } from '../../bus/dict.ts';
import { PROPERTIES, tellsOf } from '../property.ts';
import { LOGIND, LOGIND_PATH, MANAGER, SESSION } from './names.ts';

/** The properties whose change is news; logind sends others, for example when somebody types in another session. */
const NEWS = ['Active', 'State', 'IdleHint', 'Class', 'Type', 'TTY'];
/** The manager's property that lists what is blocked, separated by colons. */
const BLOCKED = 'BlockInhibited';

/**
 * Calls `changed` whenever people or inhibitors may have changed: a session begins, ends or changes, an inhibitor in mode
 * block comes or goes, logind appears or leaves the bus (at first too, once its owner is known). Several calls may come
 * for one change. Not everything is told: a session that is logged out while processes are left (`closing`), and a
 * terminal that becomes idle, show only when they are read. Returns the way to stop.
 */
export function watchLogind(bus: Bus, changed: () => void): () => void {
  const tellsOfShutdown = shutdownWatch();
  const manager = { sender: LOGIND, path: LOGIND_PATH, interface: MANAGER };
  const stops = [
    bus.watch({ ...manager, member: 'SessionNew' }, () => changed()),
    bus.watch({ ...manager, member: 'SessionRemoved' }, () => changed()),
    bus.watch({ sender: LOGIND, interface: PROPERTIES, member: 'PropertiesChanged' }, (signal) => {
      if (tellsOf(signal, SESSION, NEWS) || tellsOfShutdown(signal)) changed();
    }),
    bus.watchOwner(LOGIND, () => changed()),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Tells whether a signal is of locks that block shutdowns. Everybody may take and leave others all the time. */
function shutdownWatch(): (signal: Signal) => boolean {
  let wasBlocked = true;
  return (signal) => {
    if (!tellsOf(signal, MANAGER, [BLOCKED])) return false;
    const list = text(asDict(signal.body[1]), BLOCKED);
    // Where only that it changed was sent, it may be.
    const isBlocked = list === undefined || list.split(':').includes('shutdown');
    const isNews = wasBlocked || isBlocked;
    wasBlocked = isBlocked;
    return isNews;
  };
}
