import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Bus } from '../../../src/bus/api.ts';
import { type Authorization, checkAuthorization } from '../../../src/host/polkit/authority.ts';
import { connectedBus } from '../../support/bus.ts';
import { startDbus } from '../../support/dbus.ts';
import { lacksPolkitd, startPolkitd } from '../../support/polkitd.ts';

const POLICY = readFileSync(join(import.meta.dirname, '../../../systemd/io.github.holdpoint.policy'), 'utf8');
/** Users that there are on every system. */
const [ALLOWED, OTHER] = [1, 2] as const;
const ALLOWED_NAME = lacksPolkitd() === null ? nameOf(ALLOWED) : '';
const RULES = `polkit.addRule(function (action, subject) {
  if (action.id === 'io.github.holdpoint.Agent1.pause' && subject.user === '${ALLOWED_NAME}') return polkit.Result.YES;
  return polkit.Result.NOT_HANDLED;
});`;

function nameOf(uid: number): string {
  return execFileSync('id', ['-nu', String(uid)], { encoding: 'utf8' }).trim();
}

let bus: Bus;
let address: string;

/** Somebody on the bus of whom polkit is asked; resolves with the unique name. */
async function caller(uid: number): Promise<string> {
  const before = new Set(await names());
  const args = [`--reuid=${uid}`, '--clear-groups', '--pdeathsig', 'KILL', '--', 'gdbus', 'monitor'];
  const child = spawn('setpriv', [...args, '--address', address, '--dest', 'org.freedesktop.DBus'], {
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill());
  for (;;) {
    const name = (await names()).find((one) => one.startsWith(':') && !before.has(one));
    if (name !== undefined) return name;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function names(): Promise<readonly string[]> {
  const driver = { destination: 'org.freedesktop.DBus', path: '/', interface: 'org.freedesktop.DBus' };
  const [list] = await bus.call({ ...driver, member: 'ListNames' });
  return list as readonly string[];
}

async function ask(uid: number, action: string): Promise<Authorization> {
  const sender = await caller(uid);
  return checkAuthorization(bus, { sender, action: `io.github.holdpoint.Agent1.${action}`, interactive: false });
}

describe.skipIf(lacksPolkitd() !== null)('the real polkit, with the policy file', () => {
  beforeEach(async () => {
    const dbus = await startDbus();
    onTestFinished(() => dbus.stop());
    // It does not run as root.
    chmodSync(dirname(dbus.socket), 0o755);
    ({ address } = dbus);
    bus = await connectedBus(address);
    // The user of the agent need not be here; root may ask about everybody as well.
    await startPolkitd(address, {
      policy: POLICY.replaceAll('unix-user:holdpoint', `unix-user:${nameOf(OTHER)}`),
      rules: RULES,
    });
  });

  it.each(['check', 'update', 'pause', 'skip', 'cancel'])(
    'wants a password for %s of who is not at the host',
    async (action) => {
      expect(await ask(OTHER, action)).toEqual({ kind: 'challenge' });
    },
  );

  it('goes by the rules of the administrator', async () => {
    expect(await ask(ALLOWED, 'pause')).toEqual({ kind: 'yes' });
    expect(await ask(ALLOWED, 'update')).toEqual({ kind: 'challenge' });
  });

  it('knows no other action', async () => {
    expect(await ask(OTHER, 'nonsense')).toMatchObject({
      kind: 'unknown',
      text: expect.stringContaining('not registered') as string,
    });
  });

  it.each([
    [OTHER, 'b true'],
    [ALLOWED, 'Only trusted callers'],
  ])('lets the user %s ask about others only if the policy file says so', async (uid, expected) => {
    const sender = await caller(ALLOWED);
    const authority = [
      'org.freedesktop.PolicyKit1',
      '/org/freedesktop/PolicyKit1/Authority',
      'org.freedesktop.PolicyKit1.Authority',
    ];
    const subject = ['system-bus-name', '1', 'name', 's', uid === OTHER ? sender : await caller(OTHER)];
    const call = [
      'CheckAuthorization',
      '(sa{sv})sa{ss}us',
      ...subject,
      'io.github.holdpoint.Agent1.pause',
      '0',
      '0',
      '',
    ];
    const busctl = ['busctl', `--address=${address}`, '--verbose', 'call', ...authority, ...call];
    const child = spawn('setpriv', [`--reuid=${uid}`, '--clear-groups', '--', ...busctl]);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await new Promise((resolve) => child.on('close', resolve));
    expect(said.replaceAll(/BOOLEAN /g, 'b ').replaceAll(/\s+/g, ' ')).toContain(expected);
  });
});

it.runIf(lacksPolkitd() !== null)(`is not run here: ${lacksPolkitd() ?? ''}`, () => undefined);
