import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Access, createAccess, OPEN_ACCESS } from '../../../src/manager/http/access.ts';
import { certificateNames, presentedToken } from '../../../src/manager/http/credentials.ts';
import { tokensIn } from '../../../src/manager/tokens.ts';
import { requestText } from './raw-client.ts';
import { start } from './start.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdpoint-access-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const COMMON = file('common', '# for all\n\ncommon-token\n');
const WORKERS = file('workers', 'workers-1\n  workers-2  \r\n');
const CANARIES = file('canaries', 'canary:with:colons');

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function answer(
  access: Access,
  authorization: string | undefined,
  group: string,
  names: readonly string[] = [],
): string {
  return access.check({ authorization, names: () => names }, { id: 'node-1', group })?.kind ?? 'in';
}

describe('a token', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer   abc ', 'abc'],
    [basic('user', 'abc'), 'abc'],
    [basic('', 'abc'), 'abc'],
    [basic('user', 'a:b:c'), 'a:b:c'],
    [basic('user', 'päss'), 'päss'],
    [basic('abc', ''), null],
    [`Basic ${Buffer.from('abc').toString('base64')}`, null],
    ['Basic %%%', null],
    ['Basic', null],
    ['Bearer', null],
    ['Bearer ', null],
    ['Bearer a b', null],
    ['Digest abc', null],
    ['abc', null],
    ['', null],
    [undefined, null],
  ])('in %j is %j', (header, token) => expect(presentedToken(header)).toBe(token));

  it('is found whatever the user', () => {
    const printable = fc.string({ unit: 'grapheme-composite' });
    fc.assert(
      fc.property(printable, printable, (user, token) => {
        fc.pre(!user.includes(':') && token !== '');
        expect(presentedToken(basic(user, token))).toBe(token);
      }),
    );
  });

  it('is one of the lines of a file that are neither empty nor a comment', () => {
    expect(tokensIn('\n# no\n a \r\nb#c\n #d\n\te')).toEqual(['a', 'b#c', 'e']);
  });
});

describe('tokens', () => {
  const groups = [
    { name: 'workers', tokenPath: WORKERS },
    { name: 'canaries', tokenPath: CANARIES },
    { name: 'open', tokenPath: null },
  ];
  const config = { tokenPath: null, groups, openUnlisted: false, bindClientIds: false };

  it('are not asked for where there are none', () => {
    const access = createAccess({ ...config, groups: [{ name: 'open', tokenPath: null }] });
    expect(access).toBe(OPEN_ACCESS);
    expect(answer(access, undefined, 'whatever')).toBe('in');
  });

  it('of a group are good for it alone; a group that is not there is answered as if it had some', () => {
    const access = createAccess(config);
    const asked = (authorization?: string): readonly string[] =>
      ['workers', 'canaries', 'open', 'unknown'].map((group) => answer(access, authorization, group));
    const NO = 'unauthorized';
    expect(asked()).toEqual([NO, NO, 'in', NO]);
    expect(asked('Bearer workers-1')).toEqual(['in', NO, 'in', NO]);
    expect(asked(basic('x', 'workers-2'))).toEqual(['in', NO, 'in', NO]);
    expect(asked(basic('x', 'canary:with:colons'))).toEqual([NO, 'in', 'in', NO]);
    expect(asked('Bearer workers-')).toEqual([NO, NO, 'in', NO]);
    expect(asked('Bearer # for all')).toEqual([NO, NO, 'in', NO]);
  });

  it('of the service are good for every group, beside its own', () => {
    const access = createAccess({ ...config, tokenPath: COMMON });
    const asked = (authorization?: string): readonly string[] =>
      ['workers', 'open', 'unknown'].map((group) => answer(access, authorization, group));
    const NO = 'unauthorized';
    expect(asked()).toEqual([NO, NO, NO]);
    expect(asked('Bearer common-token')).toEqual(['in', 'in', 'in']);
    expect(asked('Bearer workers-1')).toEqual(['in', NO, NO]);
  });

  it('are not asked for of groups that are made on demand, unless the service has some', () => {
    expect(answer(createAccess({ ...config, openUnlisted: true }), undefined, 'new')).toBe('in');
    expect(answer(createAccess({ ...config, openUnlisted: true }), undefined, 'workers')).toBe('unauthorized');
    expect(answer(createAccess({ ...config, openUnlisted: true, tokenPath: COMMON }), undefined, 'new')).toBe(
      'unauthorized',
    );
  });

  it('of a group that is configured no more are good for those who hold its slots, and for nobody else', () => {
    const digest = createAccess(config).guardOf('workers');
    let holders = ['gone', 'open-once', 'unknown-now'];
    const hasHolders = (group: string): boolean => holders.includes(group);
    const guards = new Map([
      ['gone', digest],
      ['open-once', null],
      ['unknown-now', []],
    ]);
    const leftOver = { guards, hasHolders };
    const asked = (more: object, authorization?: string): readonly string[] =>
      ['gone', 'open-once', 'unknown-now'].map((group) =>
        answer(createAccess({ ...config, leftOver, ...more }), authorization, group),
      );
    const NO = 'unauthorized';
    expect(asked({})).toEqual([NO, 'in', NO]);
    expect(asked({}, 'Bearer workers-1')).toEqual(['in', 'in', NO]);
    expect(asked({ groups: [] })).toEqual([NO, 'in', NO]);
    expect(asked({ groups: [], openUnlisted: true })).toEqual([NO, 'in', NO]);
    expect(asked({ tokenPath: COMMON })).toEqual([NO, NO, NO]);
    expect(asked({ tokenPath: COMMON }, 'Bearer common-token')).toEqual(['in', 'in', 'in']);
    expect(asked({ tokenPath: COMMON }, 'Bearer workers-1')).toEqual(['in', NO, NO]);
    holders = [];
    expect(asked({}, 'Bearer workers-1')).toEqual([NO, NO, NO]);
    expect(asked({ openUnlisted: true })).toEqual(['in', 'in', 'in']);
  });

  it('refuse in the same words whoever asks and whatever for', () => {
    const access = createAccess(config);
    const check = (authorization: string | undefined, group: string): unknown =>
      access.check({ authorization, names: () => [] }, { id: 'x', group });
    expect(check('Bearer workers-1', 'canaries')).toEqual(check(undefined, 'unknown'));
  });

  it.each([
    ['that is not there', join(folder, 'absent'), /absent does not exist/],
    ['without a token', file('empty', '# nothing\n\n'), /empty has no token/],
    ['that is too large', file('large', 'x\n'.repeat(40_000)), /large: larger than 65536 bytes/],
    ['that is a folder', folder, /not a regular file/],
  ])('in a file %s let nobody in: there is no access at all', (_, tokenPath, message) => {
    expect(() => createAccess({ ...config, tokenPath })).toThrow(message);
    expect(() => createAccess({ ...config, groups: [{ name: 'a', tokenPath }] })).toThrow(message);
  });
});

