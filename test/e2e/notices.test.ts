import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { MESSAGE_IDS } from '../../src/agent/moments/message-ids.ts';
import { MOMENTS } from '../../src/config/moment-names.ts';
import { listen } from '../fleetlock/server.ts';
import { simulate, smallGraph } from '../support/simulated.ts';

const [OLD, MID, NEW] = ['40.1.3.0', '41.2.3.0', '42.3.3.0'] as const;
const LIMIT = { timeout: 60_000 };

interface Notice {
  readonly event: string;
  readonly booted: string;
  readonly target: string | null;
  readonly from: string | null;
  readonly text: string;
}

test('a host that climbs two releases tells a webhook and the journal', LIMIT, async () => {
  const notices: Notice[] = [];
  const tokens = new Set<string | undefined>();
  let isDone: () => void = () => undefined;
  const done = new Promise<void>((resolve) => (isDone = resolve));
  const receiver = await listen(({ body, headers, url }, response) => {
    tokens.add(`${url} ${headers.authorization}`);
    // The first is refused, and comes again in its place.
    if (tokens.size === 1 && notices.length === 0 && receiver.requests.length === 1) {
      response.writeHead(503).end();
      return;
    }
    response.end();
    notices.push(JSON.parse(body) as Notice);
    if (notices.filter(({ event }) => event === 'back').length === 2) isDone();
  });
  onTestFinished(() => receiver.stop());
  const folder = mkdtempSync(join(tmpdir(), 'hp-notices-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [out, token] = [join(folder, 'entries'), join(folder, 'token')];
  writeFileSync(token, 'hunter2\n');
  writeFileSync(join(folder, 'logger'), '#!/bin/sh\ncat >>"$OUT"\n', { mode: 0o755 });
  const one = await simulate({
    graph: smallGraph(
      [OLD, MID, NEW],
      [
        [0, 1],
        [1, 2],
      ],
    ),
    from: OLD,
    config: `notify.webhook_url = "http://${receiver.host}/hunter2?key=hunter2"\nnotify.token_file = "${token}"\n`,
    env: { JOURNAL_STREAM: '8:1', OUT: out, PATH: `${folder}:${process.env['PATH'] ?? ''}` },
  });
  onTestFinished(() => one.stop());
  one.agent.start();
  await done;
  const story = notices.map(({ event, from, target, booted }) => [event, from, target, booted]);
  expect(story).toEqual([
    ['staged', null, MID, OLD],
    ['rebooting', OLD, MID, OLD],
    ['back', OLD, MID, MID],
    ['staged', null, NEW, MID],
    ['rebooting', MID, NEW, MID],
    ['back', MID, NEW, NEW],
  ]);
  expect(notices[0]?.text).toBe(`${hostname()}: ${MID} is staged, and waits for its reboot`);
  expect([...tokens]).toEqual(['/hunter2?key=hunter2 Bearer hunter2']);
  expect(one.lines.map(({ text }) => text).join('\n')).not.toContain('hunter2');
  await one.agent.stop();
  const entries = readFileSync(out, 'utf8');
  const told = [...entries.matchAll(/^MESSAGE_ID=(.*)$/gm)].map(([, id]) =>
    MOMENTS.find((one) => MESSAGE_IDS[one] === id),
  );
  // A finalize may be refused and tried again, as rpm-ostree is busy.
  const hop = ['target-found', 'staged', 'rebooting', 'back'] as const;
  expect(told.filter((one) => one !== 'reboot-refused')).toEqual([...hop, ...hop]);
});
