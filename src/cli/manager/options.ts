import { oneLine } from '../../base/text.ts';

/** The option that names the configuration of the manager. */
export const CONFIG = {
  type: 'string',
  value: 'FILE',
  help: 'configuration of the manager (default /etc/holdpoint/manager.toml)',
} as const;

/** The option that goes on with a damaged store. */
export const ACCEPT_DAMAGE = {
  type: 'boolean',
  help: 'go on with what is left of a damaged embedded store; see docs/manager-operations.md first',
} as const;

/** The options by which all commands find the manager. */
export const WHERE = {
  config: CONFIG,
  socket: {
    type: 'string',
    value: 'PATH',
    help: 'socket of a running manager (default: admin.socket of the configuration, and the store when none runs)',
  },
  'accept-damaged-store': ACCEPT_DAMAGE,
} as const;

/** The option that says why. */
export const REASON = { type: 'string', value: 'TEXT', help: 'why, for the history' } as const;

/** The group that is meant, where there is a default. */
export const GROUP = {
  type: 'string',
  value: 'GROUP',
  help: 'default: lock.default_group_name of the configuration',
} as const;

/** One group or all, where there is no default. */
export const ONE_OR_ALL = {
  group: { type: 'string', value: 'GROUP', help: 'one group' },
  all: { type: 'boolean', help: 'all groups' },
} as const;

/** The option that asks for JSON. */
export const JSON_OUTPUT = { type: 'boolean', help: 'print JSON' } as const;

/** Who works here, for the history: the user who called sudo, or the user, or the number of the user. */
export function administrator(env: Readonly<Record<string, string | undefined>>): string {
  const name = [env['SUDO_USER'], env['USER']].map((value) => oneLine(value ?? '', 128)).find((value) => value !== '');
  return name ?? `uid ${process.getuid?.() ?? '?'}`;
}
