import { describe, expect, test } from 'vitest';
import type { Machine } from '../../src/sim/machine.ts';
import { type Simulated, type SimulatedOptions, simulate, smallGraph } from '../support/simulated.ts';

const [OLD, MID, NEW] = ['40.1.3.0', '41.2.3.0', '42.3.3.0'] as const;
/** One hop from OLD to MID. */
const HOP = smallGraph([OLD, MID], [[0, 1]]);
/** Two ways on: MID, or the newer NEW. */
const FORK = smallGraph(
  [OLD, MID, NEW],
  [
    [0, 1],
    [0, 2],
    [1, 2],
  ],
);
const BACKUP = { what: 'shutdown', who: 'backup', why: 'copying', mode: 'block' } as const;
const LIMIT = { timeout: 60_000 };

interface Context {
  readonly onTestFinished: (end: () => Promise<void>) => void;
}

/** A simulated host that ends with its test. */
async function host({ onTestFinished }: Context, options: Partial<SimulatedOptions> = {}): Promise<Simulated> {
  const one = await simulate({ graph: HOP, from: OLD, ...options });
  onTestFinished(() => one.stop());
  return one;
}

/** Starts the agent and waits until the host runs a release and the agent watches it. */
async function arrives(one: Simulated, version: string): Promise<void> {
  one.agent.start();
  await one.machine.until(({ deployments }) => deployments.some((each) => each.booted && each.version === version));
  await one.line((line) => line.state === 'watching' && line.text.startsWith(`running ${version}`));
}

/** Waits until the graph has been asked for so many times more. */
async function polls(one: Simulated, more: number): Promise<void> {
  const until = one.server.requests.length + more;
  while (one.server.requests.length < until) await new Promise((resolve) => setTimeout(resolve, 50));
}

function stagedPackages(machine: Machine): readonly string[] | undefined {
  return machine.state().deployments.find(({ staged }) => staged)?.packages;
}

interface Break {
  readonly name: string;
  readonly breaks: (machine: Machine) => void;
  /** What the log must say of it; nothing when the agent does not notice. */
  readonly said?: RegExp;
}

/** Faults that pass: the host arrives all the same. */
const PASSING: readonly Break[] = [
  {
    name: 'the death of rpm-ostree while it downloads',
    breaks: (machine) => machine.setFault('die', { times: 1, method: 'Deploy' }),
    said: /^staging.*without a result.*attempt 1/,
  },
  {
    name: 'the death of rpm-ostree in a call',
    breaks: (machine) => machine.setFault('dieInCall', { times: 2 }),
    said: /^staging.*attempt 1/,
  },
  {
    name: 'a transaction that ends without a word',
    breaks: (machine) => machine.setFault('vanish', { times: 1, method: 'Deploy' }),
    said: /^staging.*without a result.*attempt 1/,
  },
  {
    name: 'garbage on the socket of a transaction',
    breaks: (machine) => machine.setFault('garbage', { times: 1, method: 'Deploy' }),
    said: /^staging.*attempt 1/,
  },
  {
    name: 'a cancelled transaction',
    breaks: (machine) => machine.setFault('cancel', { times: 1, method: 'Deploy' }),
    said: /^staging.*cancelled/,
  },
  {
    name: 'a network that is down',
    breaks: (machine) => machine.setFault('fail', { times: 2, method: 'Deploy' }),
    said: /^staging.*Couldn't connect/,
  },
  { name: 'a socket that comes late', breaks: (machine) => machine.setFault('lateSocket', { times: 3 }) },
  { name: 'a Start that is answered after the end', breaks: (machine) => machine.setFault('lateStart') },
  {
    name: 'an rpm-ostree that is slow to come up',
    breaks: (machine) => machine.setFault('slowActivation', { ms: 1500, times: 1 }),
  },
  {
    name: 'another tool that holds the repository',
    breaks: (machine) => machine.setFault('ostreeLocked', { times: 2 }),
    said: /System transaction in progress/,
  },
  {
    name: 'a refused registration',
    breaks: (machine) => machine.setFault('deny', { methods: ['RegisterClient'] }),
    said: /does not register this agent as a client/,
  },
  {
    name: 'a refused registration as driver',
    breaks: (machine) => machine.setFault('driverRefused'),
    said: /does not show this agent as its update driver/,
  },
  {
    name: 'a refused authorisation',
    breaks: (machine) => machine.setFault('deny', { methods: ['Rebase', 'Deploy'], times: 3 }),
    said: /^staging.*denied by polkit/,
  },
  {
    name: 'a finalize that is refused',
    breaks: (machine) => machine.setFault('deny', { methods: ['FinalizeDeployment'], times: 1 }),
    said: /^finalizing.*denied by polkit/,
  },
  {
    name: 'a finalize that ends without a result',
    breaks: (machine) => machine.setFault('vanish', { method: 'FinalizeDeployment', at: 'start', times: 1 }),
    said: /^finalizing.*attempt 1/,
  },
  {
    name: 'the death of rpm-ostree in a finalize',
    breaks: (machine) => machine.setFault('die', { method: 'FinalizeDeployment', at: 'start', times: 1 }),
    said: /^finalizing.*attempt 1/,
  },
];

