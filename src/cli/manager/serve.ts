import { Hangups } from '../../manager/hangups.ts';
import { defineCommand, EXIT, type Command } from '../command.ts';
import { LOG_OPTIONS } from '../log-options.ts';
import { ACCEPT_DAMAGE, CONFIG } from './options.ts';

/** `holdpoint manager serve`: the lock manager itself. */
export const serveCommand: Command = defineCommand({
  name: 'manager serve',
  summary: 'Run the lock manager',
  details:
    'Meant to be started by systemd or as a container. SIGHUP reads the configuration again; SIGTERM and SIGINT stop, after those who wait have been answered.',
  options: {
    config: CONFIG,
    'accept-damaged-store': ACCEPT_DAMAGE,
    ...LOG_OPTIONS,
  },
  exits: ['failure', 'configuration'],
  run: async ({ options }, io) => {
    // Before anything that takes time.
    const hangups = new Hangups(process);
    const { createNotifier } = await import('../../host/notify.ts');
    const { serveManager } = await import('../../manager/serve.ts');
    const outcome = await serveManager({
      configPath: options.config ?? null,
      acceptDamage: options['accept-damaged-store'],
      logFormat: options['log-format'] ?? 'text',
      logLevel: options['log-level'] ?? 'info',
      env: io.env,
      write: io.stderr,
      hangups,
      notifier: createNotifier(io.env, (error) => io.stderr(`holdpoint manager serve: ${error.message}\n`)),
    });
    return EXIT[outcome];
  },
});
