import { spawn } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AGENT_NAME, AGENT_PATH } from '../../src/agent/dbus/names.ts';
import type { PolkitQuestion, Session } from '../../src/sim/api.ts';
import { type Ran, UID, bundleForAll, ranAs } from '../support/as-user.ts';
import { type Simulated, simulate, smallGraph } from '../support/simulated.ts';

const [OLD, MID] = ['40.1.3.0', '41.2.3.0'] as const;
const LIMIT = { timeout: 60_000 };

/** Somebody who keeps the host from rebooting. */
const ADA: Session = {
  ...{ id: '7', uid: 4711, user: 'ada', tty: 'pts/7', class: 'user', remote: true, type: 'tty', state: 'active' },
};

/** `holdpoint …` as this user. */
const holdpoint = bundleForAll();

/** `busctl …` as this user. */
function busctl(one: Simulated, uid: number, verb: string, ...rest: string[]): Promise<Ran> {
  return ranAs(one, uid, 'busctl', `--address=${one.machine.busAddress}`, verb, AGENT_NAME, AGENT_PATH, ...rest);
}

interface Context {
  readonly onTestFinished: (end: () => Promise<void> | void) => void;
}

/** A host whose update is staged and waits for nobody knows what, or which runs the newest release. */
async function host({ onTestFinished }: Context, { update = true } = {}): Promise<Simulated> {
  const graph = update ? smallGraph([OLD, MID], [[0, 1]]) : smallGraph([OLD], []);
  const one = await simulate({ graph, from: OLD, config: 'updates.sessions.grace_secs = 3600\n' });
  onTestFinished(() => one.stop());
  chmodSync(one.machine.dir, 0o755);
  one.machine.setSessions([ADA]);
  one.agent.start();
  await one.line(/^on the bus as io\.github\.holdpoint\.Agent1/);
  await one.line(update ? /is staged; waiting/ : /is the newest release/);
  return one;
}

/** Polkit lets this user do these, and nobody anything else; notes what it is asked. */
async function allow({ machine }: Simulated, uid: number, ...actions: string[]): Promise<PolkitQuestion[]> {
  const asked: PolkitQuestion[] = [];
  await machine.setPolkit((question) => {
    asked.push(question);
    return question.uid === uid && actions.some((action) => question.action.endsWith(`.${action}`)) ? 'yes' : 'no';
  });
  return asked;
}

