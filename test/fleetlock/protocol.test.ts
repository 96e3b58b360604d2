import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { operationUrl, refusalText, requestBody, retryAfterMs } from '../../src/fleetlock/protocol.ts';

describe('operationUrl', () => {
  it.each([
    ['http://lock.example', 'http://lock.example/v1/pre-reboot'],
    ['http://lock.example/', 'http://lock.example/v1/pre-reboot'],
    ['https://lock.example:9090/fleet', 'https://lock.example:9090/fleet/v1/pre-reboot'],
    ['https://lock.example/fleet/', 'https://lock.example/fleet/v1/pre-reboot'],
    ['https://lock.example/a/b//', 'https://lock.example/a/b/v1/pre-reboot'],
    ['https://lock.example/%2e%20x/', 'https://lock.example/%20x/v1/pre-reboot'.replace('%20x', '%2e%20x')],
    ['http://[::1]:80/x', 'http://[::1]/x/v1/pre-reboot'],
  ])('%s: %s', (base, url) => {
    expect(operationUrl(base, 'pre-reboot').href).toBe(url);
    expect(operationUrl(base, 'steady-state').href).toBe(url.replace('pre-reboot', 'steady-state'));
  });

  it('throws for what is no URL', () => {
    expect(() => operationUrl('lock.example', 'pre-reboot')).toThrow();
  });
});

describe('requestBody', () => {
  it('is what the protocol asks for, whatever the texts', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (id, group) => {
        expect(JSON.parse(requestBody({ id, group }))).toEqual({ client_params: { id, group } });
      }),
    );
  });
});

describe('refusalText', () => {
  it.each([
    [423, '{"kind":"lock_held","value":"held by another"}', 'lock_held', 'HTTP 423: lock_held: held by another'],
    [
      500,
      '{"kind":"failed_lock","value":""}',
      'failed_lock',
      'HTTP 500: failed_lock: {"kind":"failed_lock","value":""}',
    ],
    [502, '<html>\n<h1>Bad Gateway</h1>', '', 'HTTP 502: <html> <h1>Bad Gateway</h1>'],
    [404, '', '', 'HTTP 404'],
    [500, 'null', '', 'HTTP 500: null'],
    [500, '{"kind":7,"value":["x"]}', '', 'HTTP 500: {"kind":7,"value":["x"]}'],
    [500, '{"kind":"a\\nb","value":"c\\u001b[31md"}', 'a b', 'HTTP 500: a b: c [31md'],
  ])('HTTP %s with %s', (status, body, kind, text) => {
    expect(refusalText(status, body)).toEqual({ kind, text });
  });

  it('is one short line of any body', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (body) => {
        const { text, kind } = refusalText(500, body);
        expect(`${text}${kind}`).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        expect(text.length).toBeLessThan(300);
      }),
    );
    expect(refusalText(500, 'x'.repeat(1e6)).text.length).toBeLessThan(300);
  });
});

describe('retryAfterMs', () => {
  const NOW = Date.UTC(2026, 6, 23, 14, 0, 0);
  const DAY = 86_400_000;

  it.each([
    [undefined, undefined],
    ['', undefined],
    ['soon', undefined],
    ['0', 0],
    ['120', 120_000],
    ['999999999', DAY],
    ['Thu, 23 Jul 2026 14:00:30 GMT', 30_000],
    ['Thu, 23 Jul 2026 13:00:00 GMT', 0],
    ['Fri, 23 Jul 2027 14:00:00 GMT', DAY],
  ])('%j: %s ms', (header, ms) => {
    expect(retryAfterMs(header, NOW)).toBe(ms);
  });

  it('is nothing, or a time from now to a day, for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String)), (header) => {
        const ms = retryAfterMs(header, NOW) ?? 0;
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(DAY);
      }),
    );
  });
});
