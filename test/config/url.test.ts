import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { authorization } from '../../src/base/http-url.ts';
import { redactUrl } from '../../src/config/redact.ts';
import { parseToml } from '../../src/config/toml.ts';
import { expandTemplate, webUrl, type WebUrlOptions } from '../../src/config/url.ts';

const values = { basearch: 'x86_64', group: 'workers', platform: 'metal', stream: 'next-devel' };

describe('expandTemplate', () => {
  test.each([
    ['https://x/${stream}/${basearch}/${group}/${platform}/', 'https://x/next-devel/x86_64/workers/metal/'],
    ['https://${group}.x/${group}${group}', 'https://workers.x/workersworkers'],
    ['https://x/$stream/{stream}/${}', 'https://x/$stream/{stream}/${}'],
    ['https://x/${toString}/${__proto__}', 'https://x/${toString}/${__proto__}'],
  ])('%s', (template, expected) => {
    expect(expandTemplate(template, values)).toBe(expected);
  });

  test('a value cannot change the shape of the URL', () => {
    const stream = '../a?b#c d${group}';
    expect(expandTemplate('https://x/${stream}/y', { ...values, stream })).toBe(
      'https://x/..%2Fa%3Fb%23c%20d%24%7Bgroup%7D/y',
    );
  });
});

describe('redactUrl', () => {
  test.each([
    ['https://user:pass@host/path', 'https://***@host/path'],
    ['https://token@host:8443/', 'https://***@host:8443/'],
    ['https://user:p@ss@host', 'https://***@host'],
    ['https://user:pa/ss@host', 'https://***@host'],
    ['https://user:my pass@host', 'https://***@host'],
    ['https://user:pass@${group}.host/a', 'https://***@${group}.host/a'],
    ['https://12:34/5@host', 'https://***@host'],
    ['https://host/', 'https://host/'],
    ['user:pass@host/', '***@host/'],
    ['https:user:pass@host/', '***@host/'],
    ['HTTPS://user:pass@host/', 'HTTPS://***@host/'],
    ['workers@home', 'workers@home'],
    ['', ''],
  ])('%s', (url, expected) => {
    expect(redactUrl(url)).toBe(expected);
  });

  test('no part of a password is left', () => {
    const secret = fc.string({ minLength: 1 }).map((text) => `<${text}>`);
    fc.assert(
      fc.property(secret, fc.constantFrom('http', 'https', 'file', 'x'), (password, scheme) => {
        const shown = redactUrl(`${scheme}://node:${password}@lock.example.com/base`);
        expect(shown).toBe(`${scheme}://***@lock.example.com/base`);
      }),
    );
  });
});

describe('webUrl', () => {
  /** What is shown of a URL, or the problem with it. */
  const read = (url: string, options: WebUrlOptions): unknown => {
    const table = parseToml(`url = ${JSON.stringify(url)}`, 'x.toml');
    const value = 'severity' in table ? undefined : table.entries.get('url')?.value;
    const said: string[] = [];
    const decoded = value && webUrl(options).decode(value, (_, message) => said.push(message));
    if (decoded?.value !== undefined) expect(decoded.value).toBe(url);
    return decoded?.plain ?? said;
  };

  test.each([
    ['https://x', 'https://x', 'https://x', 'https://x'],
    ['https://x:1/', 'https://x:1/', 'https://x:1/', 'https://x:1/'],
    ['http://x/a/b', 'http://x/a/b', 'http://x/a/b', 'http://x/***'],
    ['https://x?a=b', null, 'https://x?***', 'https://x/***'],
    ['https://x/a?a=b@c', null, 'https://x/a?***', 'https://x/***'],
    ['https://x@x/a', 'https://***@x/a', 'https://***@x/a', 'https://***@x/***'],
    ['https://u:p@ss@x/a', 'https://***@x/a', 'https://***@x/a', 'https://***@x/***'],
  ])('shows %s as %s, %s or %s', (url, base, query, path) => {
    if (base !== null) expect(read(url, { use: 'base', hide: 'nothing' })).toBe(base);
    else expect(read(url, { use: 'base', hide: 'nothing' })).toEqual([expect.stringContaining("without '?'")]);
    expect(read(url, { use: 'whole', hide: 'query' })).toBe(query);
    expect(read(url, { use: 'whole', hide: 'path and query' })).toBe(path);
  });

  test.each(['', 'x', 'ftp://x', 'https:x', 'https://', 'https://a b/', 'https://x/#y', 'https://x/?#', '?'])(
    'refuses "%s"',
    (url) => {
      for (const use of ['base', 'whole'] as const) {
        expect(read(url, { use, hide: 'query' })).toEqual([expect.stringMatching(/^expected a URL /)]);
      }
    },
  );

  test.each(['https://node:100%sure@x/', 'https://100%@x/', 'https://node:%ff@x/', 'https://node:a%2@x/'])(
    'refuses "%s", with which no request could be sent',
    (url) => {
      const problem = [expect.stringMatching(/^the user name or password .* not percent-encoded correctly$/)];
      for (const use of ['base', 'whole'] as const) expect(read(url, { use, hide: 'query' })).toEqual(problem);
      expect(() => authorization(new URL(url))).toThrow('percent-encoded');
    },
  );

  test('takes every user and password with which a request can be sent', () => {
    const url = 'https://n%C3%B6de:100%25sure@x/';
    expect(read(url, { use: 'base', hide: 'nothing' })).toBe('https://***@x/');
    expect(authorization(new URL(url))['authorization']).toBe(
      `Basic ${Buffer.from('nöde:100%sure').toString('base64')}`,
    );
  });

  test('no secret is left, in a good URL or a bad one', () => {
    const secret = fc.string({ minLength: 4, unit: fc.constantFrom('q', 'Z', '@', '%', '&', '=') });
    const make = fc.constantFrom<(text: string) => string>(
      (text) => `https://hooks.example.com/services/${text}`,
      (text) => `https://hooks.example.com/?key=${text}`,
      (text) => `https://user:${text}@hooks.example.com/`,
      (text) => `htps://hooks.example.com/${text}`,
      (text) => `hooks.example.com/${text}`,
    );
    fc.assert(
      fc.property(secret, make, (text, write) => {
        const shown = JSON.stringify(read(write(text), { use: 'whole', hide: 'path and query' }));
        expect(shown).not.toMatch(/[qZ%&=]/);
      }),
    );
  });
});
