import { emptyMemory, openMemoryStore } from '../../../src/manager/store/memory.ts';
import { storeContract } from './contract.ts';

storeContract(
  'memory',
  ({ clock, audit }) => {
    const data = emptyMemory();
    const open = (): ReturnType<typeof openMemoryStore> => openMemoryStore(data, clock, audit);
    return Promise.resolve({
      store: open(),
      another: () => Promise.resolve(open()),
      reopen: () => Promise.resolve(open()),
      end: () => Promise.resolve(),
    });
  },
  { runs: 100, without: ['corrupt'] },
);