describe('the way to the next release survives', () => {
  test.concurrent.for(PASSING)('$name', LIMIT, async ({ breaks, said }, context) => {
    const one = await host(context);
    breaks(one.machine);
    await arrives(one, MID);
    if (said !== undefined) expect(one.lines.map(({ text }) => text)).toContainEqual(expect.stringMatching(said));
    expect(one.lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect(one.machine.state().bootCount).toBe(2);
  });

  test.concurrent('a slow download, with one line in the log for all of it', LIMIT, async (context) => {
    const one = await host(context);
    one.machine.setFault('slow', { ms: 4000, steps: 8, times: 1 });
    await arrives(one, MID);
    expect(one.lines.filter(({ state }) => state === 'staging')).toHaveLength(1);
  });

  test.concurrent('another client at work, which is waited for', LIMIT, async (context) => {
    const one = await host(context);
    const other = await one.machine.otherTransaction('install vim');
    one.agent.start();
    await one.line(/Transaction in progress/);
    await other.finish();
    await arrives(one, MID);
  });

  test.concurrent('the exit of an idle rpm-ostree, which it does not prevent', LIMIT, async (context) => {
    const one = await host(context, { graph: smallGraph([OLD, MID], []), machine: { idleMs: 300, graph: HOP } });
    one.agent.start();
    await one.line((line) => line.verdict === 'noPath');
    while ((await one.machine.daemonPid()) !== null) await new Promise((resolve) => setTimeout(resolve, 50));
    one.server.setGraph(HOP);
    await arrives(one, MID);
  });
});

describe('a release at fault', () => {
  test.concurrent('of another stream is removed, and kept away after three tries', LIMIT, async (context) => {
    const one = await host(context);
    one.machine.setFault('wrongStaged', { stream: 'testing' });
    one.agent.start();
    await one.line(/belongs to the stream testing, this host to stable/);
    await one.line((line) => line.level === 'error' && line.text.includes('is kept away from this host until'));
    await one.line((line) => line.verdict === 'denied');
    await one.machine.until(({ deployments }) => deployments.every(({ staged }) => !staged));
    expect(one.memory()['quarantine']).toHaveLength(1);
    expect(one.booted()).toBe(OLD);
  });

  test.concurrent('of another version is removed as well', LIMIT, async (context) => {
    const one = await host(context);
    one.machine.setFault('wrongStaged', { version: '66.6.3.0', times: 1 });
    await arrives(one, MID);
    expect(one.lines.map(({ text }) => text).join('\n')).toMatch(/calls itself 66\.6\.3\.0/);
  });

  test.concurrent(
    'that twice is not what the next boot shows is kept away, and the next best is taken',
    LIMIT,
    async (context) => {
      const one = await host(context, { graph: FORK });
      one.machine.setFault('finalizeLost', { as: 'discarded', times: 2 });
      await arrives(one, MID);
      const [entry] = one.memory()['quarantine'] as readonly { version: string }[];
      expect(entry?.version).toBe(NEW);
      expect(one.machine.state().bootCount).toBe(4);
    },
  );

  test.concurrent('that came up unhealthy and was rolled back is not taken again', LIMIT, async (context) => {
    const one = await host(context, { graph: FORK });
    one.machine.setFault('finalizeLost', { as: 'rolled-back', times: 1 });
    await arrives(one, MID);
    expect(one.lines.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/was finalized, but this boot is not/),
    );
  });

  test.concurrent('that is the default and was not booted is left to whoever did that', LIMIT, async (context) => {
    const one = await host(context, { graph: FORK });
    one.machine.setFault('finalizeLost', { as: 'not-booted', times: 1 });
    one.agent.start();
    await one.line(/the next boot goes to 42\.3\.3\.0, as somebody else decided/);
    expect(one.booted()).toBe(OLD);
  });

  test.concurrent('that the host was rolled back from is not taken again', LIMIT, async (context) => {
    const one = await host(context);
    await arrives(one, MID);
    one.machine.adminRollback();
    await one.machine.rebootNow();
    await one.line((line) => line.level === 'error' && line.text.includes('rolled back from it'));
    await one.line((line) => line.verdict === 'denied');
    expect(one.booted()).toBe(OLD);
  });
});

