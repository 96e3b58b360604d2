/** The name that the agent owns on the system bus; also that of its one interface. */
export const AGENT_NAME = 'io.github.holdpoint.Agent1';

/** The object that has the interface. */
export const AGENT_PATH = '/io/github/holdpoint/Agent1';

/** Seconds by which a reboot can be postponed at once, both included, whatever the policy of a host allows. */
export const POSTPONE_SECS = { least: 1, most: 7 * 86_400 } as const;
