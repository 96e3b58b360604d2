import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HOOK_EVENTS, type HookEvent } from '../../src/hooks/event.ts';
import type { HookOutcome } from '../../src/hooks/outcome.ts';
import { type HookRunner, runHooks } from '../../src/hooks/run.ts';
import { CONTEXT, pidsIn, runs, writeHook } from '../support/hooks.ts';

/** What a test of a runner has. */
export interface Bench {
  /** The folder of the hooks. */
  readonly dir: string;
  /** A folder for what hooks write. */
  readonly out: string;
  readonly runner: HookRunner;
}

interface Ask {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const LIMIT = { timeout: 60_000 };
const matching = (text: RegExp): unknown => expect.stringMatching(text);

/** What every way to run hooks keeps, whoever carries it out. */
export function hookContract(name: string, open: () => Promise<Bench>): void {
  const run = (bench: Bench, event: HookEvent, ask: Ask = {}): Promise<HookOutcome> =>
    runHooks({
      ...{ dir: bench.dir, event, runner: bench.runner, context: CONTEXT },
      ...{ timeoutMs: 30_000, signal: new AbortController().signal, ...ask },
    });

  describe(name, LIMIT, () => {
    test('without a folder, or with an empty one, all is well', async () => {
      const bench = await open();
      expect(await run(bench, 'may-reboot')).toEqual({ kind: 'passed', ran: 0 });
      mkdirSync(join(bench.dir, 'may-reboot'), { recursive: true });
      expect(await run(bench, 'may-reboot')).toEqual({ kind: 'passed', ran: 0 });
    });

    test('runs the hooks by name, one after another, with the documented environment and nothing else', async () => {
      const bench = await open();
      const order = join(bench.out, 'order');
      for (const one of ['20-b', '10-a', 'Z', '9']) {
        writeHook(
          bench.dir,
          'pre-reboot',
          one,
          `echo begin ${one} >> ${order}; sleep 0.05; echo end ${one} >> ${order}`,
        );
      }
      writeHook(bench.dir, 'pre-reboot', '.hidden', `echo hidden >> ${order}`);
      writeHook(bench.dir, 'pre-reboot', '10-a~', `echo backup >> ${order}`);
      writeHook(bench.dir, 'pre-reboot', '10-a.rpmsave', `echo rpmsave >> ${order}`);
      const env = join(bench.out, 'env');
      writeHook(
        bench.dir,
        'pre-reboot',
        '99-env',
        `tr '\\0' '\\n' < /proc/$$/environ > ${env}; pwd >> ${env}; cat >> ${env}`,
      );
      expect(await run(bench, 'pre-reboot')).toEqual({ kind: 'passed', ran: 5 });
      const lines = ['10-a', '20-b', '9', 'Z'].flatMap((one) => [`begin ${one}`, `end ${one}`]);
      expect(readFileSync(order, 'utf8').trim().split('\n')).toEqual(lines);
      const seen = readFileSync(env, 'utf8').trim().split('\n').sort();
      expect(seen.filter((line) => !line.startsWith('HOLDPOINT_RUN='))).toEqual([
        '/',
        'HOLDPOINT_BOOTED_VERSION=43.1',
        'HOLDPOINT_EVENT=pre-reboot',
        'HOLDPOINT_GROUP=workers',
        `HOLDPOINT_NODE_ID=${CONTEXT.nodeId}`,
        'HOLDPOINT_REASON=the release 43.2 is staged',
        'HOLDPOINT_TARGET_VERSION=43.2',
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ]);
    });

    test('the first that does not pass ends the run, and its first line is the reason', async () => {
      const bench = await open();
      const late = join(bench.out, 'late');
      writeHook(bench.dir, 'may-reboot', '10-yes', 'echo fine');
      writeHook(bench.dir, 'may-reboot', '20-busy', `printf '\\n  a backup runs\\tnow\\033[31m\\nmore\\n'; exit 75`);
      writeHook(bench.dir, 'may-reboot', '30-late', `touch ${late}`);
      expect(await run(bench, 'may-reboot')).toEqual({
        kind: 'not-now',
        hook: '20-busy',
        text: 'a backup runs now [31m',
      });
      expect(existsSync(late)).toBe(false);
    });

    test.each([
      ['exit 3', 'exit status 3'],
      ['echo "no node" >&2; exit 1', 'exit status 1: no node'],
      ['echo first >&2; echo second; exit 255', 'exit status 255: second'],
      ['kill -SEGV $$', 'killed by SIGSEGV'],
      ['kill -TERM $$', 'killed by SIGTERM'],
    ])('%s is a failure', async (script, text) => {
      const bench = await open();
      writeHook(bench.dir, 'pre-stage', 'x', script);
      expect(await run(bench, 'pre-stage')).toEqual({ kind: 'failed', hook: 'x', text });
    });

    test('all that undo are run, whatever comes of them; the first that failed is told of', async () => {
      const bench = await open();
      const done = join(bench.out, 'done');
      writeHook(bench.dir, 'reboot-cancelled', '1', `echo 1 >> ${done}; exit 1`);
      writeHook(bench.dir, 'reboot-cancelled', '2', `echo 2 >> ${done}; exit 75`);
      writeHook(bench.dir, 'reboot-cancelled', '3', `echo 3 >> ${done}`);
      writeHook(bench.dir, 'reboot-cancelled', 'not a name', `echo odd >> ${done}`);
      const outcome = await run(bench, 'reboot-cancelled');
      expect(outcome).toMatchObject({ kind: 'failed', hook: 'not a name' });
      expect(readFileSync(done, 'utf8')).toBe('1\n2\n3\n');
    });

    test('one that hangs is killed, with what it has started, however it hides', async () => {
      const bench = await open();
      const pids = join(bench.out, 'pids');
      const hide = `( trap '' TERM; setsid sh -c 'echo $$ >> ${pids}; trap "" TERM; sleep 300; sleep 300' & ) &`;
      const bare = `env -i setsid sh -c 'echo $$ >> ${pids}; exec /bin/sleep 300' &`;
      writeHook(
        bench.dir,
        'pre-reboot',
        'hang',
        `echo draining; ${hide} ${bare} echo $$ >> ${pids}; trap '' TERM HUP INT; while :; do sleep 1; done`,
      );
      const outcome = await run(bench, 'pre-reboot', { timeoutMs: 3000 });
      expect(outcome).toEqual({
        kind: 'failed',
        hook: 'hang',
        text: 'took longer than 3 s and was killed: draining',
      });
      expect(pidsIn(pids)).toHaveLength(3);
      expect(pidsIn(pids).filter(runs)).toEqual([]);
    });

    test('what one leaves behind when it ends is killed, and not waited for', async () => {
      const bench = await open();
      const pids = join(bench.out, 'pids');
      const left = `echo $$ >> ${pids}; trap "" TERM; while :; do sleep 1; done`;
      writeHook(
        bench.dir,
        'pre-reboot',
        'leave',
        `sh -c '${left}' & setsid sh -c '${left}' & while [ "$(wc -l < ${pids} || echo 0)" -lt 2 ]; do sleep 0.05; done`,
      );
      expect(await run(bench, 'pre-reboot', { timeoutMs: 20_000 })).toEqual({ kind: 'passed', ran: 1 });
      expect(pidsIn(pids)).toHaveLength(2);
      expect(pidsIn(pids).filter(runs)).toEqual([]);
    });

    test('one that floods its output is cut', async () => {
      const bench = await open();
      writeHook(bench.dir, 'may-reboot', 'flood', 'head -c 300000 /dev/zero | tr "\\0" x; exit 75');
      const outcome = await run(bench, 'may-reboot');
      expect(outcome).toMatchObject({ kind: 'not-now', text: `${'x'.repeat(299)}…` });
      writeHook(bench.dir, 'may-reboot', 'flood', 'yes');
      expect(await run(bench, 'may-reboot', { timeoutMs: 1000 })).toMatchObject({
        kind: 'failed',
        text: 'took longer than 1 s and was killed: y',
      });
    });

    test('one that is no longer wanted is killed', async () => {
      const bench = await open();
      const pids = join(bench.out, 'pids');
      writeHook(bench.dir, 'pre-reboot', '1', `echo $$ > ${pids}; sleep 300`);
      writeHook(bench.dir, 'pre-reboot', '2', `touch ${pids}.2`);
      const wanted = new AbortController();
      const outcome = run(bench, 'pre-reboot', { signal: wanted.signal });
      await expect.poll(() => existsSync(pids) && pidsIn(pids)[0] !== 0, LIMIT).toBe(true);
      wanted.abort();
      expect(await outcome).toEqual({ kind: 'failed', hook: '1', text: 'killed: it is no longer wanted' });
      expect(pidsIn(pids).filter(runs)).toEqual([]);
      expect(await run(bench, 'pre-reboot', { signal: wanted.signal })).toMatchObject({ kind: 'failed', hook: '1' });
      expect(existsSync(`${pids}.2`)).toBe(false);
    });

    test.each<[string, (path: string, out: string) => void, RegExp]>([
      ['is not executable', (path) => chmodSync(path, 0o644), /^is not executable$/],
      ['others may change', (path) => chmodSync(path, 0o757), /^can be changed by others than its owner$/],
      [
        'is in a folder that others may change',
        (path) => chmodSync(join(path, '..'), 0o757),
        /^its folder .* can be changed/,
      ],
      [
        'is a link',
        (path, out) => {
          renameSync(path, join(out, 'elsewhere'));
          symlinkSync(join(out, 'elsewhere'), path);
        },
        /^is a symbolic link, which is not followed$/,
      ],
      [
        'is a folder',
        (path, out) => {
          renameSync(path, join(out, 'elsewhere'));
          mkdirSync(path);
        },
        /^is no regular file$/,
      ],
      [
        'has no interpreter',
        (path) => writeFileSync(path, '#!/no/such/shell\n'),
        /^cannot be started: it, or the interpreter/,
      ],
    ])('one that %s is not run', async (_, spoil, text) => {
      const bench = await open();
      const ran = join(bench.out, 'ran');
      spoil(writeHook(bench.dir, 'pre-stage', 'x', `touch ${ran}`), bench.out);
      expect(await run(bench, 'pre-stage')).toEqual({ kind: 'failed', hook: 'x', text: matching(text) });
      expect(existsSync(ran)).toBe(false);
    });

    test('one that is taken away while another runs is missed', async () => {
      const bench = await open();
      const second = writeHook(bench.dir, 'pre-stage', '2', 'true');
      writeHook(bench.dir, 'pre-stage', '1', `rm ${second}`);
      expect(await run(bench, 'pre-stage')).toMatchObject({
        kind: 'failed',
        hook: '2',
        text: matching(/^is not in /),
      });
    });

    test('one that is replaced by a link while another runs is not run', async () => {
      const bench = await open();
      const second = writeHook(bench.dir, 'pre-stage', '2', 'true');
      writeHook(bench.dir, 'pre-stage', '1', `ln -sf /bin/true ${second}`);
      expect(await run(bench, 'pre-stage')).toMatchObject({
        kind: 'failed',
        hook: '2',
        text: matching(/symbolic link/),
      });
    });

    test('runs the hooks of every event', async () => {
      const bench = await open();
      for (const event of HOOK_EVENTS) {
        writeHook(bench.dir, event, 'x', `echo "$HOLDPOINT_EVENT"; exit 75`);
        expect(await run(bench, event)).toEqual({ kind: 'not-now', hook: 'x', text: event });
      }
    });
  });
}
