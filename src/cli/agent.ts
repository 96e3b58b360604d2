import { CONFIG_DIR } from './config.ts';
import { LOG_OPTIONS } from './log-options.ts';
import { defineCommand, EXIT, type Command } from './command.ts';

/** Milliseconds in which what is under way may end by itself once the agent has stopped. */
const LAST_MS = 500;

/** `holdpoint agent`: the daemon of one host. */
export const agentCommand: Command = defineCommand({
  name: 'agent',
  summary: 'Run the agent of this host',
  details:
    'Meant to be started by systemd. SIGHUP reads the configuration again; SIGTERM and SIGINT stop, after a slot that is held has been given back.',
  options: {
    'config-dir': CONFIG_DIR,
    'state-dir': { type: 'string', value: 'DIR', help: 'what outlives a restart (default /var/lib/holdpoint)' },
    'run-dir': { type: 'string', value: 'DIR', help: 'what ends with the boot (default /run/holdpoint)' },
    'bus-address': { type: 'string', value: 'ADDRESS', help: 'D-Bus address in place of the system bus' },
    root: {
      type: 'string',
      value: 'DIR',
      help: 'read what belongs to this host, its hooks too, below DIR (default /)',
    },
    ...LOG_OPTIONS,
  },
  exits: ['failure', 'configuration'],
  run: async ({ options }, io) => {
    const { startAgent } = await import('../agent/start.ts');
    const dirs = options['config-dir'];
    const code = await startAgent({
      ...(dirs.length === 0 ? {} : { configDirs: dirs }),
      stateDir: options['state-dir'] ?? '/var/lib/holdpoint',
      runDir: options['run-dir'] ?? '/run/holdpoint',
      ...(options['bus-address'] === undefined ? {} : { busAddress: options['bus-address'] }),
      root: options.root ?? '/',
      logFormat: options['log-format'] ?? 'text',
      logLevel: options['log-level'] ?? 'info',
      env: io.env,
      write: io.stderr,
    });
    // What is stalled (a transaction, a server) must not keep the process: whoever told it to stop is waiting.
    setTimeout(() => process.exit(EXIT[code]), LAST_MS).unref();
    return EXIT[code];
  },
});
