import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import type { Bus } from '../../src/bus/api.ts';
import { formatOrder, type HookEvent } from '../../src/hooks/event.ts';
import type { HookOutcome } from '../../src/hooks/outcome.ts';
import { type HookRun, type HookRunner, runHooks } from '../../src/hooks/run.ts';
import { createHookRunner } from '../../src/hooks/runner.ts';
import { hookUnit, orderFile } from '../../src/hooks/unit-runner.ts';
import type { Machine } from '../../src/sim/api.ts';
import { connectedBus } from '../support/bus.ts';
import { CONTEXT, folder, pidsIn, runs, temporary, writeHook } from '../support/hooks.ts';
import { machine } from '../support/sim-host.ts';
import { startDbus } from '../support/dbus.ts';
import { type Bench, hookContract } from './contract.ts';

const LIMIT = { timeout: 60_000 };
const HOOK_COMMAND = [process.execPath, join(inject('bundle'), 'holdpoint.js'), 'hook', 'exec'] as const;
const UNIT = 'holdpoint-hook@may-reboot:x.service';

interface HostBench extends Bench {
  readonly host: Machine;
  readonly bus: Bus;
  readonly runDir: string;
}

async function bench(options: Parameters<typeof machine>[0] = { hookCommand: HOOK_COMMAND }): Promise<HostBench> {
  const host = await machine(options);
  const bus = await connectedBus(host.busAddress);
  const runDir = join(host.dir, 'agent', 'run');
  const runner = createHookRunner({ bus, runDir, root: host.root });
  const [dir, out] = [folder(join(host.root, 'etc/holdpoint/hooks.d')), folder(join(temporary(), 'out'))];
  return { host, bus, runDir, runner, dir, out };
}

function run({ dir, runner }: Bench, event: HookEvent, more: Partial<HookRun> = {}): Promise<HookOutcome> {
  const { signal } = new AbortController();
  return runHooks({ dir, event, runner, context: CONTEXT, timeoutMs: 30_000, signal, ...more });
}

/** What systemd says of the unit. */
async function activeState(bus: Bus, unit = UNIT): Promise<unknown> {
  const [rows] = await bus.call({
    ...{ destination: 'org.freedesktop.systemd1', path: '/org/freedesktop/systemd1' },
    ...{ interface: 'org.freedesktop.systemd1.Manager', member: 'ListUnitsByNames', signature: 'as', body: [[unit]] },
  });
  return (rows as readonly (readonly unknown[])[])[0]?.[3];
}

function start(bus: Bus, unit: string): Promise<readonly unknown[]> {
  return bus.call({
    ...{ destination: 'org.freedesktop.systemd1', path: '/org/freedesktop/systemd1' },
    ...{ interface: 'org.freedesktop.systemd1.Manager', member: 'StartUnit', signature: 'ss', body: [unit, 'fail'] },
  });
}

/** Starts the unit as an agent would that dies then. */
async function leftBehind({ bus, runDir, dir }: HostBench, event: HookEvent = 'may-reboot', name = 'x'): Promise<void> {
  writeFileSync(orderFile(folder(runDir), event), formatOrder({ dir, timeoutMs: 60_000, context: CONTEXT }));
  await start(bus, hookUnit(event, name));
}

hookContract('hooks in units', () => bench());