describe('what somebody else did', () => {
  test.concurrent('an inhibitor is waited for, with the name of its holder', LIMIT, async (context) => {
    const one = await host(context);
    one.machine.setInhibitors([BACKUP]);
    one.agent.start();
    await one.line(/is staged; waiting: backup blocks shutdowns/);
    expect(one.booted()).toBe(OLD);
    one.machine.setInhibitors([]);
    await arrives(one, MID);
  });

  test.concurrent('an inhibitor that is not looked for is met by rpm-ostree', LIMIT, async (context) => {
    const one = await host(context, { config: 'updates.inhibitors.enabled = false\n' });
    one.machine.setInhibitors([BACKUP]);
    one.agent.start();
    await one.line(/finalizing.*Reboot blocked by a systemd inhibitor.*backup/);
    expect(one.booted()).toBe(OLD);
    one.machine.setInhibitors([]);
    await arrives(one, MID);
  });

  test.concurrent(
    'a deployment that an administrator staged is left alone until it is gone',
    LIMIT,
    async (context) => {
      const one = await host(context);
      one.machine.adminStages({ packages: ['vim'] });
      one.agent.start();
      await one.line(/was staged by somebody else and applies at the next reboot/);
      await polls(one, 2);
      expect(stagedPackages(one.machine)).toEqual(['vim']);
      one.machine.adminCleanup();
      await arrives(one, MID);
    },
  );

  test.concurrent('layering on the target is still the target', LIMIT, async (context) => {
    const one = await host(context);
    one.machine.adminStages({ version: MID, packages: ['vim'], locked: true });
    await arrives(one, MID);
    expect(one.machine.state().deployments.find(({ booted }) => booted)?.packages).toEqual(['vim']);
  });

  test.concurrent('a target that was staged unlocked is finalized all the same', LIMIT, async (context) => {
    const one = await host(context);
    one.machine.adminStages({ version: MID, locked: false });
    await arrives(one, MID);
  });

  test.concurrent('a staged target that was removed is staged again', LIMIT, async (context) => {
    const one = await host(context);
    one.machine.setInhibitors([BACKUP]);
    one.agent.start();
    await one.line(/blocks shutdowns/);
    one.machine.adminCleanup();
    await one.nextLine((line) => line.state === 'staging');
    one.machine.setInhibitors([]);
    await arrives(one, MID);
  });

  test.concurrent('a staged target that was replaced is given up', LIMIT, async (context) => {
    const one = await host(context);
    one.machine.setInhibitors([BACKUP]);
    one.agent.start();
    await one.line(/blocks shutdowns/);
    one.machine.adminStages({ version: OLD, packages: ['vim'] });
    await one.line(/was staged by somebody else/);
    expect(stagedPackages(one.machine)).toEqual(['vim']);
  });

  test.concurrent('what was layered on the staged release is kept when a newer one comes', LIMIT, async (context) => {
    const one = await host(context, { machine: { graph: FORK } });
    one.machine.setInhibitors([BACKUP]);
    one.agent.start();
    await one.line(/blocks shutdowns/);
    one.machine.adminStages({ version: MID, packages: ['vim'] });
    await one.line(/the staged 41\.2\.3\.0 was changed by somebody else/);
    one.server.setGraph(FORK);
    await one.line(/41\.2\.3\.0 was staged by somebody else and applies at the next reboot.*left alone/);
    await polls(one, 2);
    expect(stagedPackages(one.machine)).toEqual(['vim']);
    one.machine.setInhibitors([]);
    await one.machine.rebootNow();
    await arrives(one, NEW);
  });

  test.concurrent('with the source "staged", whatever is staged is booted, without a graph', LIMIT, async (context) => {
    const one = await host(context, { config: 'updates.source = "staged"\n' });
    one.agent.start();
    await one.line(/waiting for somebody to stage a deployment/);
    one.machine.adminStages({ version: MID });
    await arrives(one, MID);
    expect(one.server.requests).toEqual([]);
    // The command line of whoever stages goes on working.
    expect(one.machine.state().driver).toBeNull();
  });

  test.concurrent('other drivers are named, with what wins', LIMIT, async (context) => {
    const one = await host(context, { graph: smallGraph([OLD], []) });
    one.machine.setUnits([{ name: 'zincati.service', active: 'active' }]);
    one.machine.setAutomaticUpdatePolicy('stage');
    one.agent.start();
    await one.line(
      (line) => line.level === 'warn' && /zincati\.service is active: .*whichever finalizes first wins/.test(line.text),
    );
    await one.line((line) => line.level === 'warn' && line.text.includes('AutomaticUpdatePolicy=stage'));
  });
});

