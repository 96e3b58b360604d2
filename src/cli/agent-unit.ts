/** The service of the agent, as systemd has it. */
export const AGENT_UNIT = 'holdpoint-agent.service';

/** How that service stands; texts are systemd's. */
export interface AgentUnit {
  /** `loaded`, `not-found`, `masked`, … */
  readonly load: string;
  /** `active`, `inactive`, `failed`, `activating`, … */
  readonly active: string;
  /** `running`, `dead`, `auto-restart`, … */
  readonly sub: string;
  /** How it ended last: `success`, `exit-code`, `signal`, … */
  readonly result: string;
  /** Its exit status, or the number of the signal. */
  readonly status: number;
  /** False: it was not started, since a condition of the unit is not met. */
  readonly conditionsMet: boolean;
}

const LOG = 'journalctl -u holdpoint-agent';
const NOT = 'the agent is not running';

/** Why an agent that is not on the bus is not there, and what to do; one sentence without a full stop. */
export function whyAbsent(unit: AgentUnit): string {
  if (unit.load === 'not-found') return `${NOT}: this host has no ${AGENT_UNIT}`;
  if (unit.load === 'masked') return `${NOT}: its service is masked (systemctl unmask holdpoint-agent)`;
  return STATES[unit.active]?.(unit) ?? `${NOT}: its service is ${unit.active} (${LOG})`;
}

const STATES: Readonly<Record<string, (unit: AgentUnit) => string>> = {
  active: () => `the agent is not on the system bus: it has just started, or may not have its name there (${LOG})`,
  activating: (unit) =>
    unit.sub.startsWith('auto-restart')
      ? `${NOT}: it ${howItEnded(unit)}; systemd starts it again in a moment (${LOG})`
      : `${NOT} yet: it is just starting; try again in a moment`,
  deactivating: () => `${NOT} any more: it is just stopping`,
  failed: (unit) => `${NOT}: it ${howItEnded(unit)} (${isMisconfigured(unit) ? 'holdpoint config check' : LOG})`,
  inactive: ({ conditionsMet }) =>
    conditionsMet
      ? `${NOT}: nobody has started it, or somebody has stopped it (systemctl start holdpoint-agent)`
      : `${NOT}: a condition of its service is not met, such as a boot from an ostree deployment (systemctl status holdpoint-agent)`,
};

/** Of the exit statuses of the agent, the one that its user can mend at once. */
function isMisconfigured({ result, status }: AgentUnit): boolean {
  return result === 'exit-code' && status === 3;
}

function howItEnded(unit: AgentUnit): string {
  const { result, status } = unit;
  if (isMisconfigured(unit)) return 'found errors in its configuration';
  if (result === 'exit-code') return `failed with status ${status}`;
  if (result === 'signal' || result === 'core-dump') return `was killed by signal ${status}`;
  return ENDS[result] ?? `ended (${result})`;
}

const ENDS: Readonly<Record<string, string>> = {
  success: 'ended',
  watchdog: 'hung, and was ended by the watchdog',
  timeout: 'did not start or stop in time',
  'oom-kill': 'was killed for want of memory',
  'start-limit-hit': 'failed too often to be started again',
};
