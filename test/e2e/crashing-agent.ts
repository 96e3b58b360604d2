// The agent, killed without warning just before its nth effect. What is on disk then is what the next start finds.
import { readFileSync, writeFileSync } from 'node:fs';
import { startAgent } from '../../src/agent/start.ts';

const argument = (name: string): string => {
  const prefix = `--${name}=`;
  return process.argv.find((one) => one.startsWith(prefix))?.slice(prefix.length) ?? '';
};

/** The file with the number of effects that this host's agent may still begin, over all its processes. */
const budget = process.env['EFFECTS_LEFT'] ?? '';

await startAgent({
  configDirs: [argument('config-dir')],
  stateDir: argument('state-dir'),
  runDir: argument('run-dir'),
  busAddress: argument('bus-address'),
  root: argument('root'),
  logFormat: 'json',
  logLevel: 'debug',
  env: process.env,
  write: (text) => void process.stderr.write(text),
  beforeEffect: ({ kind }) => {
    if (kind === 'wake') return;
    const left = Number(readFileSync(budget, 'utf8'));
    if (left === 0) {
      writeFileSync(budget, '-1');
      process.kill(process.pid, 'SIGKILL');
    }
    if (left > 0) writeFileSync(budget, String(left - 1));
  },
});