describe('the update graph', () => {
  test.concurrent('a newer release replaces the staged one', LIMIT, async (context) => {
    const one = await host(context, { machine: { graph: FORK } });
    one.machine.setInhibitors([BACKUP]);
    one.agent.start();
    await one.line((line) => line.state === 'holding' && line.target === MID);
    one.server.setGraph(FORK);
    await one.line((line) => line.state === 'holding' && line.target === NEW);
    one.machine.setInhibitors([]);
    await arrives(one, NEW);
    expect(one.machine.state().bootCount).toBe(2);
  });

  test.concurrent('a withdrawn release is removed after two good graphs, and not before', LIMIT, async (context) => {
    const one = await host(context);
    one.machine.setInhibitors([BACKUP]);
    one.agent.start();
    await one.line((line) => line.state === 'holding');
    one.server.setFailure(502);
    await one.line(/answered 502/);
    one.server.setFailure(null);
    one.server.setGraph(JSON.stringify({ nodes: [], edges: [] }));
    await polls(one, 3);
    expect(one.machine.state().deployments.some(({ staged }) => staged)).toBe(true);
    one.server.setGraph(smallGraph([OLD, MID], []));
    await one.line(/will be removed: the update graph no longer leads to it/);
    await one.machine.until(({ deployments }) => deployments.every(({ staged }) => !staged));
  });
});

describe('the agent itself', () => {
  test.concurrent('goes on with a new configuration, and refuses a bad one', LIMIT, async (context) => {
    const one = await host(context, { config: 'updates.enabled = false\n' });
    one.agent.start();
    await one.line(/updates\.enabled is false/);
    one.agent.configure('updates.enabled = "yes"\n');
    one.agent.signal('SIGHUP');
    await one.line(/the new configuration is refused/);
    one.agent.configure(`agent.timing.steady_interval_secs = 1\ncincinnati.base_url = "${one.server.url}"\n`);
    one.agent.signal('SIGHUP');
    await one.line(/the configuration was read again/);
    await arrives(one, MID);
  });
});
