import { Variant } from '../../src/bus/api.ts';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { FailureError } from '../../src/base/failure.ts';
import type { Observer } from '../../src/agent/observer.ts';
import { graph, stagedDeployment, target } from '../support/agent-builders.ts';
import { CONNECTED, NODE, STAGED, Shell, configOf, open, startLocks, until } from '../support/agent-shell.ts';

describe('the registration as update driver', () => {
  test('comes when nothing else is wanted of rpm-ostree', async () => {
    const shell = new Shell();
    await until(() => shell.asked.includes('register-driver'));
  });

  test.each(['updates.enabled = false\n', 'updates.source = "staged"\n'])(
    'is left to others with %s, until the configuration says otherwise',
    async (config) => {
      const shell = new Shell({ config });
      await until(() => ['disabled', 'watching'].includes(String(shell.shown()['state'])));
      await new Promise((resolve) => setImmediate(resolve));
      expect(shell.asked).not.toContain('register-driver');
      shell.agent.reconfigure(configOf(NODE));
      await until(() => shell.asked.includes('register-driver'));
    },
  );

  test('that came to nothing is tried again when something has happened, and no more once it is done', async () => {
    const tries = (shell: Shell): number => shell.asked.filter((one) => one === 'register-driver').length;
    const shell = new Shell();
    shell.isDriverTaken = false;
    await until(() => tries(shell) === 1);
    shell.agent.send({ kind: 'tick' });
    expect(tries(shell)).toBe(1);
    shell.isDriverTaken = true;
    for (const expected of [2, 2]) {
      shell.bus({ connected: false, error: 'connect ENOENT', attempts: 1, retryInMs: 200 });
      shell.bus(CONNECTED);
      await until(() => tries(shell) === expected && shell.shown()['state'] === 'watching');
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(tries(shell)).toBe(2);
  });

  test('does not stand in the way of a finalize', async () => {
    const shell = new Shell(STAGED);
    await until(() => shell.finalizes.length > 0);
    expect(shell.asked).not.toContain('register-driver');
    shell.agent.reconfigure(configOf(`${NODE}updates.min_uptime_secs = 604800\n`));
    shell.finalizes[0]?.outcome.reject(new FailureError({ class: 'transient', text: 'an inhibitor' }));
    await until(() => shell.asked.includes('register-driver'));
  });
});

describe('the consent that a finalize is given', () => {
  test('is withdrawn by a new configuration', async () => {
    const shell = new Shell(STAGED);
    await until(() => shell.finalizes.length > 0);
    const withdrawn = shell.finalizes[0]?.options.withdrawn ?? ((): Promise<null> => Promise.resolve(null));
    expect(await withdrawn()).toBeNull();
    shell.agent.reconfigure(configOf(`${NODE}updates.enabled = false\n`));
    expect(await withdrawn()).toMatch('updates.enabled is false');
  });

  test('is withdrawn at once when the agent is to stop, whatever logind takes to answer', async () => {
    const locks = await startLocks();
    const shell = new Shell({ ...STAGED, config: locks.config });
    await until(() => locks.log.includes('pre-reboot'));
    locks.grant();
    await until(() => shell.finalizes.length > 0);
    const logind = open<readonly unknown[]>();
    shell.answer = () => logind.promise;
    const stopped = shell.agent.stop();
    expect(await shell.finalizes[0]?.options.withdrawn()).toBe('the agent is stopping');
    shell.finalizes[0]?.outcome.reject(new FailureError({ class: 'transient', text: 'not started' }));
    logind.resolve([]);
    await stopped;
    expect(locks.log.at(-1)).toBe('steady-state');
    expect(shell.memory).toMatchObject({ slot: null, owed: [], finalize: null });
  });
});

describe('a stop', () => {
  test('while the slot is asked for waits until it is given back', async () => {
    const locks = await startLocks();
    const shell = new Shell({ ...STAGED, config: locks.config });
    await until(() => locks.log.includes('pre-reboot'));
    await shell.agent.stop();
    expect(locks.log.at(-1)).toBe('steady-state');
    expect(shell.memory).toMatchObject({ slot: null, owed: [] });
    expect(shell.said.join('\n')).not.toMatch('could not be given back');
  });

  test('with a grant on its way decides nothing while logind is asked', async () => {
    const locks = await startLocks();
    const shell = new Shell({ ...STAGED, config: locks.config });
    await until(() => locks.log.includes('pre-reboot'));
    const logind = open<readonly unknown[]>();
    shell.answer = () => logind.promise;
    const stopped = shell.agent.stop();
    locks.grant();
    await new Promise((resolve) => setImmediate(resolve));
    logind.resolve([]);
    await stopped;
    expect(shell.finalizes).toEqual([]);
    expect(shell.memory).toMatchObject({ slot: null, owed: [] });
  });
});

describe('a stop with a slot', () => {
  test('of a host that goes down keeps it', async () => {
    const locks = await startLocks();
    const shell = new Shell({ ...STAGED, config: locks.config });
    await until(() => locks.log.includes('pre-reboot'));
    locks.grant();
    await until(() => shell.finalizes.length > 0);
    shell.answer = () => Promise.resolve([new Variant('b', true)]);
    const stopped = shell.agent.stop();
    shell.finalizes[0]?.outcome.reject(new FailureError({ class: 'transient', text: 'not started' }));
    await stopped;
    expect(locks.log.at(-1)).toBe('pre-reboot');
    expect(shell.memory).toMatchObject({ slot: { state: 'held' }, owed: [] });
  });

  test('that nobody takes back ends after 5 s, those in which logind is asked among them', async () => {
    const locks = await startLocks();
    const shell = new Shell({ ...STAGED, config: locks.config });
    await until(() => locks.log.includes('pre-reboot'));
    locks.stall();
    const logind = open<readonly unknown[]>();
    shell.answer = () => logind.promise;
    shell.stands = systemClock();
    const stopped = shell.agent.stop();
    shell.later += 5_000;
    logind.resolve([]);
    await stopped;
    expect(await shell.ended).toBe('ended');
    expect(shell.memory?.slot?.state).toBe('asked');
    expect(shell.said.join('\n')).toMatch(/<3>.*stopping with a slot that could not be given back/);
  });
});

describe('the service manager', () => {
  test('hears once that the agent is ready, as soon as the bus is there, whatever rpm-ostree does', async () => {
    const host = open<unknown>();
    const shell = new Shell({ connected: false, readable: host.promise });
    await new Promise((resolve) => setImmediate(resolve));
    expect(shell.asked).toEqual([]);
    shell.bus(CONNECTED);
    await until(() => shell.asked.includes('read'));
    expect(shell.asked.slice(0, 2)).toEqual(['READY', 'read']);
    expect(shell.status.at(-1)).toMatch('reading the deployments of this host');
    host.resolve(null);
    await until(() => shell.shown()['state'] === 'watching');
    shell.bus({ connected: false, error: 'gone', attempts: 1, retryInMs: 1 });
    shell.bus(CONNECTED);
    await until(() => shell.count('read') > 1);
    expect(shell.count('READY')).toBe(1);
  });

  test('hears that the agent stops before anything is waited for', async () => {
    const shell = new Shell();
    await until(() => shell.asked.includes('register-driver'));
    const before = shell.asked.length;
    const stopped = shell.agent.stop();
    expect(shell.asked.slice(before)).toEqual(['STOPPING']);
    await stopped;
  });
});

test('status.json says what the status line says, for programs', async () => {
  const shell = new Shell(STAGED);
  await until(() => shell.finalizes.length > 0);
  expect(shell.shown()).toEqual({
    layout: 1,
    state: 'rebooting',
    since: expect.any(Number) as number,
    booted: '42.1',
    target: '42.2',
    line: shell.status.at(-1),
  });
});

test('status.json says at the end that the agent was stopped', async () => {
  const shell = new Shell();
  await until(() => shell.shown()['state'] === 'watching');
  await shell.agent.stop();
  await shell.ended;
  expect(shell.shown()).toMatchObject({
    state: 'stopped',
    booted: '42.1',
    target: null,
    line: 'the agent has been stopped',
  });
});

test('on a disk that fails nothing is begun that the next start must know of, and it is begun when it works', async () => {
  const shell = new Shell();
  await until(() => shell.graphs.length > 0 && shell.asked.includes('register-driver'));
  shell.diskFails = true;
  shell.graphs[0]?.resolve(graph([1, 2]));
  await until(() => shell.status.some((line) => line.startsWith('staging 42.2: not begun')));
  expect([shell.stages.length, shell.memory?.target]).toEqual([0, null]);
  expect(shell.said.join('\n')).toMatch(/<3>.*writing the state file: ENOSPC/);
  shell.diskFails = false;
  await until(() => shell.stages.length === 1);
  expect(shell.memory?.target?.release).toEqual(target(2));
  expect(shell.said.join('\n')).toMatch(/writing the state file: over after/);
});

test('progress is shown as it comes, and logged twice a minute', async () => {
  const shell = new Shell();
  await until(() => shell.graphs.length > 0);
  shell.graphs[0]?.resolve(graph([1, 2]));
  await until(() => shell.stages.length > 0);
  for (let percent = 1; percent <= 45; percent += 1) {
    shell.later += 2_000;
    shell.stages[0]?.options.onProgress(`downloading ${percent} %`);
    expect(shell.status.at(-1)).toBe(`staging 42.2 (downloading ${percent} %)`);
  }
  const logged = shell.said
    .filter((line) => line.includes('staging: downloading'))
    .map((line) => /\d+ %/.exec(line)?.[0]);
  expect(logged).toEqual(['1 %', '16 %', '31 %']);
});

describe('a look', () => {
  test('at the host follows when the bus is back: what was said meanwhile is lost', async () => {
    const shell = new Shell();
    await until(() => shell.asked.includes('register-driver'));
    shell.bus({ connected: false, error: 'gone', attempts: 1, retryInMs: 1 });
    const before = shell.count('read');
    shell.pending = stagedDeployment(9);
    shell.bus(CONNECTED);
    await until(() => shell.count('read') > before);
    await until(() => shell.status.at(-1)?.includes('42.9 was staged by somebody else') === true);
  });

  test('at what else drives updates is taken at first, with a new configuration, and each hour', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const settled = async (check: () => boolean): Promise<void> => {
      while (!check()) await new Promise((resolve) => setImmediate(resolve));
    };
    const looks = (shell: Shell): number => shell.count('ListUnitsByNames');
    const shell = new Shell();
    await settled(() => looks(shell) === 1);
    shell.agent.reconfigure(configOf(NODE));
    await settled(() => looks(shell) === 2);
    vi.advanceTimersByTime(3_599_999);
    expect(looks(shell)).toBe(2);
    vi.advanceTimersByTime(1);
    await settled(() => looks(shell) === 3);
    await shell.agent.stop();
    await shell.ended;
    vi.advanceTimersByTime(3_600_000);
    expect(looks(shell)).toBe(3);
  });
});

