import { type Programs, runLoad, type Served, startBare, startEtcd, startManager } from './children.ts';
import type { LoadPlan, LoadResult } from './load.ts';
import { cpuOf, mostRssOf } from './process.ts';
import { grid, median, ms } from './table.ts';

/** What is measured, and for how long. */
export interface ManagerBench {
  readonly programs: Programs;
  /** Closed-loop clients. */
  readonly clients: readonly number[];
  /** How often everything is measured; the table shows the round in the middle. */
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Only what has this in its name is measured, and the bare server. */
  readonly only: string;
  /** Without it, etcd and what needs it is left out. */
  readonly withEtcd: boolean;
  readonly say: (text: string) => void;
}

const SUBJECTS = [
  'bare node:http',
  'embedded, own',
  'embedded, shared',
  'etcd, own',
  'etcd, shared',
  'raw etcd',
] as const;
type Subject = (typeof SUBJECTS)[number];

interface Measured extends LoadResult {
  readonly perSecond: number;
  /** Beside the bare server in the same round. */
  readonly ratio: number;
  readonly rssMb: number;
  /** Microseconds of CPU for each accepted request: of the server, of etcd behind it. */
  readonly cpuMicros: number;
  readonly etcdMicros: number;
  /** Of one processor, that the generator used. */
  readonly generatorShare: number;
}

const HEAD = [
  ...['clients', 'server, groups', 'accepted/s', '× bare', 'p50', 'p99', 'errors'],
  ...['most RSS', 'µs/op', 'etcd µs/op', 'generator CPU'],
];

/** Measures operations that change something, each durable before its answer, and returns a table for people. */
export async function benchManager(bench: ManagerBench): Promise<string> {
  const rows = [HEAD];
  for (const clients of bench.clients) {
    const rounds: ReadonlyMap<Subject, Measured>[] = [];
    for (let round = 0; round < bench.rounds; round += 1) rounds.push(await measureAll(bench, clients));
    for (const subject of SUBJECTS) {
      const measured = rounds.flatMap((round) => round.get(subject) ?? []);
      if (measured.length > 0) rows.push(rowOf(clients, subject, middle(measured)));
    }
  }
  return grid(rows);
}

/** One round. What is compared is measured within seconds. */
async function measureAll(bench: ManagerBench, clients: number): Promise<ReadonlyMap<Subject, Measured>> {
  const results = new Map<Subject, Measured>();
  let bareRate = Number.NaN;
  for (const subject of SUBJECTS.filter((each) => isWanted(each, bench))) {
    const plan: LoadPlan = {
      port: 0,
      kind: subject === 'raw etcd' ? 'transactions' : 'locks',
      clients,
      ownGroups: !subject.includes('shared'),
      warmUpMs: bench.warmUpMs,
      measureMs: bench.measureMs,
    };
    bench.say(`bench: ${clients} clients, ${subject} …`);
    const measured = await measure(bench, subject, plan, bareRate);
    if (subject === 'bare node:http') bareRate = measured.perSecond;
    results.set(subject, { ...measured, ratio: measured.perSecond / bareRate });
    if (measured.errors > 0) bench.say(`bench: errors: ${measured.kinds}`);
  }
  return results;
}

function isWanted(subject: Subject, { only, withEtcd }: ManagerBench): boolean {
  return subject === 'bare node:http' || (subject.includes(only) && (withEtcd || !subject.includes('etcd')));
}

async function measure(bench: ManagerBench, subject: Subject, plan: LoadPlan, bareRate: number): Promise<Measured> {
  const etcd = subject.includes('etcd') ? await startEtcd() : null;
  try {
    const server = await startSubject(bench.programs, subject, plan, etcd);
    try {
      return await underLoad(bench.programs, server, plan, bareRate);
    } finally {
      if (server !== etcd) await server.stop();
    }
  } finally {
    await etcd?.stop();
  }
}

async function startSubject(
  programs: Programs,
  subject: Subject,
  plan: LoadPlan,
  etcd: Served | null,
): Promise<Served> {
  if (subject === 'bare node:http') return startBare(programs);
  if (subject === 'raw etcd' && etcd !== null) return etcd;
  return startManager(programs, plan, etcd);
}

async function underLoad(programs: Programs, server: Served, plan: LoadPlan, bareRate: number): Promise<Measured> {
  const { pid, port, helper } = server;
  let before = { generator: 0, server: 0, helper: 0 };
  let generator = 0;
  const used = (): typeof before => ({
    generator: cpuOf(generator),
    server: cpuOf(pid),
    helper: helper === undefined ? 0 : cpuOf(helper),
  });
  const text = await runLoad(programs, { ...plan, port }, (pidOfLoad) => {
    generator = pidOfLoad;
    before = used();
  });
  const after = used();
  const result = JSON.parse(text) as LoadResult;
  const micros = (key: 'server' | 'helper'): number => ((after[key] - before[key]) * 1000) / result.accepted;
  const perSecond = result.accepted / result.seconds;
  return {
    ...result,
    perSecond,
    ratio: perSecond / bareRate,
    rssMb: mostRssOf(pid),
    cpuMicros: micros('server'),
    etcdMicros: micros('helper'),
    generatorShare: (after.generator - before.generator) / 1000 / result.seconds,
  };
}

/** The figures in the middle, each for itself; errors are added up. */
function middle(measured: readonly Measured[]): Measured {
  const [first] = measured;
  if (first === undefined) throw new Error('nothing was measured');
  const of = (key: keyof Measured): number => median(measured.map((each) => Number(each[key])));
  return {
    ...first,
    errors: measured.reduce((sum, { errors }) => sum + errors, 0),
    perSecond: of('perSecond'),
    ratio: of('ratio'),
    p50: of('p50'),
    p99: of('p99'),
    rssMb: of('rssMb'),
    cpuMicros: of('cpuMicros'),
    etcdMicros: of('etcdMicros'),
    generatorShare: of('generatorShare'),
  };
}

function rowOf(clients: number, subject: Subject, measured: Measured): string[] {
  return [
    String(clients),
    subject,
    String(Math.round(measured.perSecond)),
    measured.ratio.toFixed(2),
    ms(measured.p50),
    ms(measured.p99),
    String(measured.errors),
    `${Math.round(measured.rssMb)} MB`,
    String(Math.round(measured.cpuMicros)),
    measured.etcdMicros > 0 ? String(Math.round(measured.etcdMicros)) : '',
    `${Math.round(measured.generatorShare * 100)} %`,
  ];
}
