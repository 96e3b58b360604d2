import { expect, test } from 'vitest';
import { proxyFor } from '../../src/base/proxy.ts';

const BOTH = { http_proxy: 'http://plain:3128', https_proxy: 'http://secure:3128' };

test.each<[string, Record<string, string | undefined>, string | null]>([
  ['http://example.org/', {}, null],
  ['http://example.org/', { http_proxy: undefined, HTTP_PROXY: '  ' }, null],
  ['http://example.org/', BOTH, 'http://plain:3128'],
  ['https://example.org/', BOTH, 'http://secure:3128'],
  ['https://example.org/', { HTTP_PROXY: 'http://plain:3128' }, null],
  ['http://example.org/', { HTTP_PROXY: 'upper:1', http_proxy: 'lower:1' }, 'http://lower:1'],
  ['http://example.org/', { HTTP_PROXY: 'upper:1' }, 'http://upper:1'],
  ['http://example.org/', { http_proxy: 'p', no_proxy: '*' }, null],
  ['http://example.org/', { http_proxy: 'p', NO_PROXY: 'a.test, example.org' }, null],
  ['http://www.Example.org/', { http_proxy: 'p', no_proxy: 'EXAMPLE.ORG' }, null],
  ['http://www.example.org/', { http_proxy: 'p', no_proxy: '.example.org' }, null],
  ['http://www.example.org/', { http_proxy: 'p', no_proxy: '*.example.org' }, null],
  ['http://badexample.org/', { http_proxy: 'p', no_proxy: 'example.org' }, 'http://p'],
  ['http://example.org/', { http_proxy: 'p', no_proxy: ' ,, ' }, 'http://p'],
  ['http://example.org/', { http_proxy: 'p', no_proxy: 'example.org:80' }, null],
  ['http://example.org:8080/', { http_proxy: 'p', no_proxy: 'example.org:80' }, 'http://p'],
  ['https://example.org/', { https_proxy: 'p', no_proxy: 'example.org:443' }, null],
  ['http://[fd00::1]/', { http_proxy: 'p', no_proxy: 'fd00::1' }, null],
  ['http://[fd00::1]:81/', { http_proxy: 'p', no_proxy: '[fd00::1]:80' }, 'http://p'],
])('%s with %j: %j', (url, environment, expected) => {
  expect(proxyFor(new URL(url), environment)).toBe(expected);
});
