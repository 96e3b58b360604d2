/** The name that the agent owns on the system bus; also that of its one interface. */
export const AGENT_NAME = 'io.github.holdpoint.Agent1';

/** The object that has the interface. */
export const AGENT_PATH = '/io/github/holdpoint/Agent1';

/** Seconds by which a reboot can be postponed at once, both included, whatever the policy of a host allows. */
export const POSTPONE_SECS = { least: 1, most: 7 * 86_400 } as const;

/** Seconds for which an administrator's consent to a reboot can be given, both included. */
export const UPDATE_SECS = { least: 1, most: 7 * 86_400, usual: 3_600 } as const;

/** What `until` of Pause is for a pause without an end. */
export const NO_END = -1;

/** The longest reason of a pause, in characters. */
export const LONGEST_REASON = 200;

/** What polkit is asked about; the ids of its actions are these behind the name of the interface and a dot. */
export type Action = 'check' | 'update' | 'pause' | 'skip' | 'cancel';

const VERSION = /^[\w.+~^:-]{1,128}$/;

/** True for what may be the version of a release, as far as its form goes. */
export function isVersion(text: string): boolean {
  return VERSION.test(text);
}
