// kill -9 under load: no acknowledged grant is lost, no slot is given twice, the audit is complete. `npm run test:soak`
// does the same for longer: HOLDPOINT_KILLS says how often.
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { AuditRecord } from '../../src/manager/document.ts';
import { startEtcd } from '../support/etcd.ts';
import { LockLoad } from '../support/lock-load.ts';
import { type ManagerProcess, startManager } from '../support/manager-process.ts';

const KILLS = Number(process.env['HOLDPOINT_KILLS'] ?? 8);
const LIMIT = { timeout: 30_000 + KILLS * 8_000 };
const [GROUP, SLOTS, NODES] = ['g', 4, 24];
/** Milliseconds for which everything runs between two kills, at most. */
const MOST_CALM_MS = 250;
/** The audit keeps everything; the store's silence is answered for soon, since the nodes ask again. */
const CONFIG = `
service.decision_timeout_ms = 1000
lock.audit_max_records = 1000000
[[lock.groups]]
name = "${GROUP}"
slots = ${SLOTS}
`;

async function manager(etcd?: readonly string[]): Promise<ManagerProcess> {
  const process = await startManager({ config: CONFIG, ...(etcd === undefined ? {} : { etcd }) });
  onTestFinished(() => process.remove());
  return process;
}

/** Puts load on managers, does something bad to them again and again, and looks at what came of it. */
async function survive(managers: readonly ManagerProcess[], harm: (time: number) => Promise<void>): Promise<void> {
  const ports = managers.map(({ port }) => port);
  const load = new LockLoad({ group: GROUP, slots: SLOTS, nodes: NODES, ports, waits: true });
  // What is asked for at once is bounded: the newest records are collected after each kill.
  const records = new Map<number, AuditRecord>();
  const collect = async (): Promise<void> => {
    for (const record of await managers[0]!.history()) records.set(record.number, record);
  };
  for (let time = 0; time < KILLS; time += 1) {
    await setTimeout(Math.random() * MOST_CALM_MS);
    await harm(time);
    for (const each of managers) await load.checkHolders(() => each.holders(GROUP));
    await collect();
    expect(load.violations).toEqual([]);
  }
  await load.stop();
  for (const each of managers) expect(await each.holders(GROUP)).toEqual([]);
  await collect();
  load.checkHistory([...records.values()].toSorted((a, b) => a.number - b.number));
  expect(load.violations).toEqual([]);
  // Else nothing was shown.
  expect(load.grants).toBeGreaterThan(KILLS);
  expect(load.lost).toBeGreaterThan(0);
}

test('a manager that is killed under load loses no grant and gives no slot twice', LIMIT, async () => {
  const one = await manager();
  await survive([one], async () => {
    await one.kill();
    await one.start();
  });
});

test(
  'two managers and their etcd, killed in turn under load, lose no grant and give no slot twice',
  LIMIT,
  async () => {
    const etcd = await startEtcd();
    onTestFinished(() => etcd.stop());
    const managers = [await manager(etcd.endpoints), await manager(etcd.endpoints)];
    await survive(managers, async (time) => {
      const victim = time % 2 === 0 ? etcd : managers[(time >>> 1) % 2]!;
      await victim.kill();
      await victim.start();
    });
  },
);
