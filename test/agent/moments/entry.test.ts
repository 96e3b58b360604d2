import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Teller, entryOf } from '../../../src/agent/moments/entry.ts';
import { MESSAGE_IDS } from '../../../src/agent/moments/message-ids.ts';
import type { Moment } from '../../../src/agent/moments/moment.ts';
import { NOTICE_VERSION, noticeOf } from '../../../src/agent/moments/notice.ts';
import { MOMENTS } from '../../../src/config/moment-names.ts';

const ROOT = join(import.meta.dirname, '../../..');
const TELLER: Teller = { nodeId: '978a225b3d7b40e9acd7ce9b62f68444', host: 'node1', group: 'workers' };
const BACK: Moment = {
  event: 'back',
  at: Date.UTC(2026, 6, 23, 14, 2),
  level: 'info',
  booted: '42.2',
  target: '42.2',
  from: '42.1',
  cause: null,
  reason: null,
  since: Date.UTC(2026, 6, 23, 14),
  text: 'this host is back',
};

test('an entry of the journal', () => {
  expect(entryOf(BACK, TELLER)).toBe(
    [
      `MESSAGE_ID=${MESSAGE_IDS.back}`,
      'MESSAGE=this host is back',
      'PRIORITY=6',
      'SYSLOG_IDENTIFIER=holdpoint-moment',
      'HOLDPOINT_EVENT=back',
      'HOLDPOINT_NODE=978a225b3d7b40e9acd7ce9b62f68444',
      'HOLDPOINT_GROUP=workers',
      'HOLDPOINT_BOOTED=42.2',
      'HOLDPOINT_TARGET=42.2',
      'HOLDPOINT_FROM=42.1',
      'HOLDPOINT_SINCE=1784815200',
      '',
    ].join('\n'),
  );
});

test('no value makes a field of its own', () => {
  const text = fc.string({ unit: 'binary', maxLength: 60 });
  fc.assert(
    fc.property(text, text, text, fc.option(text), (said, reason, booted, cause) => {
      const entry = entryOf({ ...BACK, text: `x${said}\nPRIORITY=0`, reason, booted, cause }, TELLER);
      const names = entry.split(/\r\n|[\n\r\u2028\u2029]/).map((line) => line.split('=')[0]);
      expect(names.filter((name) => name === 'PRIORITY')).toHaveLength(1);
      expect(
        names.every((name) => /^(MESSAGE(_ID)?|PRIORITY|SYSLOG_IDENTIFIER|HOLDPOINT_[A-Z]+|)$/.test(name ?? '')),
      ).toBe(true);
      expect(new Set(names).size).toBe(names.length);
    }),
  );
});

test('each moment has an id of its own, in the documentation and in the catalogue', () => {
  const ids = Object.values(MESSAGE_IDS);
  expect(new Set(ids).size).toBe(MOMENTS.length);
  expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
  const catalogue = readFileSync(join(ROOT, 'systemd/holdpoint.catalog'), 'utf8');
  expect([...catalogue.matchAll(/^-- (.*)$/gm)].map(([, id]) => id)).toEqual(ids);
  const operations = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  for (const moment of MOMENTS) {
    expect(operations).toMatch(new RegExp(`^\\| \`${moment}\` +\\| .*\\| \`${MESSAGE_IDS[moment]}\` +\\|$`, 'm'));
  }
});

test('a notice for a webhook', () => {
  const text = '[${event}] ${host} (${group}): ${booted} ${target}${reason} ${text}';
  expect(JSON.parse(noticeOf(BACK, TELLER, text))).toEqual({
    version: NOTICE_VERSION,
    source: 'holdpoint-agent',
    event: 'back',
    node: '978a225b3d7b40e9acd7ce9b62f68444',
    host: 'node1',
    group: 'workers',
    at: '2026-07-23T14:02:00Z',
    since: '2026-07-23T14:00:00Z',
    booted: '42.2',
    target: '42.2',
    from: '42.1',
    cause: null,
    reason: null,
    text: '[back] node1 (workers): 42.2 42.2 this host is back',
  });
});

test('what a server said is not looked at for variables', () => {
  const notice = noticeOf({ ...BACK, text: '${host}\n$& $1', reason: '${text}' }, TELLER, '${reason}: ${text}');
  expect((JSON.parse(notice) as { text: string }).text).toBe('${text}: ${host} $& $1');
});
