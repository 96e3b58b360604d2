import { expect, test } from 'vitest';
import { Sights } from '../../src/manager/sights.ts';
import { statusOf } from '../../src/manager/status.ts';
import { policies } from '../support/manager.ts';

test('a status says which rules others on the same store do not know', () => {
  const state = { groups: new Map(), fleet: { freeze: null } };
  const sights = new Sights(() => false);
  const around = { now: 0, policies: policies([]), sights, connected: () => false };
  const of = (kind: 'embedded' | 'etcd') => statusOf(state, { ...around, store: { kind, warnings: [] } }).store;
  expect(of('embedded')).toEqual({ kind: 'embedded', warnings: [], oursOnly: [] });
  expect(of('etcd').oursOnly).toEqual(expect.arrayContaining(['soak', 'freeze', 'order', 'windows']));
});
