import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { observeMoments } from '../../../src/agent/moments/observer.ts';
import { MESSAGE_IDS } from '../../../src/agent/moments/message-ids.ts';
import type { Observer } from '../../../src/agent/observer.ts';
import { createLog } from '../../../src/base/log.ts';
import { stagedDeployment } from '../../support/agent-builders.ts';
import { NODE, STAGED, Shell, configOf, until } from '../../support/agent-shell.ts';
import { type LoopbackServer, listen } from '../../fleetlock/server.ts';

interface Received {
  readonly event: string;
  readonly text: string;
  readonly node: string;
}

/** A receiver that answers as `statuses` say, one after the other, then with 200; 0: never. */
async function receiver(...statuses: number[]): Promise<LoopbackServer> {
  const server = await listen((_, response) => {
    const status = statuses.shift() ?? 200;
    if (status !== 0) response.writeHead(status).end();
  });
  onTestFinished(() => server.stop());
  return server;
}

function received({ requests }: LoopbackServer): readonly Received[] {
  return requests.map(({ body }) => JSON.parse(body) as Received);
}

/** The observer with its own log; pauses end when the test says so. */
function observer(
  env: Readonly<Record<string, string>> = {},
  journald = false,
): { one: Observer; said: string[]; wake: (() => void)[] } {
  const [said, wake]: [string[], (() => void)[]] = [[], []];
  const log = createLog({ format: 'text', level: 'debug', write: (line) => said.push(line.trim()), journald: true });
  const after = (_: number, callback: () => void): void => void wake.push(callback);
  return { one: observeMoments({ env, log, journald, after }), said, wake };
}

const never = (): AbortSignal => new AbortController().signal;

test('a webhook is told what it asked for, in the words that were asked for', async () => {
  const server = await receiver();
  const { one, said } = observer();
  const notify = `notify.webhook_url = "http://${server.host}/hook"\nnotify.events = ["staged", "rebooting"]\nnotify.text = "\${event}: \${target}"\n`;
  const shell = new Shell({ ...STAGED, config: notify, observers: [one] });
  await until(() => shell.finalizes.length > 0);
  await until(() => server.requests.length > 0);
  expect(received(server)).toMatchObject([
    { event: 'rebooting', text: 'rebooting: 42.2', node: '00000000000040008000000000000001' },
  ]);
  await one.close(never());
  expect(said).toEqual([]);
});

test('"rebooting" waits for no pause of another notice', async () => {
  const server = await receiver(500);
  const { one, wake } = observer();
  const config = `notify.webhook_url = "http://${server.host}/hook"\nnotify.events = ["paused", "rebooting"]\n`;
  const shell = new Shell({ memory: STAGED.memory, pending: stagedDeployment(2), config, observers: [one] });
  shell.agent.send({ kind: 'pause', by: 'root', until: null, reason: 'maintenance' });
  await until(() => wake.length === 1);
  shell.agent.send({ kind: 'resume', by: 'root' });
  await until(() => server.requests.length === 3);
  expect(received(server).map(({ event }) => event)).toEqual(['paused', 'paused', 'rebooting']);
});

test('the end tries once more what is left, and waits for nobody', async () => {
  const server = await receiver(0);
  const { one, said } = observer();
  const shell = new Shell({
    ...STAGED,
    config: `notify.webhook_url = "http://${server.host}/hunter2"\n`,
    observers: [one],
  });
  await until(() => server.requests.length > 0 && shell.finalizes.length > 0);
  const end = new AbortController();
  const closed = one.close(end.signal);
  end.abort();
  await closed;
  expect(said).toEqual([
    expect.stringMatching(/^<4>the webhook did not take the notice "rebooting": http:.*: cancelled$/),
  ]);
  expect([...said, ...shell.said].join('\n')).not.toContain('hunter2');
});

test('a configuration without a webhook ends what waits for one', async () => {
  const server = await receiver(500, 500);
  const { one, said, wake } = observer();
  const config = `notify.webhook_url = "http://${server.host}/hook"\nnotify.events = "paused"\n`;
  const shell = new Shell({ config, observers: [one] });
  shell.agent.send({ kind: 'pause', by: 'root', until: null, reason: '' });
  await until(() => wake.length === 1);
  shell.agent.reconfigure(configOf(NODE));
  await one.close(never());
  const first = '<4>the webhook has not taken the notice "paused" so far: it answered HTTP 500 (next try in 1 s)';
  expect([server.requests.length, said]).toEqual([1, [first]]);
});

test.each([true, false])('under journald (%s) each moment is an entry', async (journald) => {
  const folder = mkdtempSync(join(tmpdir(), 'hp-moments-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const out = join(folder, 'out');
  writeFileSync(join(folder, 'logger'), '#!/bin/sh\ncat >>"$OUT"\n', { mode: 0o755 });
  const { one, said } = observer({ PATH: `${folder}:/usr/bin:/bin`, OUT: out }, journald);
  const shell = new Shell({ observers: [one] });
  shell.agent.send({ kind: 'pause', by: 'root', until: null, reason: 'a\nPRIORITY=0' });
  shell.agent.send({ kind: 'resume', by: 'root' });
  await one.close(never());
  const entries = existsSync(out) ? readFileSync(out, 'utf8') : '';
  const ids = [...entries.matchAll(/^MESSAGE_ID=(.*)$/gm)].map(([, id]) => id);
  expect(ids).toEqual(journald ? [MESSAGE_IDS.paused, MESSAGE_IDS.resumed] : []);
  if (journald) expect(entries).toContain('\nHOLDPOINT_REASON=a PRIORITY=0\n');
  expect(said).toEqual([]);
});
