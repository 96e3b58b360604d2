import { afterAll, beforeAll } from 'vitest';
import type { Store } from '../../../src/manager/store/store.ts';
import { type EtcdOptions, openEtcdStore } from '../../../src/manager/store/etcd.ts';
import { startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { storeContract } from './contract.ts';

let etcd: TestEtcd;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.stop());

storeContract('etcd', async ({ clock, audit }) => {
  await etcd.clear();
  const opened: Store[] = [];
  const options: EtcdOptions = {
    endpoints: etcd.endpoints,
    clock: () => ({ wall: clock(), mono: 0 }),
    audit,
    onWarning: () => undefined,
  };
  const open = async (): Promise<Store> => {
    const store = await openEtcdStore(options);
    opened.push(store);
    return store;
  };
  return {
    store: await open(),
    another: open,
    reopen: open,
    corrupt: (group, text) => etcd.put(`io.github.holdpoint/groups/${group}`, text),
    end: async () => {
      await Promise.all(opened.map((store) => store.close()));
    },
  };
});
