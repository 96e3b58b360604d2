import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redactUrl } from '../../src/config/redact.ts';
import { expandTemplate } from '../../src/config/url.ts';

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
