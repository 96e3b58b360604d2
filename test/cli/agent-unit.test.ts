import { expect, test } from 'vitest';
import { type AgentUnit, whyAbsent } from '../../src/cli/agent-unit.ts';

const GOOD: AgentUnit = {
  load: 'loaded',
  active: 'inactive',
  sub: 'dead',
  result: 'success',
  status: 0,
  conditionsMet: true,
};

const cases: readonly (readonly [Partial<AgentUnit>, string])[] = [
  [{}, 'the agent is not running: nobody has started it, or somebody has stopped it (systemctl start holdpoint-agent)'],
  [
    { conditionsMet: false },
    'the agent is not running: a condition of its service is not met, such as a boot from an ostree deployment (systemctl status holdpoint-agent)',
  ],
  [{ load: 'not-found' }, 'the agent is not running: this host has no holdpoint-agent.service'],
  [{ load: 'masked' }, 'the agent is not running: its service is masked (systemctl unmask holdpoint-agent)'],
  [
    { active: 'active', sub: 'running' },
    'the agent is not on the system bus: it has just started, or may not have its name there (journalctl -u holdpoint-agent)',
  ],
  [{ active: 'activating', sub: 'start' }, 'the agent is not running yet: it is just starting; try again in a moment'],
  [
    { active: 'activating', sub: 'auto-restart', result: 'exit-code', status: 1 },
    'the agent is not running: it failed with status 1; systemd starts it again in a moment (journalctl -u holdpoint-agent)',
  ],
  [
    { active: 'activating', sub: 'auto-restart-queued', result: 'signal', status: 11 },
    'the agent is not running: it was killed by signal 11; systemd starts it again in a moment (journalctl -u holdpoint-agent)',
  ],
  [{ active: 'deactivating' }, 'the agent is not running any more: it is just stopping'],
  [
    { active: 'failed', result: 'exit-code', status: 3 },
    'the agent is not running: it found errors in its configuration (holdpoint config check)',
  ],
  [
    { active: 'failed', result: 'watchdog' },
    'the agent is not running: it hung, and was ended by the watchdog (journalctl -u holdpoint-agent)',
  ],
  [
    { active: 'failed', result: 'start-limit-hit' },
    'the agent is not running: it failed too often to be started again (journalctl -u holdpoint-agent)',
  ],
  [
    { active: 'failed', result: 'oom-kill' },
    'the agent is not running: it was killed for want of memory (journalctl -u holdpoint-agent)',
  ],
  [
    { active: 'failed', result: 'protocol' },
    'the agent is not running: it ended (protocol) (journalctl -u holdpoint-agent)',
  ],
  [{ active: 'maintenance' }, 'the agent is not running: its service is maintenance (journalctl -u holdpoint-agent)'],
];

test.each(cases)('a service with %o', (change, expected) => {
  expect(whyAbsent({ ...GOOD, ...change })).toBe(expected);
});
