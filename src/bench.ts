import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { benchAgent } from './bench/agent.ts';
import { benchGraphs } from './bench/graphs.ts';
import { median, type Row, table } from './bench/table.ts';
import { packageRoot } from './base/package-root.ts';

/** The flags that the unit gives to Node. */
const FLAGS = ['--max-semi-space-size=1'];

const { values } = parseArgs({
  options: {
    idle: { type: 'string', default: '60' },
    runs: { type: 'string', default: '7' },
  },
});
const [idleSecs, runs] = [Number(values.idle), Number(values.runs)];
const say = (text: string): void => void process.stderr.write(`${text}\n`);

say(`bench: Node ${process.version}, ${runs} starts, ${idleSecs} s idle (--runs N, --idle SECONDS)`);
const program = [process.execPath, ...FLAGS, `${packageRoot()}/dist/holdpoint.js`] as const;
const bareStart = median(await repeat(runs, startOfBareNode));
const rows: Row[] = await benchAgent({ program, runs, idleSecs, bareStart, flags: FLAGS, say });
rows.push(...benchGraphs(packageRoot()));
process.stdout.write(table(rows));

/** Milliseconds from spawn to the first line of a Node process that does nothing else. */
async function startOfBareNode(): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [...FLAGS, '-e', "process.stderr.write('up\\n')"], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [line] = await Promise.all([
    new Promise<number>((resolve) =>
      createInterface(child.stderr).once('line', () => resolve(performance.now() - started)),
    ),
    new Promise((resolve) => child.once('exit', resolve)),
  ]);
  return line;
}

async function repeat(times: number, measure: () => Promise<number>): Promise<number[]> {
  const results: number[] = [];
  for (let run = 0; run < times; run += 1) results.push(await measure());
  return results;
}
