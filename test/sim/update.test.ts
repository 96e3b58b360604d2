import { execFile, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Machine } from '../../src/sim/machine.ts';
import { client, COMMITS, follow, machine, VERSIONS } from '../support/sim-host.ts';

const run = promisify(execFile);
const NAME = 'org.projectatomic.rpmostree1';
const SYSROOT = ['/org/projectatomic/rpmostree1/Sysroot', `${NAME}.Sysroot`];
const OS = ['/org/projectatomic/rpmostree1/fedora_coreos', `${NAME}.OS`];

/** A call by somebody else's D-Bus library. */
async function busctl(host: Machine, verb: string, ...args: string[]): Promise<string> {
  return (await run('busctl', [`--address=${host.busAddress}`, verb, NAME, ...args])).stdout.trim();
}

/**
 * The same for a call whose caller has to stay on the bus: busctl leaves as soon as it has printed the answer, so it
 * prints into a pipe that is full. Returns the way to let it go.
 */
function busctlThatStays(host: Machine, ...args: string[]): () => void {
  const pipe = join(host.dir, 'full-pipe');
  execFileSync('mkfifo', ['-m', '600', `${pipe}-${args.length}`]);
  const script =
    'pipe=$1; shift; exec 3<>"$pipe"; dd if=/dev/zero of="$pipe" oflag=nonblock bs=4096 2>/dev/null; exec stdbuf -o0 busctl "$@" >&3';
  const address = `--address=${host.busAddress}`;
  const child = spawn('sh', ['-c', script, 'sh', `${pipe}-${args.length}`, address, 'call', NAME, ...args]);
  return () => child.kill();
}

/** Starts the transaction that busctl has begun, once it has. */
async function startWhatBegan(host: Machine): Promise<readonly [boolean, string] | null> {
  const address = `unix:path=${join(host.dir, 'transaction.sock')}`;
  await expect
    .poll(() => busctl(host, 'get-property', ...SYSROOT, 'ActiveTransactionPath'), { timeout: 5000 })
    .toBe(`s "${address}"`);
  return (await follow(address)).finished;
}

test('busctl makes the calls of a whole update', async () => {
  const host = await machine();
  await busctl(host, 'call', ...SYSROOT, 'RegisterClient', 'a{sv}', '1', 'id', 's', 'busctl');
  await busctl(host, 'call', ...SYSROOT, 'Reload');
  expect(await busctl(host, 'get-property', ...OS, 'BootedDeployment')).toContain(`"version" s "${VERSIONS.v1}"`);

  const deploy = ['Deploy', 'sa{sv}', `revision=${COMMITS.v2}`, '1', 'lock-finalization', 'b', 'true'];
  const leave = busctlThatStays(host, ...OS, ...deploy);
  expect(await startWhatBegan(host)).toEqual([true, '']);
  leave();
  const staged = await busctl(host, 'get-property', ...OS, 'DefaultDeployment');
  expect(staged).toContain(`"version" s "${VERSIONS.v2}"`);
  expect(staged).toContain('"staged" b true');

  const booted = host.nextBoot();
  const leaveAgain = busctlThatStays(host, ...OS, 'FinalizeDeployment', 'a{sv}', '1', 'checksum', 's', COMMITS.v2);
  expect(await startWhatBegan(host)).toEqual([true, '']);
  expect((await booted).bootCount).toBe(2);
  leaveAgain();
  expect(await busctl(host, 'get-property', ...OS, 'BootedDeployment')).toContain(`"version" s "${VERSIONS.v2}"`);
  expect(await busctl(host, 'get-property', ...OS, 'RollbackDeployment')).toContain(`"version" s "${VERSIONS.v1}"`);
});

test('busctl that leaves at once cancels what it has begun', async () => {
  const host = await machine();
  const answer = await busctl(host, 'call', ...OS, 'Deploy', 'sa{sv}', `revision=${COMMITS.v2}`, '0');
  expect(answer).toBe(`s "unix:path=${join(host.dir, 'transaction.sock')}"`);
  await expect.poll(() => busctl(host, 'get-property', ...SYSROOT, 'ActiveTransactionPath')).toBe('s ""');
  expect(host.state().deployments).toHaveLength(1);
});

test('a hop is quick: stage, finalize, reboot and back', async () => {
  const host = await machine();
  for (const commit of [COMMITS.v2, COMMITS.v3]) {
    const one = await client(host);
    await one.sysroot('RegisterClient', 'a{sv}', {});
    expect((await one.stageLocked(`revision=${commit}`)).finished).toEqual([true, '']);
    const booted = host.nextBoot();
    expect((await one.finalize(commit)).finished).toEqual([true, '']);
    await booted;
  }
  expect(host.state().bootCount).toBe(3);
  expect(host.state().deployments[0]).toMatchObject({ version: VERSIONS.v3, booted: true, staged: false });
});