describe('a new configuration', () => {
  test('without a node id, on a host that has none, is refused: the one before stays', async () => {
    const shell = new Shell();
    await until(() => shell.asked.includes('register-driver'));
    expect(() => shell.agent.reconfigure(configOf('updates.enabled = false\n'))).toThrow(/node_uuid/);
    expect(shell.shown()['state']).toBe('watching');
    shell.agent.reconfigure(configOf(`${NODE}updates.enabled = false\n`));
    expect(shell.shown()['state']).toBe('disabled');
  });
});

describe('an outage of the bus', () => {
  test('is shown for as long as it lasts', async () => {
    const shell = new Shell();
    await until(() => shell.asked.includes('register-driver'));
    // What is said of a moment that passes meanwhile is not said any more.
    shell.stands = systemClock();
    shell.agent.send({ kind: 'tick' });
    const before = shell.status.at(-1);
    shell.bus({ connected: false, error: 'connect ENOENT', attempts: 1, retryInMs: 200 });
    expect(shell.status.at(-1)).toBe(`no connection to the system bus: connect ENOENT; ${before ?? ''}`);
    expect(shell.shown()['line']).toBe(shell.status.at(-1));
    shell.bus(CONNECTED);
    expect(shell.status.at(-1)).not.toMatch('no connection');
    expect(shell.shown()['line']).toBe(shell.status.at(-1));
  });

  test('leaves what is known of other drivers as it is', async () => {
    const shell = new Shell();
    const unit = ['zincati.service', '', 'loaded', 'active', '', '', '', 0, '', ''];
    shell.answer = () => Promise.resolve([[unit]]);
    await until(() => shell.status.at(-1)?.includes('also updating this host: zincati.service') === true);
    shell.answer = () => Promise.reject(new Error('not connected'));
    const before = shell.asked.length;
    shell.agent.reconfigure(configOf(NODE));
    await until(() => shell.asked.length > before);
    await new Promise((resolve) => setImmediate(resolve));
    expect(shell.said.join('\n')).not.toMatch('no longer updates');
  });
});

