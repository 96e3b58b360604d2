import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { childRunner } from '../../src/hooks/child-runner.ts';
import { HOOK_EVENTS, hookEnvironment, type HookEvent } from '../../src/hooks/event.ts';
import type { HookEnd } from '../../src/hooks/outcome.ts';
import { CONTEXT, folder, temporary, writeHook } from '../support/hooks.ts';

const ROOT = join(import.meta.dirname, '../..');
const doc = readFileSync(join(ROOT, 'docs/hooks.md'), 'utf8');

/** The first column of the table under a heading, without its head. */
function firstColumn(heading: string): string[] {
  const part = doc.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...part.matchAll(/^\| `([^`]+)`/gm)].map(([, name = '']) => name);
}

describe('docs/hooks.md', () => {
  test('names every event', () => {
    expect(firstColumn('Events')).toEqual([...HOOK_EVENTS]);
  });

  test('names every variable, and PATH as it is', () => {
    const env = hookEnvironment('pre-stage', CONTEXT);
    expect(firstColumn('Environment').sort()).toEqual([...Object.keys(env), 'HOLDPOINT_RUN'].sort());
    expect(doc).toContain(`\`${env['PATH'] ?? ''}\``);
  });
});

describe('the examples', () => {
  /** Installs an example and runs it with programs of our own in place of those that it calls. */
  async function run(example: string, event: HookEvent, programs: Readonly<Record<string, string>>): Promise<HookEnd> {
    const base = temporary();
    const [hooks, bin] = [folder(join(base, 'hooks.d', event)), join(base, 'bin')];
    for (const [name, script] of Object.entries(programs)) writeHook(base, 'bin' as HookEvent, name, script);
    copyFileSync(join(ROOT, 'examples/hooks', example), join(hooks, `${example}.example`));
    writeHook(join(base, 'hooks.d'), event, 'x', `PATH=${bin}:$PATH exec ${join(hooks, `${example}.example`)}`);
    const { signal } = new AbortController();
    const one = { dir: join(base, 'hooks.d'), event, timeoutMs: 10_000, context: CONTEXT };
    const prepared = await childRunner().prepare(one);
    return prepared('x', signal);
  }

  test.each([
    ['echo inactive', { kind: 'passed' }],
    ['echo failed', { kind: 'passed' }],
    ['echo activating', { kind: 'not-now', text: 'backup.service is activating' }],
    ['echo "no bus" >&2; exit 1', { kind: 'failed', text: 'exit status 1: no bus' }],
  ])('may-reboot-backup, when systemctl does %s', async (script, outcome) => {
    expect(await run('may-reboot-backup', 'may-reboot', { systemctl: script })).toMatchObject(outcome);
  });

  test.each<[HookEvent, string]>([
    ['pre-reboot', 'drain here'],
    ['reboot-cancelled', 'uncordon here'],
    ['post-boot', 'uncordon here'],
  ])('drain-node at %s', async (event, said) => {
    const programs = { uname: 'echo here', kubectl: 'echo "$1 $2"; exit 75' };
    expect(await run('drain-node', event, programs)).toMatchObject({ kind: 'not-now', text: said });
  });
});
