import { expect, test } from 'vitest';
import { demoCommand } from '../../src/cli/demo.ts';
import { testIo } from './io.ts';

test.each([
  [['--hosts', '0'], "--hosts: expected a number from 1 to 20, found '0'"],
  [['--hosts', '21'], "--hosts: expected a number from 1 to 20, found '21'"],
  [['--hosts', 'two'], "--hosts: expected a number from 1 to 20, found 'two'"],
  [['--hosts', '3', '--slots', '4'], "--slots: expected a number from 1 to 3, found '4'"],
  [['--slots', '1.5'], "--slots: expected a number from 1 to 3, found '1.5'"],
  [['--hops', '-1'], ''],
  [['--hops=-1'], "--hops: expected a number from 1 to 1000, found '-1'"],
  [['--store', 'paper'], "--store: expected embedded or etcd, found 'paper'"],
  [['--hops', '2', '--from', '43.20260217.3.1'], '--from and --hops exclude each other'],
  [['--hosts', '1', '--slots', '1'], '--slots: a single host needs no lock manager'],
  [['--hosts', '1', '--store', 'etcd'], '--store: a single host needs no lock manager'],
] as const)('demo %j is refused: %s', async (argv, problem) => {
  const io = testIo();
  expect(await demoCommand.run(argv, io)).toBe(2);
  expect(io.err()).toContain(`holdpoint demo: ${problem}`);
  expect(io.out()).toBe('');
});
