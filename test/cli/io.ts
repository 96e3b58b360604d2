import type { Io } from '../../src/cli/command.ts';

/** An outside for commands that keeps what they print. */
export interface TestIo extends Io {
  readonly out: () => string;
  readonly err: () => string;
}

/** A fresh outside, not a terminal, with an empty environment unless one is given. */
export function testIo(env: Readonly<Record<string, string>> = {}): TestIo {
  const [out, err]: [string[], string[]] = [[], []];
  return {
    stdout: (text) => void out.push(text),
    stderr: (text) => void err.push(text),
    env,
    isTTY: false,
    columns: () => undefined,
    out: () => out.join(''),
    err: () => err.join(''),
  };
}
