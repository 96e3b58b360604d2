import { execFile, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Bus, BusError } from '../../src/bus/api.ts';
import { connectedBus, takeName } from '../support/bus.ts';
import { startDbus } from '../support/dbus.ts';

const SOURCE = join(import.meta.dirname, '../../systemd');
const run = promisify(execFile);

function source(name: string): string {
  return readFileSync(join(SOURCE, name), 'utf8');
}

/** Why a test that needs a program is left out, or false. */
function lacks(program: string): string | false {
  return spawnSync(program, ['--version']).error === undefined ? false : `${program} is not installed`;
}

function test(name: string, reason: string | false, body: () => Promise<void>): void {
  if (reason === false) it(name, body);
  else it.skip(`${name} (skipped: ${reason})`, body);
}

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'hp-units-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.each(['holdpoint-agent.service', 'holdpoint-manager.service'])('%s', (unit) => {
  const missing = lacks('systemd-analyze');

  /** The unit, wanted by multi-user.target as when it is enabled, with a command that exists on this machine. */
  function install(): string {
    const path = join(folder, unit);
    writeFileSync(path, source(unit).replace('/usr/bin/holdpoint', process.execPath));
    mkdirSync(join(folder, 'multi-user.target.wants'));
    symlinkSync(path, join(folder, 'multi-user.target.wants', unit));
    return path;
  }

  test('is clean under systemd-analyze verify', missing, async () => {
    const env = { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` };
    const { stdout, stderr } = await run('systemd-analyze', ['--man=no', 'verify', install(), 'multi-user.target'], {
      env,
    });
    const about = `${stdout}${stderr}`.split('\n').filter((line) => /holdpoint|cycle/.test(line));
    expect(about).toEqual([]);
  });

  test('verify does find fault with a wrong setting', missing, async () => {
    const path = install();
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^RestartSec=.*$/m, 'RestartSec=thirty'));
    const { stderr } = await run('systemd-analyze', ['--man=no', 'verify', path]).catch((error: unknown) => {
      return error as { stderr: string };
    });
    expect(stderr).toContain('thirty');
  });

  test('exposes little of the system', missing, async () => {
    const options = ['security', '--offline=true', '--threshold=20', install()];
    await expect(run('systemd-analyze', options)).resolves.toBeDefined();
  });

  const settings = (key: string): readonly string[] => settingsOf(unit, key);

  it('leaves V8 what it needs: memory that it may write and execute, and all of /proc', () => {
    expect(settings('MemoryDenyWriteExecute')).toEqual([]);
    expect(settings('ProcSubset')).toEqual([]);
  });

  it('passes options to Node that Node accepts from the environment', async () => {
    const [options = ''] = settings('Environment').map((value) => value.replace(/^"?NODE_OPTIONS=|"$/g, ''));
    expect(options).not.toBe('');
    await run(process.execPath, ['-e', '0'], { env: { NODE_OPTIONS: options } });
  });
});

it('the agent may write to terminals and opens no other device', () => {
  const of = (key: string): readonly string[] => settingsOf('holdpoint-agent.service', key);
  expect([of('SupplementaryGroups'), of('DevicePolicy')]).toEqual([['tty'], ['closed']]);
  expect(of('DeviceAllow')).toContain('char-pts w');
  for (const device of of('DeviceAllow')) expect(device).toMatch(/^(char-(pts|tty\*|hvc)|\/dev\/console) w$/);
  // Its /dev has pseudo-terminals alone.
  expect(of('PrivateDevices')).toEqual([]);
});

/** The values of a setting in a unit, in order. */
function settingsOf(unit: string, key: string): readonly string[] {
  return source(unit)
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));
}

describe('the user and the folders', () => {
  const missing =
    lacks('systemd-sysusers') ||
    lacks('systemd-tmpfiles') ||
    (process.getuid?.() !== 0 && 'only root can give folders to another user');

  test('are made from an empty system, twice without complaint', missing, async () => {
    mkdirSync(join(folder, 'etc'));
    for (const name of ['sysusers', 'tmpfiles']) {
      mkdirSync(join(folder, 'usr/lib', `${name}.d`), { recursive: true });
      copyFileSync(join(SOURCE, `holdpoint.${name}.conf`), join(folder, 'usr/lib', `${name}.d`, 'holdpoint.conf'));
    }
    copyFileSync(
      join(SOURCE, 'holdpoint-manager.sysusers.conf'),
      join(folder, 'usr/lib/sysusers.d/holdpoint-manager.conf'),
    );
    for (let time = 0; time < 2; time += 1) {
      await run('systemd-sysusers', [`--root=${folder}`, 'holdpoint.conf', 'holdpoint-manager.conf']);
      await run('systemd-tmpfiles', [`--root=${folder}`, '--create', 'holdpoint.conf']);
    }
    const [, , uid = '', , , , shell] = /^holdpoint:.*$/m.exec(passwd())?.[0].split(':') ?? [];
    expect(shell).toMatch(/nologin$/);
    expect(passwd()).toMatch(/^holdpoint-manager:.*nologin$/m);
    const own = statSync(join(folder, 'run/holdpoint'));
    const others = ['config.d', 'holds.d'].map((name) => statSync(join(folder, 'run/holdpoint', name)));
    expect([own.uid, own.mode & 0o777]).toEqual([Number(uid), 0o755]);
    for (const { uid, mode } of others) expect([uid, mode & 0o777]).toEqual([0, 0o755]);
  });

  const passwd = (): string => readFileSync(join(folder, 'etc/passwd'), 'utf8');
});

describe('50-holdpoint.rules', () => {
  type Rule = (action: { id: string; lookup: () => undefined }, subject: { user: string }) => string;

  function rule(): Rule {
    const rules: Rule[] = [];
    const polkit = {
      Result: { YES: 'yes', NO: 'no', NOT_HANDLED: 'not handled' },
      addRule: (one: Rule) => rules.push(one),
    };
    runInNewContext(source('50-holdpoint.rules'), { polkit });
    expect(rules).toHaveLength(1);
    return rules[0]!;
  }

  /** All actions that rpm-ostree defines. */
  const ACTIONS = [
    ...['deploy', 'rebase', 'finalize-deployment', 'cleanup', 'rollback', 'client-management'],
    ...['upgrade', 'bootconfig', 'reload-daemon', 'initramfs', 'override', 'uninstall-packages'],
    ...['install-uninstall-packages', 'install-local-packages', 'repo-refresh', 'cancel'],
  ].map((name) => `org.projectatomic.rpmostree1.${name}`);

  const allowed = (user: string, actions: readonly string[]): readonly string[] =>
    actions.filter((id) => rule()({ id, lookup: () => undefined }, { user }) === 'yes');

  it('allows the user of the agent what the agent does, and no more', () => {
    expect(allowed('holdpoint', ACTIONS)).toEqual(ACTIONS.slice(0, 6));
  });

  it.each(['root', 'zincati', 'holdpoint2', '', 'Holdpoint', 'core'])('has no say about the user "%s"', (user) => {
    expect(ACTIONS.map((id) => rule()({ id, lookup: () => undefined }, { user }))).toEqual(
      ACTIONS.map(() => 'not handled'),
    );
  });

  it('has no say about actions that only look alike', () => {
    const actions = ['deploy', 'org.projectatomic.rpmostree1.', 'org.projectatomic.rpmostree1.deploy.all'];
    const others = ['x.org.projectatomic.rpmostree1.deploy', 'org.projectatomic.rpmostree2.deploy', ''];
    // Who may order something of the agent is not the agent's to say.
    const own = ['check', 'update', 'pause', 'skip', 'cancel'].map((name) => `io.github.holdpoint.Agent1.${name}`);
    const more = [...own, 'org.freedesktop.login1.reboot', 'org.freedesktop.systemd1.manage-units'];
    expect(allowed('holdpoint', [...actions, ...others, ...more])).toEqual([]);
  });
});

describe('io.github.holdpoint.conf', () => {
  const NAME = 'org.projectatomic.rpmostree1';
  const SYSROOT = `/org/projectatomic/rpmostree1/Sysroot`;

  /** What a call is answered on a bus that allows nobody anything with rpm-ostree, but for the policy of this user. */
  async function call(policyFor: string, interfaceName: string): Promise<string> {
    const policy = join(folder, 'policy.conf');
    writeFileSync(policy, source('io.github.holdpoint.conf').replace('user="holdpoint"', `user="${policyFor}"`));
    const deny = `<policy context="default"><deny send_destination="${NAME}"/></policy>`;
    const dbus = await startDbus({ extraConfig: `${deny}<include>${policy}</include>` });
    const [server, client] = [await connectedBus(dbus.address), await connectedBus(dbus.address)];
    try {
      server.exportObject(SYSROOT, [
        { name: `${NAME}.Sysroot`, methods: { Reload: { handle: () => [] } } },
        { name: `${NAME}.OS`, methods: { Reload: { handle: () => [] } } },
        { name: `${NAME}.Experimental`, methods: { Reload: { handle: () => [] } } },
      ]);
      await takeName(server, NAME);
      await client.call({ destination: NAME, path: SYSROOT, interface: interfaceName, member: 'Reload' });
      return 'answered';
    } catch (error) {
      return error instanceof BusError ? error.errorName.replace('org.freedesktop.DBus.Error.', '') : String(error);
    } finally {
      client.close();
      server.close();
      await dbus.stop();
    }
  }

  const { username } = userInfo();

  it.each([`${NAME}.Sysroot`, `${NAME}.OS`])('lets the agent call %s', async (name) => {
    expect(await call(username, name)).toBe('answered');
  });

  it('lets the agent read properties', async () => {
    expect(await call(username, 'org.freedesktop.DBus.Properties')).toBe('UnknownMethod');
  });

  it('lets it call nothing else there, and nobody else anything', async () => {
    expect(await call(username, `${NAME}.Experimental`)).toBe('AccessDenied');
    expect(await call(username === 'root' ? 'nobody' : 'root', `${NAME}.Sysroot`)).toBe('AccessDenied');
  });

  it('lets the agent ask polkit, and nobody else', async () => {
    const [polkit, authority] = ['org.freedesktop.PolicyKit1', '/org/freedesktop/PolicyKit1/Authority'];
    const asked = async (policyFor: string): Promise<string> => {
      const policy = join(folder, 'policy.conf');
      writeFileSync(policy, source('io.github.holdpoint.conf').replace('user="holdpoint"', `user="${policyFor}"`));
      const deny = `<policy context="default"><deny send_destination="${polkit}"/></policy>`;
      const dbus = await startDbus({ extraConfig: `${deny}<include>${policy}</include>` });
      onTestFinished(() => dbus.stop());
      const [server, client] = [await connectedBus(dbus.address), await connectedBus(dbus.address)];
      await takeName(server, polkit);
      const call = {
        destination: polkit,
        path: authority,
        interface: `${polkit}.Authority`,
        member: 'CheckAuthorization',
      };
      const error: unknown = await client.call(call).catch((caught: unknown) => caught);
      return error instanceof BusError ? (error.errorName.split('.').at(-1) ?? '') : 'answered';
    };
    // As far as the bus is concerned, it gets through.
    expect(await asked(username)).toBe('UnknownObject');
    expect(await asked(username === 'root' ? 'nobody' : 'root')).toBe('AccessDenied');
  });

  const AGENT = 'io.github.holdpoint.Agent1';

  /** A bus where nobody may own the agent's name or call it, but for the policy of this user. */
  async function agentBus(policyFor: string, owning: 'allow' | 'deny'): Promise<Bus> {
    const policy = join(folder, 'policy.conf');
    writeFileSync(policy, source('io.github.holdpoint.conf').replace('user="holdpoint"', `user="${policyFor}"`));
    const rules = `<${owning} own="${AGENT}"/><deny send_destination="${AGENT}"/>`;
    const dbus = await startDbus({
      extraConfig: `<policy context="default">${rules}</policy><include>${policy}</include>`,
    });
    onTestFinished(() => dbus.stop());
    return connectedBus(dbus.address);
  }

  const owns = (bus: Bus): Promise<boolean> =>
    new Promise((resolve) => bus.requestName(AGENT, {}, ({ owned }) => resolve(owned)));

  it('lets the user of the agent own its name, and nobody else', async () => {
    expect(await owns(await agentBus(username, 'deny'))).toBe(true);
    expect(await owns(await agentBus(username === 'root' ? 'nobody' : 'root', 'deny'))).toBe(false);
  });

  it('lets everybody call the interface of the agent and read about it, and nothing else', async () => {
    const bus = await agentBus(username === 'root' ? 'nobody' : 'root', 'allow');
    bus.exportObject('/x', [{ name: AGENT, methods: { Other: { handle: () => [] } } }]);
    await owns(bus);
    const answers = [AGENT, ...['Introspectable', 'Properties', 'Peer'].map((name) => `org.freedesktop.DBus.${name}`)];
    const found = answers.map(async (name) => {
      const call = bus.call({ destination: AGENT, path: '/x', interface: name, member: 'Nonsense' });
      return call.catch((error: unknown) => (error instanceof BusError ? error.errorName.split('.').at(-1) : error));
    });
    expect(await Promise.all(found)).toEqual(['UnknownMethod', 'UnknownMethod', 'UnknownMethod', 'AccessDenied']);
  });
});

describe('io.github.holdpoint.policy', () => {
  const text = source('io.github.holdpoint.policy');
  const actions = [...text.matchAll(/<action id="([^"]+)">(.*?)<\/action>/gs)].map(([, id = '', body = '']) => ({
    id,
    body,
  }));

  it('has an action for everything that can be ordered, and no other', () => {
    const names = ['check', 'update', 'pause', 'skip', 'cancel'];
    expect(actions.map(({ id }) => id)).toEqual(names.map((name) => `io.github.holdpoint.Agent1.${name}`));
  });

  it('lets the user of the agent ask about others', () => {
    for (const { body } of actions)
      expect(body).toContain('<annotate key="org.freedesktop.policykit.owner">unix-user:holdpoint</annotate>');
  });

  it('lets nobody do anything without a password, but look at the graph who sits at the host', () => {
    const free = actions.flatMap(({ id, body }) =>
      [...body.matchAll(/<(allow_\w+)>(?!auth_admin)(\w+)</g)].map(([, where, what]) => [
        id.split('.').at(-1),
        where,
        what,
      ]),
    );
    expect(free).toEqual([['check', 'allow_active', 'yes']]);
    for (const { body } of actions) expect(body.match(/<allow_(any|inactive|active)>/g)).toHaveLength(3);
  });
});
