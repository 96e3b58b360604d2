import { parseArgs } from 'node:util';
import { nearest, oneLine } from '../base/text.ts';

/** Exit statuses of every command. Scripts rely on them: none changes its meaning. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  configuration: 3,
  notRunning: 4,
  denied: 5,
  notNow: 75,
  nothingToDo: 77,
} as const;

/** Name of an exit status. */
export type Exit = keyof typeof EXIT;

/** What each exit status means, for help texts and manual pages. */
export const EXIT_HELP: Readonly<Record<Exit, string>> = {
  ok: 'success',
  failure: 'the command failed',
  usage: 'the command line is wrong',
  configuration: 'the configuration has errors',
  notRunning: 'the agent or manager is not running',
  denied: 'permission denied',
  notNow: 'not now, but later perhaps',
  nothingToDo: 'there is nothing to do',
};

/** The outside of a command: tests pass their own, `main` passes the process. */
export interface Io {
  /** Writes text as it is; lines end with a newline. */
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether stdout is a terminal. */
  readonly isTTY: boolean;
  /** How many characters a line of that terminal has now; undefined where stdout is none. */
  readonly columns: () => number | undefined;
  /** How many lines it has now; left out, or undefined, where stdout is none. */
  readonly rows?: () => number | undefined;
}

/** One option of a command. */
export interface Option {
  readonly type: 'string' | 'boolean';
  /** One line without a full stop. */
  readonly help: string;
  /** One letter. */
  readonly short?: string;
  /** The word that stands for the value in help texts: `DIR`, `FILE`. Default: the option's name in capitals. */
  readonly value?: string;
  /** May be given several times; the values keep their order. */
  readonly multiple?: boolean;
  /** The only values accepted. */
  readonly choices?: readonly string[];
}

/** The options of a command by their long names. */
export type Options = Readonly<Record<string, Option>>;

/** One argument of a command that is not an option. */
export interface Positional {
  /** The word that stands for it in help texts, in capitals. */
  readonly name: string;
  readonly help: string;
  readonly required?: boolean;
  /** Takes all the arguments that are left; only for the last one. */
  readonly many?: boolean;
}

type Value<O extends Option> = O extends { type: 'boolean' }
  ? boolean
  : O extends { multiple: true }
    ? readonly string[]
    : O extends { choices: readonly (infer Choice)[] }
      ? Choice | undefined
      : string | undefined;

/** A command line that has been checked. Options that were not given are `false`, `[]` or `undefined`. */
export interface Args<O extends Options> {
  readonly options: { readonly [Name in keyof O]: Value<O[Name]> };
  readonly positionals: readonly string[];
}

interface Description {
  /** As typed after `holdpoint`, words separated by one space: `config check`. */
  readonly name: string;
  /** One line without a full stop. */
  readonly summary: string;
  /** More lines for the help text, if the summary does not say it all. */
  readonly details?: string;
  readonly positionals?: readonly Positional[];
  /** Exit statuses besides `ok` and `usage`. */
  readonly exits?: readonly Exit[];
  /** Not for people: left out of the list of all commands. */
  readonly internal?: boolean;
}

/** A command as its author writes it. */
export interface CommandSpec<O extends Options> extends Description {
  readonly options: O;
  /** Does the work and resolves with the exit status. Load what is costly in here, with `import()`. */
  readonly run: (args: Args<O>, io: Io) => Promise<number>;
}

/** A command in the table: what it says about itself, and a `run` that takes the raw command line. */
export interface Command extends Description {
  readonly options: Options;
  /** Parses the arguments after the command's name, answers `--help`, complains (exit 2) or does the work. */
  readonly run: (argv: readonly string[], io: Io) => Promise<number>;
}

