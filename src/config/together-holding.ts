import type { Facts } from './facts.ts';
import { PEOPLE } from './people.ts';

const SESSIONS = 'updates.sessions';

/** What keeps a reboot back: settings without effect, and some that sound harmless and are not. */
export function checkHolding({ config, report, at, all, good, uses }: Facts): void {
  const { sessions, network, source, freezes } = config.updates;
  const vain = (key: string, why: string): void => {
    if (all(key).length > 0) report(at(key), `${key}: has no effect, because ${why}`, 'warning');
  };
  const others = ['classes', 'idle_secs', 'grace_secs', 'final_notice_secs', 'unreadable_secs', 'postpone_secs'];
  if (!sessions.enabled) {
    for (const name of others) vain(`${SESSIONS}.${name}`, `${SESSIONS}.enabled is false`);
  } else if (sessions.classes.length === 0 && good(`${SESSIONS}.classes`)) {
    const text = `${SESSIONS}.classes: no session counts, so that hosts reboot under the people who use them`;
    report(at(`${SESSIONS}.classes`), text, 'warning');
  } else if (!sessions.classes.some((name) => PEOPLE.some((known) => known === name))) {
    const text = `${SESSIONS}.classes: none of them is a class of people, such as "user"`;
    report(at(`${SESSIONS}.classes`), text, 'warning');
  }
  if (good('updates.strategy') && !uses('periodic') && good('updates.freeze') && freezes.length === 0) {
    vain('updates.clock_wait_secs', 'there are neither windows nor freezes');
  }
  if (network.avoidMetered && source === 'staged') {
    vain('updates.network.avoid_metered', 'updates.source is "staged": others download what is staged');
  }
}
