import { oneLine } from '../base/text.ts';
import { defineCommand, EXIT, type Command } from './command.ts';

/** `holdpoint hook exec`: what runs in the unit of a hook. */
const exec = defineCommand({
  name: 'hook exec',
  summary: 'Run one hook, as its unit does',
  details: 'Started by holdpoint-hook@.service on behalf of the agent; see docs/hooks.md.',
  internal: true,
  positionals: [{ name: 'EVENT:NAME', help: 'the hook', required: true }],
  options: {
    dir: { type: 'string', value: 'DIR', help: 'folder of the hooks (default /etc/holdpoint/hooks.d)' },
    'run-dir': { type: 'string', value: 'DIR', help: "the agent's run folder (default /run/holdpoint)" },
  },
  exits: ['failure', 'notNow'],
  run: async ({ options, positionals: [instance = ''] }, io) => {
    const [{ EXEC_STATUS, execHook }, { parseInstance }, { systemdNotify }] = await Promise.all([
      import('../hooks/exec.ts'),
      import('../hooks/event.ts'),
      import('../host/notify.ts'),
    ]);
    const hook = parseInstance(instance);
    if (hook === null) {
      io.stderr('holdpoint hook exec: EVENT:NAME is expected, such as pre-reboot:10-drain\n');
      return EXIT.usage;
    }
    const end = await execHook(hook, {
      dir: options.dir ?? '/etc/holdpoint/hooks.d',
      runDir: options['run-dir'] ?? '/run/holdpoint',
      onOutput: (chunk) => io.stdout(chunk.toString()),
    });
    if (end.kind === 'passed') return EXIT.ok;
    // It may have parts from the agent or from the hook, while whoever reads this takes each line for one of root's.
    const text = oneLine(end.text);
    io.stderr(`holdpoint hook exec: ${instance}: ${text}\n`);
    // The agent reads the reason from the unit; without it, it still learns the status.
    if ((io.env['NOTIFY_SOCKET'] ?? '') !== '') {
      await new Promise<void>((resolve) => systemdNotify(io.env)([`STATUS=${text}`], () => resolve()));
    }
    return EXEC_STATUS[end.kind];
  },
});

/** `holdpoint hook …` */
export const hookCommands: readonly Command[] = [exec];
