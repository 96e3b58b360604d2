import { expect, test } from 'vitest';
import { noBus } from '../../src/cli/agent-failure.ts';
import { EXIT } from '../../src/cli/command.ts';

/** A connection that failed with this code of the socket. */
function failed(code: string): Error {
  return new Error('no connection', { cause: Object.assign(new Error(code), { code }) });
}

test.each([
  ['EACCES', EXIT.denied],
  ['EPERM', EXIT.denied],
  ['ENOENT', EXIT.notRunning],
  ['ECONNREFUSED', EXIT.notRunning],
])('a bus that cannot be reached because of %s: status %i', async (code, exit) => {
  expect(await noBus(failed(code))).toMatchObject({ ok: false, exit });
});
