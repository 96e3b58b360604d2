// A process that uses an embedded store and says what came of it, one JSON object a line.
import { execFileSync } from 'node:child_process';
import { openEmbeddedStore } from '../../../src/manager/store/embedded.ts';
import { type Store, StoreError } from '../../../src/manager/store/store.ts';
import { BOUNDS, step } from './steps.ts';

const [mode = '', path = '', ...rest] = process.argv.slice(2);
const open = (): Promise<Store> => openEmbeddedStore({ path, clock: () => Date.now(), audit: BOUNDS });
/** Says something; what was not yet handed to the kernel would be lost when the process is killed. */
const say = (line: object): Promise<void> =>
  new Promise((resolve) => void process.stdout.write(`${JSON.stringify(line)}\n`, () => resolve()));

/** What came of a piece of work. */
async function outcome(work: () => Promise<unknown>): Promise<{ readonly result: string; readonly text?: string }> {
  try {
    return { result: String(await work()) };
  } catch (error) {
    return error instanceof StoreError ? { result: error.kind, text: error.message } : { result: String(error) };
  }
}

/** Bytes that a file of this process may have from now on. */
function limitFiles(bytes: string): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
}

const modes: Readonly<Record<string, () => Promise<void>>> = {
  /** Opens, and stays. */
  async hold() {
    await say(await outcome(open));
    setInterval(() => undefined, 1000);
  },
  /** Opens as somebody who is not root. */
  async stranger() {
    if (process.getuid?.() === 0) process.setuid?.(65_534);
    await say(await outcome(open));
  },
  /** Commits one step after the other, from the one whose index is given, until it is killed. */
  async endless() {
    const store = await open();
    for (let index = Number(rest[0]); ; index += 1) {
      if ((await store.commit(step(index), [])) === 'committed') await say({ committed: index });
    }
  },
  /** Commits steps with large documents, at first while no file may grow beyond a limit, and says what came of each. */
  async full() {
    const store = await open();
    limitFiles(rest[0] ?? '');
    for (let index = 0; index < 80; index += 1) {
      if (index === 60) limitFiles('unlimited');
      const before = store.state;
      const came = await outcome(() => store.commit(step(index, 1500), []));
      await say({ index, ...came, unchanged: store.state === before, problem: (await store.health()).problem });
    }
  },
  /** Nothing can be written at all for a while, not even to open the database anew. */
  async stuck() {
    const store = await open();
    const commit = (index: number): Promise<unknown> => store.commit(step(index), []);
    await say(await outcome(() => commit(0)));
    const before = store.state;
    limitFiles('0');
    await say(await outcome(() => commit(1)));
    await say({ unchanged: store.state === before, problem: (await store.health()).problem });
    await say(await outcome(() => store.refresh([])));
    await say(await outcome(() => store.writeNote('n', 'x')));
    await say(await outcome(() => store.history({ most: 1 })));
    limitFiles('unlimited');
    await say(await outcome(() => store.refresh([])));
    await say({ unchanged: store.state === before, problem: (await store.health()).problem });
    await say(await outcome(() => commit(2)));
    await store.close();
  },
};
await modes[mode]?.();
