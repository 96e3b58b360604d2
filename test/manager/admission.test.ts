import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Admission } from '../../src/manager/admission.ts';
import { loadManagerConfig } from '../../src/manager/config/load.ts';
import type { ManagerConfig } from '../../src/manager/config/schema.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-admission-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ['a', 'b', 'common']) writeFileSync(join(folder, name), `token-${name}\n`);
});

function configOf(text: string): ManagerConfig {
  const path = join(folder, 'manager.toml');
  writeFileSync(path, text.replaceAll('DIR', folder));
  const { config, problems } = loadManagerConfig(path);
  if (config === null) throw new Error(JSON.stringify(problems));
  return config;
}

const TABLE = '[[lock.groups]]\n';
const PLAIN = 'service.tls = false\n';
const A = `${TABLE}name = "a"\ntoken_path = "DIR/a"\n`;
const B = `${TABLE}name = "b"\ntoken_path = "DIR/b"\n`;
const COMMON = 'service.token_path = "DIR/common"\n';

/** An admission in front of a store in which these groups have holders. */
function admit(text: string, holding: readonly string[] = ['a'], guarded: readonly string[] = []): Admission {
  const options = { now: () => 0, failed: () => undefined, read: () => undefined };
  const admission = new Admission(configOf(text), options);
  admission.recall({ groups: () => holding, has: (group) => holding.includes(group) }, guarded);
  return admission;
}

function ask(admission: Admission, group: string, token?: string, names: readonly string[] = []): string {
  const authorization = token === undefined ? undefined : `Bearer ${token}`;
  return admission.access.check({ authorization, names: () => names }, { id: 'node-1', group })?.kind ?? 'in';
}

describe('a group with tokens that is configured no more', () => {
  test.each([
    ['others have tokens', PLAIN + B],
    ['nobody has', PLAIN],
    ['others are made on demand', `${PLAIN}lock.auto_create = true\n`],
  ])('keeps them while %s', (_, after) => {
    const admission = admit(PLAIN + A + B);
    admission.prepare(configOf(after))();
    expect([ask(admission, 'a'), ask(admission, 'a', 'token-a'), ask(admission, 'a', 'token-b')]).toEqual([
      'unauthorized',
      'in',
      'unauthorized',
    ]);
    // Over one more reload too.
    admission.prepare(configOf(`${after}\n`))();
    expect([ask(admission, 'a'), ask(admission, 'a', 'token-a')]).toEqual(['unauthorized', 'in']);
  });

  test('is as any other that is not there once nobody holds a slot of it', () => {
    const admission = admit(PLAIN + A, []);
    admission.prepare(configOf(PLAIN))();
    expect(ask(admission, 'a')).toBe('in');
  });

  test('needs the common token after a restart, and lets nobody in where there is none', () => {
    const admission = admit(PLAIN + A);
    admission.prepare(configOf(PLAIN))();
    expect(admission.guarded).toEqual(['a']);
    const bare = admit(PLAIN, ['a'], admission.guarded);
    expect([ask(bare, 'a'), ask(bare, 'a', 'token-a')]).toEqual(['unauthorized', 'unauthorized']);
    const common = admit(COMMON + PLAIN, ['a'], admission.guarded);
    expect([ask(common, 'a'), ask(common, 'a', 'token-common')]).toEqual(['unauthorized', 'in']);
    // It is remembered until it is configured again.
    expect(bare.guarded).toEqual(['a']);
    bare.prepare(configOf(`${PLAIN}${TABLE}name = "a"\n`))();
    expect(ask(bare, 'a')).toBe('in');
    expect(bare.guarded).toEqual([]);
  });
});

test('a group without tokens that is configured no more stays open for its holders', () => {
  const admission = admit(`${PLAIN}${B}${TABLE}name = "a"\n`);
  admission.prepare(configOf(PLAIN + B))();
  expect(ask(admission, 'a')).toBe('in');
});

test('nothing is in force before all of it is', () => {
  const admission = admit(PLAIN + A);
  const put = admission.prepare(configOf(PLAIN));
  expect(ask(admission, 'default', 'x')).toBe('in');
  expect(ask(admission, 'a')).toBe('unauthorized');
  put();
  const missing = configOf(`${PLAIN}service.token_path = "DIR/missing"\n`);
  expect(() => admission.prepare(missing)).toThrow(/missing does not exist/);
  expect(ask(admission, 'default')).toBe('in');
});

test('the ids of certificates are bound as they were at the start: that belongs to the listener', () => {
  const tls =
    'service.cert_path = "/c"\nservice.key_path = "/k"\nservice.client_ca_path = "/ca"\nservice.bind_client_ids = ';
  const bound = admit(`${tls}true\n`);
  bound.prepare(configOf(`${tls}false\n`))();
  expect(ask(bound, 'default', undefined, ['node-2'])).toBe('forbidden');
  const free = admit(`${tls}false\n`);
  free.prepare(configOf(`${tls}true\n`))();
  expect(ask(free, 'default', undefined, ['node-2'])).toBe('in');
});
