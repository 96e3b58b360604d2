import { errorText, nearest, oneLine } from '../base/text.ts';
import { VERSION } from '../base/version.ts';
import { EXIT, type Command, type Io } from './command.ts';

/** What a command line names: one command and the arguments for it, a group of commands, or neither. */
export type Found =
  | { readonly kind: 'command'; readonly command: Command; readonly rest: readonly string[] }
  | { readonly kind: 'group'; readonly name: string; readonly commands: readonly Command[] }
  | { readonly kind: 'unknown'; readonly name: string; readonly suggestion: string | null };

/** Finds the command with the longest name at the start of the command line. */
export function findCommand(commands: readonly Command[], argv: readonly string[]): Found {
  const options = argv.findIndex((word) => word.startsWith('-'));
  const words = options === -1 ? argv : argv.slice(0, options);
  const byLength = commands.toSorted((a, b) => b.name.length - a.name.length);
  const command = byLength.find(({ name }) => startsWithWords(words, name.split(' ')));
  if (command !== undefined) return { kind: 'command', command, rest: argv.slice(command.name.split(' ').length) };
  const group = words.join(' ');
  const members = commands.filter(({ name }) => group === '' || name.startsWith(`${group} `));
  if (members.length > 0 && (group !== '' || argv.length === 0))
    return { kind: 'group', name: group, commands: members };
  return unknown(commands, words.length === 0 ? argv : words);
}

/** The command line is compared with each name and group over as many words as that one has. */
function unknown(commands: readonly Command[], words: readonly string[]): Found {
  const names = new Set(commands.flatMap(({ name }) => [name, ...groups(name)]));
  const most = Math.max(...[...names].map((name) => name.split(' ').length));
  const typed = Array.from({ length: Math.min(most, words.length) }, (_, index) => words.slice(0, index + 1).join(' '));
  for (const text of typed.toReversed()) {
    const suggestion = nearest(text, names);
    if (suggestion !== null) return { kind: 'unknown', name: text, suggestion };
  }
  return { kind: 'unknown', name: typed[0] ?? '', suggestion: null };
}

/** The groups that a command is in: `a b c` is in `a b` and `a`. */
function groups(name: string): string[] {
  const parent = name.slice(0, Math.max(0, name.lastIndexOf(' ')));
  return parent === '' ? [] : [parent, ...groups(parent)];
}

function startsWithWords(words: readonly string[], name: readonly string[]): boolean {
  return name.every((word, index) => words[index] === word);
}

/**
 * Runs the command that a command line names and resolves with the exit status. Also answers `help [COMMAND]`,
 * `--help` and `--version`. An exception of a command becomes one line on stderr and exit status 1.
 */
export async function dispatch(commands: readonly Command[], argv: readonly string[], io: Io): Promise<number> {
  const [first, ...others] = argv;
  if (first === '--version' || first === '-V') {
    io.stdout(`holdpoint ${VERSION}\n`);
    return EXIT.ok;
  }
  if (first === 'help' || first === '--help' || first === '-h') return showHelp(commands, others, io);
  const found = findCommand(commands, argv);
  if (found.kind === 'command') return runCommand(found.command, found.rest, io);
  if (found.kind === 'unknown') return complain(found, io);
  const asked = argv.includes('--help') || argv.includes('-h');
  const { overview } = await import('./help.ts');
  (asked ? io.stdout : io.stderr)(overview(found.commands, found.name));
  return asked ? EXIT.ok : EXIT.usage;
}

async function runCommand(command: Command, argv: readonly string[], io: Io): Promise<number> {
  try {
    return await command.run(argv, io);
  } catch (error) {
    io.stderr(`holdpoint ${command.name}: ${errorText(error)}\n`);
    return EXIT.failure;
  }
}

async function showHelp(commands: readonly Command[], argv: readonly string[], io: Io): Promise<number> {
  const found = findCommand(commands, argv);
  if (found.kind === 'unknown') return complain(found, io);
  const { help, overview } = await import('./help.ts');
  io.stdout(found.kind === 'command' ? help(found.command) : overview(found.commands, found.name));
  return EXIT.ok;
}

function complain({ name, suggestion }: { name: string; suggestion: string | null }, io: Io): number {
  const hint = suggestion === null ? '' : `, did you mean 'holdpoint ${suggestion}'?`;
  io.stderr(`holdpoint: unknown command '${oneLine(name, 80)}'${hint}\nSee 'holdpoint help'.\n`);
  return EXIT.usage;
}
