import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { HOOK_EVENTS } from '../../src/hooks/event.ts';
import { hookUnit } from '../../src/hooks/unit-runner.ts';
import { temporary } from '../support/hooks.ts';

const SYSTEMD = join(import.meta.dirname, '../../systemd');
const text = readFileSync(join(SYSTEMD, '50-holdpoint.rules'), 'utf8');

type Rule = (
  action: { id: string; lookup: (key: string) => string | undefined },
  subject: { user: string },
) => string | undefined;

/** What the rule says, as polkit runs it. */
function asked(id: string, details: Readonly<Record<string, string>> = {}, user = 'holdpoint'): string | undefined {
  const rules: Rule[] = [];
  const polkit = { addRule: (rule: Rule) => rules.push(rule), Result: { YES: 'yes', NOT_HANDLED: 'not handled' } };
  runInNewContext(text, { polkit });
  return rules[0]?.({ id, lookup: (key) => details[key] }, { user });
}

const MANAGE = 'org.freedesktop.systemd1.manage-units';

describe('the polkit rule for units', () => {
  test.each(HOOK_EVENTS)('lets the agent control the units of %s', (event) => {
    const unit = hookUnit(event, '10-Drain_node.sh');
    for (const verb of ['start', 'stop', 'reset-failed']) {
      expect(asked(MANAGE, { unit, verb })).toBe('yes');
      expect(asked(MANAGE, { unit, verb }, 'somebody')).toBe('not handled');
    }
    for (const verb of ['restart', 'kill', 'set-property', 'ref', 'clean']) {
      expect(asked(MANAGE, { unit, verb })).toBe('not handled');
    }
    expect(asked(MANAGE, { unit })).toBe('not handled');
  });

  test.each([
    'sshd.service',
    'holdpoint-hook@x.service',
    'holdpoint-hook@pre-reboot:.service',
    'holdpoint-hook@pre-reboot:x.service.service ',
    'holdpoint-hook@pre-reboot:x\\x2f.service',
    'holdpoint-hook@pre-reboot:x.timer',
    'a-holdpoint-hook@pre-reboot:x.service',
    'holdpoint-hook@pre-reboot:x.service\n',
  ])('nor %j', (unit) => {
    expect(asked(MANAGE, { unit, verb: 'start' })).toBe('not handled');
  });

  test.each([
    MANAGE,
    'org.freedesktop.systemd1.manage-unit-files',
    'org.freedesktop.systemd1.reload-daemon',
    'org.freedesktop.login1.reboot',
  ])('nor %s', (id) => {
    expect(asked(id)).toBe('not handled');
  });
});

describe('the template of hooks', () => {
  const unit = readFileSync(join(SYSTEMD, 'holdpoint-hook@.service'), 'utf8');

  test.each([
    // What runService and the runner of units count on.
    'Type=oneshot',
    'RemainAfterExit=yes',
    'SuccessExitStatus=75',
    'NotifyAccess=all',
    'KillMode=control-group',
    'StartLimitIntervalSec=0',
    'ExecStart=/usr/bin/holdpoint hook exec --dir /etc/holdpoint/hooks.d --run-dir /run/holdpoint %i',
  ])('says %s', (line) => {
    expect(unit.split('\n')).toContain(line);
  });

  test.skipIf(spawnSync('systemd-analyze', ['--version']).error !== undefined)('is clean under verify', () => {
    const path = join(temporary(), 'holdpoint-hook@.service');
    const verify = (content: string): string => {
      writeFileSync(path, content.replace('/usr/bin/holdpoint', process.execPath));
      return spawnSync('systemd-analyze', ['--man=no', 'verify', path], { encoding: 'utf8' }).stderr;
    };
    expect(
      verify(unit)
        .split('\n')
        .filter((line) => line.includes('holdpoint')),
    ).toEqual([]);
    expect(verify(unit.replace('=25h', '=long'))).toContain('long');
  });

  test('the agent runs on an unhealthy boot as well', () => {
    const agent = readFileSync(join(SYSTEMD, 'holdpoint-agent.service'), 'utf8');
    expect(agent).toMatch(/^Wants=boot-complete\.target$/m);
    expect(agent).toMatch(/^After=boot-complete\.target /m);
    expect(agent).not.toMatch(/^(Requires|Requisite|BindsTo)=/m);
  });
});