describe('the names in a certificate', () => {
  it.each([
    [[], undefined, []],
    [['node-1'], undefined, ['node-1']],
    [['a', 'b'], 'DNS:node-1, URI:urn:x, IP Address:10.0.0.1, email:a@b', ['a', 'b', 'node-1', 'urn:x']],
    [[], 'URI:"urn:a\\u002c DNS:victim", DNS:b', ['urn:a, DNS:victim', 'b']],
    [[], 'DNS:"broken\\x", DNS:b', ['b']],
    [[''], 'DNS:', []],
  ] as const)('%j and %j are %j', (common, alternatives, names) => {
    expect(certificateNames(common, alternatives)).toEqual(names);
  });

  it('bind the id where that is wanted, once the token is right', () => {
    const bound = { tokenPath: COMMON, groups: [], openUnlisted: false, bindClientIds: true };
    const access = createAccess(bound);
    expect(answer(access, undefined, 'a', ['node-1'])).toBe('unauthorized');
    expect(answer(access, 'Bearer common-token', 'a', ['node-2', 'node-1'])).toBe('in');
    expect(answer(access, 'Bearer common-token', 'a', ['NODE-1', 'node-10'])).toBe('forbidden');
    expect(answer(createAccess({ ...bound, tokenPath: null }), undefined, 'a')).toBe('forbidden');
  });
});

describe('over the wire', () => {
  it('401 tells what may be shown, and a change of tokens holds from the next request on', async () => {
    const path = file('changing', 'first\n');
    const read = (): Access => createAccess({ tokenPath: path, groups: [], openUnlisted: false, bindClientIds: false });
    let access = read();
    const { client, manager, counted, logged } = await start({ access: () => access });
    const one = await client();
    const status = async (authorization: string): Promise<number> => {
      one.send(requestText('pre-reboot', { headers: { authorization } }));
      return (await one.answer()).status;
    };
    one.send(requestText('pre-reboot'));
    const refused = await one.answer();
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Basic realm="fleetlock", Bearer']);
    expect(manager.calls).toEqual([]);
    expect(counted).toEqual(['pre-reboot', 'workers pre-reboot unauthorized']);
    expect(await status('Bearer first')).toBe(200);
    file('changing', 'second\n');
    access = read();
    expect(await status('Bearer first')).toBe(401);
    expect(await status(basic('anybody', 'second'))).toBe(200);
    expect(logged.join('')).not.toMatch(/first|second/);
  });
});
