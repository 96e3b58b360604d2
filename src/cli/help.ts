import { EXIT, EXIT_HELP, type Command, type Exit, type Option } from './command.ts';

/** The usage line of a command, without `Usage:`. */
export function usage(command: Command): string {
  const options = Object.entries(command.options).map(([name, option]) => {
    return `[${optionWord(name, option)}]${option.multiple === true ? '...' : ''}`;
  });
  const positionals = (command.positionals ?? []).map(({ name, required, many }) => {
    return `${required === true ? name : `[${name}]`}${many === true ? '...' : ''}`;
  });
  return ['holdpoint', command.name, ...options, ...positionals].join(' ');
}

/** The help text of one command. */
export function help(command: Command): string {
  const options = Object.entries(command.options).map(([name, option]) => {
    return [`${option.short === undefined ? '    ' : `-${option.short}, `}${optionWord(name, option)}`, option.help];
  });
  const exits: readonly Exit[] = ['ok', 'usage', ...(command.exits ?? [])];
  const paragraphs = [
    `Usage: ${usage(command)}`,
    `${command.summary}.${command.details === undefined ? '' : `\n${command.details}`}`,
    section(
      'Arguments',
      (command.positionals ?? []).map(({ name, help }) => [name, help]),
    ),
    section('Options', [...options, ['-h, --help', 'print this text']]),
    section('Exit status', exitRows(exits)),
  ];
  return `${paragraphs.filter((paragraph) => paragraph !== '').join('\n\n')}\n`;
}

/** The help text of all commands, or of those in one group (`config`). */
export function overview(commands: readonly Command[], group = ''): string {
  const words = ['holdpoint', ...(group === '' ? [] : [group])].join(' ');
  const paragraphs = [
    `Usage: ${words} COMMAND [OPTIONS]`,
    section(
      'Commands',
      commands.filter(({ internal }) => group !== '' || internal !== true).map(({ name, summary }) => [name, summary]),
    ),
    `'${words} COMMAND --help' says more about one of them.`,
  ];
  return `${paragraphs.join('\n\n')}\n`;
}

function optionWord(name: string, { type, value, choices }: Option): string {
  return type === 'boolean' ? `--${name}` : `--${name} ${choices?.join('|') ?? value ?? name.toUpperCase()}`;
}

function exitRows(exits: readonly Exit[]): string[][] {
  return exits.toSorted((a, b) => EXIT[a] - EXIT[b]).map((exit) => [String(EXIT[exit]).padStart(2), EXIT_HELP[exit]]);
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const width = Math.max(...rows.map(([left = '']) => left.length));
  return `${title}:\n${rows.map(([left = '', right = '']) => `  ${left.padEnd(width)}  ${right}`).join('\n')}`;
}