describe('hooks in units', LIMIT, () => {
  test.each(['exit 0', 'exit 75', 'exit 1', 'sleep 300'])('nothing is left of the unit after %s', async (script) => {
    const host = await bench();
    writeHook(host.dir, 'may-reboot', 'x', script);
    await run(host, 'may-reboot', { timeoutMs: 500 });
    expect(await activeState(host.bus)).toBe('inactive');
  });

  test('a unit that is left from before is not taken for one that has passed now', async () => {
    const host = await bench();
    writeHook(host.dir, 'may-reboot', 'x', 'exit 0');
    await leftBehind(host);
    await expect.poll(() => activeState(host.bus), LIMIT).toBe('active');
    writeHook(host.dir, 'may-reboot', 'x', 'exit 75');
    expect(await run(host, 'may-reboot')).toMatchObject({ kind: 'not-now' });
  });

  test('a hook that still runs for an agent that died is begun anew', async () => {
    const host = await bench();
    const pids = join(host.out, 'pids');
    writeHook(host.dir, 'may-reboot', 'x', `echo $$ >> ${pids}; sleep 300`);
    await leftBehind(host);
    await expect.poll(() => existsSync(pids) && pidsIn(pids)[0] !== 0, LIMIT).toBe(true);
    writeHook(host.dir, 'may-reboot', 'x2', 'true');
    writeFileSync(join(host.dir, 'may-reboot', 'x'), `#!/bin/sh\necho $$ >> ${pids}\n`);
    expect(await run(host, 'may-reboot')).toEqual({ kind: 'passed', ran: 2 });
    expect(pidsIn(pids)).toHaveLength(2);
    expect(pidsIn(pids).filter(runs)).toEqual([]);
  });

  test('what an agent that died has begun is over before hooks of another event are run', async () => {
    const host = await bench();
    const log = join(host.out, 'log');
    const logged = (): readonly string[] => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
    const pids = join(host.out, 'pids');
    for (const name of ['10-drain', '20-stop']) {
      const script = `sleep 300 & echo $$ >> ${pids}; echo $! >> ${pids}; echo ${name} >> ${log}; wait; echo late >> ${log}`;
      writeHook(host.dir, 'pre-reboot', name, script);
      await leftBehind(host, 'pre-reboot', name);
    }
    await expect.poll(() => logged().length, LIMIT).toBe(2);
    const running = `for pid in $(cat ${pids}); do if [ -e /proc/$pid/exe ]; then echo running $pid >> ${log}; fi; done`;
    writeHook(host.dir, 'reboot-cancelled', 'undrain', `${running}; echo undrained >> ${log}`);
    expect(await run(host, 'reboot-cancelled')).toEqual({ kind: 'passed', ran: 1 });
    expect(logged().slice(2)).toEqual(['undrained']);
    expect(pidsIn(pids).filter(runs)).toEqual([]);
    expect(await activeState(host.bus, hookUnit('pre-reboot', '10-drain'))).toBe('inactive');
  });

  test('what this agent itself runs is left alone', async () => {
    const host = await bench();
    const [begun, go] = [join(host.out, 'begun'), join(host.out, 'go')];
    writeHook(host.dir, 'pre-stage', 'x', `touch ${begun}; until [ -e ${go} ]; do sleep 0.05; done`);
    writeHook(host.dir, 'may-reboot', 'x', 'exit 0');
    const staging = run(host, 'pre-stage');
    await expect.poll(() => existsSync(begun), LIMIT).toBe(true);
    expect(await run(host, 'may-reboot')).toEqual({ kind: 'passed', ran: 1 });
    writeFileSync(go, '');
    expect(await staging).toEqual({ kind: 'passed', ran: 1 });
  });

  test('nothing is run beside what cannot be stopped', async () => {
    const host = await bench();
    writeHook(host.dir, 'pre-reboot', 'x', `touch ${host.out}/begun; sleep 300`);
    await leftBehind(host, 'pre-reboot');
    await expect.poll(() => existsSync(join(host.out, 'begun')), LIMIT).toBe(true);
    host.host.setFault('denyUnits', { verbs: ['stop'] });
    writeHook(host.dir, 'reboot-cancelled', 'x', `touch ${host.out}/ran`);
    const outcome = await run(host, 'reboot-cancelled');
    expect(outcome).toMatchObject({ kind: 'not-run', hook: 'x' });
    expect(JSON.stringify(outcome)).toContain('denied by polkit');
    expect(existsSync(join(host.out, 'ran'))).toBe(false);
  });

  test.each(['start', 'stop', 'reset-failed'])('says why it is not allowed to %s', async (verb) => {
    const host = await bench();
    writeHook(host.dir, 'may-reboot', 'x', verb === 'reset-failed' ? 'exit 1' : 'exit 0');
    if (verb !== 'start') {
      await leftBehind(host);
      await expect.poll(() => activeState(host.bus), LIMIT).not.toBe('activating');
    }
    host.host.setFault('denyUnits', { verbs: [verb] });
    const outcome = await run(host, 'may-reboot');
    expect(outcome).toMatchObject({ kind: 'not-run', hook: 'x' });
    expect(JSON.stringify(outcome)).toContain('denied by polkit');
  });

  test('the limit of the unit itself is reported', async () => {
    const host = await bench();
    host.host.setFault('unitTimeout', { ms: 400 });
    writeHook(host.dir, 'may-reboot', 'x', 'sleep 300');
    expect(await run(host, 'may-reboot')).toEqual({ kind: 'failed', hook: 'x', text: 'its unit failed: timeout' });
  });

  test('the end of a hook is seen even when its signal is lost', async () => {
    const host = await bench();
    host.host.setFault('jobSignalLost');
    writeHook(host.dir, 'may-reboot', 'x', 'echo busy; exit 75');
    expect(await run(host, 'may-reboot')).toEqual({ kind: 'not-now', hook: 'x', text: 'busy' });
  });

  test('the unit follows no other folder than its own', async () => {
    const host = await bench();
    const elsewhere = folder(join(host.out, 'hooks.d'));
    writeHook(elsewhere, 'may-reboot', 'x', `touch ${host.out}/ran`);
    writeHook(host.dir, 'may-reboot', 'x', `touch ${host.out}/ran`);
    const outcome = await run({ ...host, dir: elsewhere }, 'may-reboot');
    expect(outcome).toMatchObject({ kind: 'failed', hook: 'x' });
    expect(JSON.stringify(outcome)).toContain('drop-in for holdpoint-hook@.service');
    expect(existsSync(join(host.out, 'ran'))).toBe(false);
  });

  test.each<[string, (file: string, out: string) => void]>([
    ['is not there', (file) => rmSync(file)],
    ['is no order', (file) => writeFileSync(file, 'root:x:0:0')],
    [
      'is a link',
      (file, out) => {
        writeFileSync(join(out, 'order'), readFileSync(file));
        rmSync(file);
        symlinkSync(join(out, 'order'), file);
      },
    ],
  ])('without what the agent has to say, nothing is run: it %s', async (_, spoil) => {
    const host = await bench();
    const runner: HookRunner = {
      prepare: async (set) => {
        const started = await host.runner.prepare(set);
        spoil(orderFile(host.runDir, 'may-reboot'), host.out);
        return started;
      },
    };
    writeHook(host.dir, 'may-reboot', 'x', `touch ${host.out}/ran`);
    const outcome = await run({ ...host, runner }, 'may-reboot');
    expect(outcome).toMatchObject({ kind: 'failed', hook: 'x' });
    expect(JSON.stringify(outcome)).toContain('is not what the agent writes');
    expect(JSON.stringify(outcome)).not.toContain('root:x');
    expect(existsSync(join(host.out, 'ran'))).toBe(false);
  });
});