/** Turns a specification with typed options into an entry of the command table. */
export function defineCommand<const O extends Options>(spec: CommandSpec<O>): Command {
  const command: Command = {
    ...spec,
    run: async (argv, io) => {
      const parsed = parseCommandLine(spec, argv);
      if ('problem' in parsed) {
        io.stderr(`holdpoint ${spec.name}: ${parsed.problem}\nSee 'holdpoint ${spec.name} --help'.\n`);
        return EXIT.usage;
      }
      if (parsed.help) {
        const { help } = await import('./help.ts');
        io.stdout(help(command));
        return EXIT.ok;
      }
      return spec.run(parsed.args, io);
    },
  };
  return command;
}

type Parsed<O extends Options> = { readonly problem: string } | { readonly help: boolean; readonly args: Args<O> };

function parseCommandLine<O extends Options>(spec: CommandSpec<O>, argv: readonly string[]): Parsed<O> {
  const options: Options = { ...spec.options, help: { type: 'boolean', short: 'h', help: '' } };
  let parsed: Lenient;
  try {
    parsed = parseArgs({ args: [...argv], options: nodeOptions(options), allowPositionals: true, strict: true });
  } catch (error) {
    return { problem: parseProblem(error, argv, options) };
  }
  if (parsed.values['help'] === true) return { help: true, args: toArgs(spec.options, parsed) };
  const problem = choiceProblem(options, parsed.values) ?? countProblem(spec.positionals ?? [], parsed.positionals);
  return problem === null ? { help: false, args: toArgs(spec.options, parsed) } : { problem };
}

interface Lenient {
  readonly values: Readonly<Record<string, undefined | boolean | string | readonly (boolean | string)[]>>;
  readonly positionals: readonly string[];
}

/** Node's parser takes no unknown fields, and no field that is undefined. */
function nodeOptions(
  options: Options,
): Record<string, { type: 'string' | 'boolean'; multiple: boolean; short?: string }> {
  const entries = Object.entries(options).map(([name, { type, multiple = false, short }]) => {
    return [name, short === undefined ? { type, multiple } : { type, multiple, short }] as const;
  });
  return Object.fromEntries(entries);
}

function toArgs<O extends Options>(options: O, parsed: Lenient): Args<O> {
  const values = Object.entries(options).map(([name, { type, multiple }]) => {
    return [name, parsed.values[name] ?? (type === 'boolean' ? false : multiple === true ? [] : undefined)] as const;
  });
  // Node's parser has just checked against the same table that the type is computed from.
  return { options: Object.fromEntries(values) as Args<O>['options'], positionals: parsed.positionals };
}

/** Node's first sentence says what is wrong; what follows is advice that rarely fits. */
function parseProblem(error: unknown, argv: readonly string[], options: Options): string {
  const text = error instanceof Error ? error.message : String(error);
  const sentence = oneLine(text.split(/\. |\n/)[0] ?? text).replace(/\.$/, '');
  const unknown = /^Unknown option '(--?)([^']*)'/.exec(sentence);
  const problem = sentence.charAt(0).toLowerCase() + sentence.slice(1);
  if (unknown?.[1] !== '--' || !argv.some((arg) => arg.startsWith('--'))) return problem;
  const near = nearest(unknown[2] ?? '', Object.keys(options));
  return near === null ? problem : `${problem}, did you mean '--${near}'?`;
}

function choiceProblem(options: Options, values: Lenient['values']): string | null {
  for (const [name, { choices }] of Object.entries(options)) {
    const given = values[name];
    const wrong = [given ?? []].flat().find((value) => choices?.includes(String(value)) === false);
    if (wrong !== undefined) {
      return `--${name}: expected ${(choices ?? []).join(' or ')}, found '${oneLine(String(wrong))}'`;
    }
  }
  return null;
}

function countProblem(expected: readonly Positional[], found: readonly string[]): string | null {
  const missing = expected.slice(found.length).find((positional) => positional.required);
  if (missing !== undefined) return `${missing.name} is missing (${missing.help})`;
  const extra = found[expected.length];
  return extra === undefined || expected.at(-1)?.many === true ? null : `unexpected argument '${oneLine(extra)}'`;
}
