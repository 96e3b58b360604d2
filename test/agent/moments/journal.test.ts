import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { entryOf } from '../../../src/agent/moments/entry.ts';
import { Journal } from '../../../src/agent/moments/journal.ts';
import { MESSAGE_IDS } from '../../../src/agent/moments/message-ids.ts';

interface Bench {
  readonly journal: Journal;
  readonly problems: string[];
  /** What the stand-in was given. */
  readonly taken: () => string;
  readonly folder: string;
}

/** A journal with a script in the place of `logger`; without one there is no `logger`. */
function bench(script?: string): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'hp-journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const out = join(folder, 'out');
  const program = join(folder, 'logger');
  if (script !== undefined) writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const problems: string[] = [];
  const path = script === undefined ? folder : `${folder}:/usr/bin:/bin`;
  const journal = new Journal({ env: { PATH: path, OUT: out }, onError: (text) => problems.push(text) });
  return { journal, problems, folder, taken: () => (existsSync(out) ? readFileSync(out, 'utf8') : '') };
}

const TAKES = 'echo "$@" >>"$OUT"; cat >>"$OUT"';
/** Long enough for the slowest machine: nothing waits for its end. */
const never = (): AbortSignal => new AbortController().signal;

describe('entries', () => {
  test('go to logger one after the other', async () => {
    const { journal, problems, taken } = bench(TAKES);
    for (const entry of ['A=1\nB=2\n', 'A=3\n']) journal.write(entry);
    await journal.close(never());
    expect([taken(), problems]).toEqual(['--journald\nA=1\nB=2\n--journald\nA=3\n', []]);
  });

  test('that cannot be written are said once, until it works again', async () => {
    const { journal, problems, folder } = bench(
      `if [ -e "$OUT.bad" ]; then echo "no, $OUT.bad" >&2; exit 1; fi; ${TAKES}`,
    );
    const bad = join(folder, 'out.bad');
    const write = async (): Promise<void> => {
      journal.write('A=1\n');
      await journal.close(never());
    };
    writeFileSync(bad, '');
    await write();
    await write();
    const line = `moments are not in the journal with their ids, but in the log alone: logger: no, ${bad}`;
    expect(problems).toEqual([line]);
    rmSync(bad);
    await write();
    writeFileSync(bad, '');
    await write();
    expect(problems).toEqual([line, line]);
  });

  test('that come faster than they can be written are the newest hundred, after the one that is on its way', async () => {
    const { journal, taken } = bench('cat >>"$OUT"');
    const lines = Array.from({ length: 150 }, (_, index) => `A=${index}\n`);
    for (const line of lines) journal.write(line);
    await journal.close(never());
    expect(taken()).toBe(['A=0\n', ...lines.slice(50)].join(''));
  });

  test('without logger', async () => {
    const { journal, problems } = bench();
    for (let times = 0; times < 3; times += 1) journal.write('A=1\n');
    await journal.close(never());
    expect(problems).toEqual([expect.stringMatching(/: logger: spawn logger ENOENT$/)]);
  });

  test('with a logger that reads nothing', async () => {
    const { journal, problems } = bench('exit 3');
    journal.write(`A=${'x'.repeat(1_000_000)}\n`);
    await journal.close(never());
    expect(problems).toEqual([expect.stringMatching(/: logger: ended with status 3$/)]);
  });

  test('at the end nobody who hangs is waited for', async () => {
    const { journal, problems, taken } = bench('echo "$@" >>"$OUT"; exec sleep 1000');
    for (let times = 0; times < 3; times += 1) journal.write('A=1\n');
    const end = new AbortController();
    const closed = journal.close(end.signal);
    while (taken() === '') await new Promise((resolve) => setImmediate(resolve));
    end.abort();
    await closed;
    expect(taken()).toBe('--journald\n');
    expect(problems).toEqual([expect.stringMatching(/: logger: ended with SIGKILL$/)]);
  });
});

const JOURNALD = '/lib/systemd/systemd-journald';
/** A folder tree of its own in which a real journald runs: needs root, and a kernel that allows it. */
const works =
  process.getuid?.() === 0 &&
  existsSync(JOURNALD) &&
  spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs tmpfs /run && journalctl --version && logger --version'])
    .status === 0;

test.runIf(works)('a real journald has them, with their fields, and the catalogue explains them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hp-journald-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const moment = {
    event: 'stuck',
    at: 0,
    level: 'error',
    booted: '42.1',
    target: null,
    from: null,
    cause: 'graph',
    reason: 'größer = 100 % "x"\n\nPRIORITY=0',
    since: 0,
    text: 'stuck for 1 d',
  } as const;
  writeFileSync(join(folder, 'entry'), entryOf(moment, { nodeId: 'n', host: 'h', group: 'g' }));
  const script = join(folder, 'run');
  writeFileSync(script, SCRIPT);
  chmodSync(script, 0o755);
  const catalogue = join(import.meta.dirname, '../../../systemd/holdpoint.catalog');
  const env = { ...process.env, FOLDER: folder, ID: MESSAGE_IDS.stuck, JOURNALD, CATALOG: catalogue };
  const out = execFileSync('unshare', ['-m', 'sh', script], { env, encoding: 'utf8', timeout: 60_000 });
  const [json = '', ...explained] = out.split('\n');
  expect(JSON.parse(json)).toMatchObject({
    MESSAGE_ID: MESSAGE_IDS.stuck,
    MESSAGE: 'stuck for 1 d',
    PRIORITY: '3',
    SYSLOG_IDENTIFIER: 'holdpoint-moment',
    HOLDPOINT_CAUSE: 'graph',
    HOLDPOINT_REASON: 'größer = 100 % "x" PRIORITY=0',
    HOLDPOINT_SINCE: '0',
  });
  expect(explained.join('\n')).toContain('This host is stuck (graph)');
});

/** Nothing of it is seen outside of its mounts. */
const SCRIPT = `set -e
for place in /run /var/log /var/lib/systemd; do [ ! -d $place ] || mount -t tmpfs tmpfs $place; done
mkdir -p /run/systemd/journal /run/log/journal /run/systemd/journald.conf.d /var/lib/systemd/catalog
printf '[Journal]\\nAudit=no\\nReadKMsg=no\\nForwardToWall=no\\n' >/run/systemd/journald.conf.d/test.conf
mkdir -p /run/root/usr/lib/systemd/catalog /run/root/var/lib/systemd/catalog
cp "$CATALOG" /run/root/usr/lib/systemd/catalog/
journalctl --root=/run/root --update-catalog
cp /run/root/var/lib/systemd/catalog/database /var/lib/systemd/catalog/
"$JOURNALD" & journald=$!
while [ ! -S /run/systemd/journal/socket ]; do sleep 0.05; done
logger --journald <"$FOLDER/entry"
while ! journalctl -q "MESSAGE_ID=$ID" -o json --no-pager | grep .; do sleep 0.05; done
journalctl -q -x "MESSAGE_ID=$ID" --no-pager
kill $journald
`;