test('a fault of the agent itself ends it, with what went wrong in the log and the memory as it was', async () => {
  const shell = new Shell(STAGED);
  await until(() => shell.finalizes.length > 0);
  const before = shell.memory;
  // No answer of the real client looks like this.
  shell.agent.send({ kind: 'no such event' } as never);
  expect(await shell.ended).toBeInstanceOf(TypeError);
  expect(shell.said.filter((line) => line.startsWith('<3>'))).toEqual([expect.stringMatching(/handler.*run\.ts|step/)]);
  expect(shell.memory).toEqual(before);
});

describe('whoever observes the agent', () => {
  test('sees each step with the state before and after, and the end; what one throws is logged and hurts nobody', async () => {
    const seen: string[] = [];
    const throwing: Observer = {
      name: 'broken',
      see: () => {
        throw new Error('no such luck');
      },
      close: () => Promise.reject(new Error('nor here')),
    };
    const watching: Observer = {
      name: 'watching',
      see: ({ before, after, event, line }) => {
        seen.push(`${event?.kind ?? '-'}: ${before.phase.name} -> ${after.phase.name}`);
        expect(line).not.toBe('');
      },
      close: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        seen.push('closed');
      },
    };
    const shell = new Shell({ observers: [throwing, watching] });
    await until(() => shell.shown()['state'] === 'watching');
    await shell.agent.stop();
    expect(await shell.ended).toBe('ended');
    expect(seen[0]).toBe('started: starting -> starting');
    expect(seen).toContain('looked: starting -> watching');
    expect(seen.at(-1)).toBe('closed');
    expect(shell.said).toContain('<4>broken: no such luck');
    expect(shell.said).toContain('<4>broken: nor here');
  });
});
