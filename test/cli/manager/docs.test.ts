import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EXIT } from '../../../src/cli/command.ts';
import { dispatch } from '../../../src/cli/dispatch.ts';
import { managerCommands } from '../../../src/cli/manager/index.ts';
import { commandLine } from '../../../src/cli/manager/shell.ts';
import { statusText } from '../../../src/cli/manager/status-text.ts';
import { createAdminHandler } from '../../../src/manager/admin/handler.ts';
import { openAdminSocket } from '../../../src/manager/admin/listen.ts';
import { OPERATIONS } from '../../../src/manager/admin/orders.ts';
import { HISTORY, STATUS_SCHEMA } from '../../../src/manager/admin/wire.ts';
import { fakeManager, temporaryFolder } from '../../support/manager-fake.ts';
import { AT, DAY, fleet, group, holder, HOUR, IDS, MINUTE, waiter } from '../../support/manager-status.ts';
import { testIo } from '../io.ts';

const docs = readFileSync(join(import.meta.dirname, '../../../docs/manager-operations.md'), 'utf8');

test('the status that is shown is a status', () => {
  const [a, b, c] = IDS;
  const status = fleet([
    group('workers', {
      slots: 2,
      holders: [holder(a, 10 * MINUTE), holder(b, 3 * DAY + 4 * HOUR, { stale: true })],
      waiters: [waiter(c, 12 * MINUTE, { connected: true })],
    }),
  ]);
  const look = {
    command: (words: readonly string[], operands?: readonly string[]) =>
      commandLine(['holdpoint', 'manager', ...words], operands),
    mark: (text: string) => text,
  };
  const lines = statusText(status, look).replaceAll(/^(?=.)/gm, '    ');
  expect(docs).toContain(`    $ holdpoint manager status\n${lines}`);
});

/** The command lines in the code blocks, as words. */
const COMMANDS = [...docs.matchAll(/^ {3,4}holdpoint (manager .*)$/gm)].map(([, line = '']) =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain = '']) => quoted ?? plain),
);

test('there are commands', () => expect(COMMANDS.length).toBeGreaterThan(7));

test.each(COMMANDS.map((words) => [words.join(' '), words] as const))('%s is understood', async (_, words) => {
  const path = join(temporaryFolder(), 'admin.sock');
  const now = (): number => AT;
  const listener = await openAdminSocket(path, createAdminHandler(fakeManager(), { token: null, now }));
  onTestFinished(() => listener.close(0));
  const io = testIo({ USER: 'anna' });
  // What lay ahead when this was written is past some day.
  const later = words.map((word) => word.replace(/^2026-/, '2099-'));
  const status = await dispatch(managerCommands(), [...later, '--socket', path], io);
  expect(status, io.err()).toBe(EXIT.ok);
});

test('every action, order, mark and exit status is explained', () => {
  const actions = /"enum":(\["granted"[^\]]*\])/.exec(JSON.stringify(HISTORY.schema))?.[1] ?? '[]';
  for (const action of JSON.parse(actions) as string[]) expect(docs).toContain(`\`${action}\``);
  for (const operation of OPERATIONS) expect(docs).toContain(`\`POST /v1/${operation}\``);
  const exits = new Set(['ok', 'usage', ...managerCommands().flatMap((command) => command.exits ?? [])] as const);
  expect(exits.size).toBeGreaterThan(5);
  for (const exit of exits) expect(docs).toMatch(new RegExp(`^\\| ${EXIT[exit]} `, 'm'));
  for (const mark of ['STALE', 'HALTED', 'FROZEN', 'CLOSED', 'NO SLOTS', 'UNREADABLE'])
    expect(docs).toContain(`\`[${mark}]\``);
  expect(docs).toContain('(manager-status.schema.json)');
  expect(STATUS_SCHEMA['title']).toContain('version 1');
});
