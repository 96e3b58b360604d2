import { describe, expect, expectTypeOf, test } from 'vitest';
import { defineCommand, EXIT, type Command } from '../../src/cli/command.ts';
import { dispatch, findCommand } from '../../src/cli/dispatch.ts';
import { testIo } from './io.ts';

const seen: unknown[] = [];

const pause = defineCommand({
  name: 'pause',
  summary: 'Hold back reboots',
  details: 'Updates are still staged.',
  options: {
    for: { type: 'string', value: 'DURATION', short: 'f', help: 'how long' },
    tag: { type: 'string', multiple: true, help: 'a word, may be repeated' },
    format: { type: 'string', choices: ['text', 'json'], help: 'how to print' },
    now: { type: 'boolean', short: 'n', help: 'at once' },
  },
  positionals: [
    { name: 'REASON', help: 'why', required: true },
    { name: 'MORE', help: 'more words', many: true },
  ],
  exits: ['notRunning', 'failure'],
  run: ({ options, positionals }) => {
    expectTypeOf(options.for).toEqualTypeOf<string | undefined>();
    expectTypeOf(options.tag).toEqualTypeOf<readonly string[]>();
    expectTypeOf(options.format).toEqualTypeOf<'text' | 'json' | undefined>();
    expectTypeOf(options.now).toEqualTypeOf<boolean>();
    seen.push({ options, positionals });
    return Promise.resolve(EXIT.ok);
  },
});

function quiet(name: string, summary: string): Command {
  return defineCommand({
    name,
    summary,
    options: {},
    run: () => Promise.reject(new Error(`${name} went wrong`)),
  });
}

const COMMANDS = [
  quiet('config check', 'Check the configuration'),
  quiet('config show', 'Print the configuration'),
  pause,
  quiet('manager', 'Everything about the manager'),
  quiet('manager serve', 'Serve'),
];

async function run(...argv: string[]): Promise<{ status: number; out: string; err: string }> {
  const io = testIo();
  const status = await dispatch(COMMANDS, argv, io);
  return { status, out: io.out(), err: io.err() };
}

describe('a command line', () => {
  test('becomes typed options and arguments', async () => {
    seen.length = 0;
    const argv = ['pause', 'backup', '--for=2h', '-n', '--tag', 'a', 'b', '--tag', 'c', '--format', 'json', '--', '-x'];
    expect(await run(...argv)).toEqual({ status: 0, out: '', err: '' });
    expect(seen).toEqual([
      {
        options: { for: '2h', tag: ['a', 'c'], format: 'json', now: true },
        positionals: ['backup', 'b', '-x'],
      },
    ]);
  });

  test('what was not given is undefined, empty or false', async () => {
    seen.length = 0;
    await run('pause', 'backup');
    expect(seen).toEqual([
      { options: { for: undefined, tag: [], format: undefined, now: false }, positionals: ['backup'] },
    ]);
  });

  test.each([
    [['pause'], 'REASON is missing (why)'],
    [['pause', 'x', '--noww'], "unknown option '--noww', did you mean '--now'?"],
    [['pause', 'x', '-x'], "unknown option '-x'"],
    [['pause', 'x', '--for'], "option '-f, --for <value>' argument missing"],
    [['pause', 'x', '--now=yes'], "option '-n, --now' does not take an argument"],
    [['pause', 'x', '--format', 'xml'], "--format: expected text or json, found 'xml'"],
    [['pause', 'x', '--__proto__'], "unknown option '--__proto__'"],
    [['manager', 'x'], "unexpected argument 'x'"],
  ])('%j is refused', async (argv, message) => {
    const name = argv[0] ?? '';
    expect(await run(...argv)).toEqual({
      status: 2,
      out: '',
      err: `holdpoint ${name}: ${message}\nSee 'holdpoint ${name} --help'.\n`,
    });
  });

  test('an exception of a command is one line and status 1', async () => {
    expect(await run('manager')).toEqual({ status: 1, out: '', err: 'holdpoint manager: manager went wrong\n' });
  });
});

describe('finding a command', () => {
  test('the longest name wins, and options end the name', () => {
    expect(findCommand(COMMANDS, ['manager', 'serve', 'x'])).toMatchObject({ command: { name: 'manager serve' } });
    expect(findCommand(COMMANDS, ['manager', '--x', 'serve'])).toMatchObject({
      command: { name: 'manager' },
      rest: ['--x', 'serve'],
    });
  });

  test.each([
    [['paus'], 'paus', 'pause'],
    [['confg', 'check'], 'confg check', 'config check'],
    [['config', 'chekc'], 'config chekc', 'config check'],
    [['confg'], 'confg', 'config'],
    [['reboot'], 'reboot', null],
    [['--config-dir', 'x', 'config'], '--config-dir', null],
  ])('%j is unknown', async (argv, name, meant) => {
    const hint = meant === null ? '' : `, did you mean 'holdpoint ${meant}'?`;
    const { status, err } = await run(...argv);
    expect(status).toBe(2);
    expect(err).toContain(`unknown command '${name}`);
    expect(err).toContain(`${hint}\nSee 'holdpoint help'.\n`);
  });

  test('a group alone shows its commands, as a mistake unless help was asked for', async () => {
    const wrong = await run('config');
    const asked = await run('config', '--help');
    expect(wrong).toMatchObject({ status: 2, out: '' });
    expect(asked).toEqual({ status: 0, out: wrong.err, err: '' });
    expect(asked.out).toContain('config check');
    expect(asked.out).not.toContain('pause');
    expect(await run()).toMatchObject({ status: 2, out: '' });
  });
});

describe('help', () => {
  const text = `Usage: holdpoint pause [--for DURATION] [--tag TAG]... [--format text|json] [--now] REASON [MORE]...

Hold back reboots.
Updates are still staged.

Arguments:
  REASON  why
  MORE    more words

Options:
  -f, --for DURATION      how long
      --tag TAG           a word, may be repeated
      --format text|json  how to print
  -n, --now               at once
  -h, --help              print this text

Exit status:
   0  success
   1  the command failed
   2  the command line is wrong
   4  the agent or manager is not running
`;

  test.each([
    ['help', 'pause'],
    ['pause', '--help'],
    ['pause', '-h', 'x'],
  ])('%s %s', async (...argv) => {
    expect(await run(...argv)).toEqual({ status: 0, out: text, err: '' });
  });

  test('lists all commands', async () => {
    const { out, status } = await run('help');
    expect(status).toBe(0);
    for (const { name, summary } of COMMANDS) expect(out).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
    expect(await run('--help')).toMatchObject({ status: 0, out });
  });

  test('of something unknown is refused', async () => {
    expect(await run('help', 'pasue')).toMatchObject({ status: 2, out: '' });
  });

  test('the version', async () => {
    expect(await run('--version')).toEqual({ status: 0, out: 'holdpoint 0.0.0-test\n', err: '' });
  });
});
