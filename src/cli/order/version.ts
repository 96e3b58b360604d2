import type { Io, Positional } from '../command.ts';
import { EXIT } from '../command.ts';
import { complain, giveOrder, type OrderRun } from './give.ts';

/** The argument of commands about one version. */
export const VERSION_ARGUMENT: readonly Positional[] = [
  { name: 'VERSION', help: 'of a release, such as 44.20260707.3.1', required: true },
];

/** Orders something about the version that the command line names. */
export async function giveVersionOrder(
  name: 'skip' | 'unskip',
  { positionals }: { readonly positionals: readonly string[] },
  options: OrderRun['options'],
  io: Io,
): Promise<number> {
  const run: OrderRun = { name, options, io };
  const [version = ''] = positionals;
  const { isVersion } = await import('../../agent/dbus/names.ts');
  const { oneLine } = await import('../../base/text.ts');
  if (!isVersion(version))
    return complain(run, `'${oneLine(version, 80)}' is not the version of a release`, EXIT.usage);
  return giveOrder(run, { member: name === 'skip' ? 'Skip' : 'Unskip', signature: 's', body: [version] });
}
