import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { packageRoot } from './base/package-root.ts';
import { serveBare } from './bench/bare-server.ts';
import { generateLoad, type LoadPlan } from './bench/load.ts';
import { benchManager } from './bench/manager.ts';

/** The flags that the unit gives to Node. */
const FLAGS = ['--max-semi-space-size=8', '--max-old-space-size=512'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    clients: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string', default: '' },
    flags: { type: 'string', default: FLAGS.join(' ') },
  },
});
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

const [role, plan = '{}'] = positionals;
if (role === 'bare') print(String(await serveBare()));
else if (role === 'load') {
  print(JSON.stringify(await generateLoad(JSON.parse(plan) as LoadPlan, () => print('measuring'))));
} else process.stdout.write(await conduct());

async function conduct(): Promise<string> {
  const { quick } = values;
  const [clients, rounds, seconds] = [
    (values.clients ?? (quick ? '1,64' : '1,8,64,512')).split(',').map(Number),
    Number(values.rounds ?? (quick ? 1 : 3)),
    Number(values.seconds ?? (quick ? 1 : 3)),
  ];
  const flags = values.flags.split(' ').filter((flag) => flag !== '');
  const withEtcd = spawnSync('etcd', ['--version']).status === 0;
  if (!withEtcd) say('bench: there is no etcd here; what needs one is left out');
  say(
    `bench: Node ${process.version} ${flags.join(' ')}, ${seconds} s each, ${rounds} rounds (--quick, --clients N,N,…,`,
  );
  say('       --rounds N, --seconds N, --only embedded, "--flags=FLAGS OF NODE")');
  return benchManager({
    programs: {
      self: [process.execPath, `${packageRoot()}/dist/bench-manager.js`],
      holdpoint: [process.execPath, ...flags, `${packageRoot()}/dist/holdpoint.js`],
    },
    clients,
    rounds,
    warmUpMs: quick ? 300 : 1000,
    measureMs: seconds * 1000,
    only: values.only,
    withEtcd,
    say,
  });
}