describe('the way to run hooks', LIMIT, () => {
  test('is as a child where systemd has no template for it', async () => {
    const host = await bench({});
    writeHook(
      host.dir,
      'may-reboot',
      'x',
      `readlink /proc/$PPID/exe > ${host.out}/parent; echo $PPID >> ${host.out}/ppid`,
    );
    expect(await run(host, 'may-reboot')).toEqual({ kind: 'passed', ran: 1 });
    expect(pidsIn(join(host.out, 'ppid'))).toEqual([process.pid]);
  });

  test('is as a child where there is no systemd', async () => {
    const dbus = await startDbus();
    const base = temporary();
    const bus = await connectedBus(dbus.address);
    const dir = folder(join(base, 'hooks.d'));
    writeHook(dir, 'may-reboot', 'x', 'exit 75');
    const runner = createHookRunner({ bus, runDir: base, root: base });
    expect(await run({ dir, out: base, runner }, 'may-reboot')).toMatchObject({ kind: 'not-now' });
    folder(join(base, 'run/systemd/system'));
    const outcome = await run({ dir, out: base, runner }, 'may-reboot');
    expect(outcome).toMatchObject({ kind: 'not-run', hook: 'x' });
    expect(JSON.stringify(outcome)).toContain('systemd cannot be asked');
    await dbus.stop();
  });

  test('is as a child without the bus, once there was found to be no systemd', LIMIT, async () => {
    const dbus = await startDbus();
    const base = temporary();
    const bus = await connectedBus(dbus.address);
    const dir = folder(join(base, 'hooks.d'));
    writeHook(dir, 'reboot-cancelled', 'x', 'exit 75');
    const runner = createHookRunner({ bus, runDir: base, root: base });
    expect(await run({ dir, out: base, runner }, 'reboot-cancelled')).toMatchObject({ kind: 'not-now' });
    await dbus.stop();
    expect(await run({ dir, out: base, runner }, 'reboot-cancelled')).toMatchObject({ kind: 'not-now' });
    const another = createHookRunner({ bus, runDir: base, root: base });
    expect(await run({ dir, out: base, runner: another }, 'reboot-cancelled')).toMatchObject({ kind: 'not-run' });
  });

  test('is none where the template cannot be used', async () => {
    const host = await bench({});
    host.host.setUnits([{ name: 'holdpoint-hook@may-reboot:any.service', load: 'masked', active: 'inactive' }]);
    writeHook(host.dir, 'may-reboot', 'x', `touch ${host.out}/ran`);
    expect(await run(host, 'may-reboot')).toEqual({
      ...{ kind: 'not-run', hook: 'x' },
      text: 'holdpoint-hook@.service cannot be used: it is masked',
    });
    expect(existsSync(join(host.out, 'ran'))).toBe(false);
  });
});
