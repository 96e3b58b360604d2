import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { Hangups } from '../../src/manager/hangups.ts';

test('SIGHUP is remembered before the program is ready, acted on while it runs, and told while it stops', () => {
  const source = new EventEmitter();
  const hangups = new Hangups(source);
  const done: string[] = [];
  source.emit('SIGHUP');
  source.emit('SIGHUP');
  hangups.ready(() => done.push('reload'));
  expect(done).toEqual(['reload']);
  source.emit('SIGHUP');
  expect(done).toEqual(['reload', 'reload']);
  hangups.over(() => done.push('told'));
  source.emit('SIGHUP');
  expect(done).toEqual(['reload', 'reload', 'told']);
  // Without a listener the next one would end the process.
  expect(source.listenerCount('SIGHUP')).toBe(1);
});

test('nothing is reloaded for nothing', () => {
  const source = new EventEmitter();
  const done: string[] = [];
  new Hangups(source).ready(() => done.push('reload'));
  expect(done).toEqual([]);
});