describe('an ordinary user', () => {
  test.concurrent('may do what polkit lets him, and nothing else', LIMIT, async (context) => {
    const one = await host(context);
    const asked = await allow(one, UID, 'pause');
    const paused = await holdpoint(one, UID, 'pause', '--reason', 'nightly backup');
    expect([paused.status, paused.err]).toEqual([0, '']);
    expect(paused.out).toMatch(/^Now: 41\.2\.3\.0 is staged; waiting: paused by user \d+ \(nightly backup\)/m);
    expect(one.memory()['pause']).toMatchObject({ until: null, reason: 'nightly backup' });
    const skipped = await holdpoint(one, UID, 'skip', MID, '--json');
    expect([skipped.status, skipped.out]).toEqual([5, '']);
    expect(skipped.err).toMatch(
      /^holdpoint skip: only root and those whom polkit lets \(io\.github\.holdpoint\.Agent1\.skip\)/,
    );
    expect(one.memory()['skipped']).toEqual([]);
    expect(asked).toEqual(
      ['pause', 'skip'].map((action) => ({ uid: UID, action: `${AGENT_NAME}.${action}`, interactive: false })),
    );
  });

  test.concurrent('may do nothing where polkit is not there, or does not answer', LIMIT, async (context) => {
    const one = await host(context);
    await one.machine.setPolkit(null);
    expect(await holdpoint(one, UID, 'pause')).toEqual({
      status: 5,
      out: '',
      err: 'holdpoint pause: only root may do this, since nobody knows who else: polkit is not there\n',
    });
    await one.machine.setPolkit(() => 'silence');
    expect(await holdpoint(one, UID, 'pause')).toMatchObject({
      status: 5,
      err: expect.stringContaining('polkit does not answer') as string,
    });
    expect(one.memory()['pause']).toBeNull();
  });

  test.concurrent('is told that a password is needed, and tools that can ask for one do', LIMIT, async (context) => {
    const one = await host(context);
    const asked: PolkitQuestion[] = [];
    await one.machine.setPolkit((question) => {
      asked.push(question);
      return question.interactive ? 'yes' : 'challenge';
    });
    expect(await holdpoint(one, UID, 'pause')).toMatchObject({
      status: 5,
      err: expect.stringContaining('with a password') as string,
    });
    const called = await busctl(one, UID, 'call', AGENT_NAME, 'Pause', 'xs', '--', '-1', 'by hand');
    expect([called.status, called.err, called.out]).toEqual([0, '', expect.stringMatching(/^ss "done"/) as string]);
    expect(asked.map(({ interactive }) => interactive)).toEqual([false, true]);
  });

  test.concurrent('can read everything, and be told of changes', LIMIT, async (context) => {
    const one = await host(context);
    await one.machine.setPolkit(null);
    const read = async (name: string): Promise<string> =>
      (await busctl(one, UID, 'get-property', AGENT_NAME, name)).out.trim();
    expect(
      await Promise.all(['State', 'Booted', 'Target', 'PausedUntil', 'LastCheckResult', 'LastError'].map(read)),
    ).toEqual(['s "holding"', `s "${OLD}"`, `s "${MID}"`, 'x 0', 's "update"', 's ""']);
    expect(await read('Gates')).toMatch(
      /^a\(sbssx\) 15 .*"pause" true "" "" 0 .*"people" false "ada .*" "their leaving.*" \d{10} /,
    );
    const { out } = await busctl(one, UID, 'introspect', AGENT_NAME);
    for (const member of ['CheckNow', 'Explain', 'Postpone', 'Gates', 'NextEvaluation', 'Version'])
      expect(out).toContain(`.${member} `);
    expect((await busctl(one, UID, 'call', AGENT_NAME, 'Explain', 'x', '0')).out).toMatch(/^s "\{/);
    const gdbus = [
      'gdbus',
      'introspect',
      '--address',
      one.machine.busAddress,
      '--dest',
      AGENT_NAME,
      '--object-path',
      AGENT_PATH,
    ];
    const seen = await ranAs(one, UID, ...gdbus);
    expect([seen.status, seen.out]).toEqual([0, expect.stringContaining("readonly s State = 'holding'") as string]);
  });
});

test.concurrent('a change is told with the new value of what has changed alone', LIMIT, async (context) => {
  const one = await host(context, { update: false });
  const args = ['monitor', '--address', one.machine.busAddress, '--dest', AGENT_NAME];
  const monitor = spawn('gdbus', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  context.onTestFinished(() => void monitor.kill());
  let out = '';
  monitor.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const until = async (text: string | RegExp): Promise<void> => {
    while (out.search(text) === -1) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await until('is owned by');
  const me = process.getuid?.() ?? 0;
  await allow(one, me, 'pause');
  expect((await holdpoint(one, me, 'pause', '--reason=a')).status).toBe(0);
  await until('PausedUntil');
  const line = out.split('\n').find((text) => text.includes('PausedUntil')) ?? '';
  expect(line).toMatch(
    /PropertiesChanged \('io\.github\.holdpoint\.Agent1', \{.*'PausedUntil': <int64 -1>.*\}, @as \[\]\)$/,
  );
  expect(line).toContain("('pause', false, 'paused by root (a)'");
  for (const name of ['State', 'Booted', 'Version', 'LastError', 'Since']) expect(line).not.toContain(`'${name}'`);
});

describe('check', () => {
  test.concurrent('says what the graph says, and waits for that', LIMIT, async (context) => {
    const one = await host(context, { update: false });
    const none = await holdpoint(one, 0, 'check');
    expect([none.status, none.err]).toEqual([77, '']);
    expect(none.out).toMatch(/^40\.1\.3\.0 is the newest release\.\nNow: running 40\.1\.3\.0; /);
    one.server.setGraph(smallGraph([OLD, MID], [[0, 1]]));
    const found = await holdpoint(one, 0, 'check', '--json');
    expect([found.status, JSON.parse(found.out)]).toEqual([
      0,
      expect.objectContaining({
        order: 'check',
        outcome: 'done',
        check: expect.objectContaining({ target: MID }) as object,
      }),
    ]);
  });

  test.concurrent('fails when the graph cannot be read', LIMIT, async (context) => {
    const one = await host(context, { update: false });
    one.server.setFailure(503);
    const { status, out, err } = await holdpoint(one, 0, 'check');
    expect([status, out]).toEqual([1, '']);
    // The next try may be under way by then.
    expect(err).toMatch(/^holdpoint check: .*503.*\nNow: running/);
  });
});

describe('without an agent that answers', () => {
  test.concurrent('systemd says why it is not there', LIMIT, async (context) => {
    const one = await host(context);
    await one.agent.kill();
    const name = 'holdpoint-agent.service';
    const why = async (): Promise<string> => (await holdpoint(one, UID, 'resume')).err;
    expect(await why()).toContain('this host has no holdpoint-agent.service');
    one.machine.setUnits([
      { name, active: 'failed', sub: 'failed', ended: { result: 'exit-code', code: 1, status: 3 } },
    ]);
    expect(await why()).toBe(
      'holdpoint resume: the agent is not running: it found errors in its configuration (holdpoint config check)\n',
    );
    one.machine.setUnits([
      { name, active: 'activating', sub: 'auto-restart', ended: { result: 'signal', code: 2, status: 9 } },
    ]);
    const { status, err } = await holdpoint(one, UID, 'resume');
    expect([status, err]).toEqual([
      4,
      expect.stringMatching(/it was killed by signal 9; systemd starts it again in a moment/) as string,
    ]);
  });

  test.concurrent('one that hangs is not waited for', LIMIT, async (context) => {
    const one = await host(context);
    one.agent.signal('SIGSTOP');
    context.onTestFinished(() => one.agent.signal('SIGCONT'));
    const { status, out, err } = await holdpoint(one, 0, 'resume');
    expect([status, out]).toEqual([1, '']);
    expect(err).toMatch(/^holdpoint resume: the agent is there, but has not answered within 3 s: it hangs/);
    one.agent.signal('SIGCONT');
  });
});

test('docs/dbus.md tells of every member', LIMIT, async (context) => {
  const docs = readFileSync(join(import.meta.dirname, '../../docs/dbus.md'), 'utf8');
  const one = await host(context);
  const { out } = await busctl(one, 0, 'introspect', AGENT_NAME);
  const members = [...out.matchAll(/^\.(\w+)/gm)].map(([, name = '']) => name);
  expect(members.length).toBeGreaterThan(20);
  expect(members.filter((name) => !new RegExp(`\\b${name}\\b`).test(docs))).toEqual([]);
});
