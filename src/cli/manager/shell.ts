import { oneLine } from '../../base/text.ts';

const PLAIN = /^[\w.:@%+=,/-]+$/;

/**
 * A word as a shell (bash, zsh, ksh, busybox) takes it, fit for one line of a terminal: quoted where it must be, with
 * escapes where it could not be shown.
 */
export function shellWord(word: string): string {
  if (PLAIN.test(word)) return word;
  if (oneLine(word, Infinity) === word) return `'${word.replaceAll("'", "'\\''")}'`;
  const bytes = [...Buffer.from(word)].map((byte) => {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c;
    // Octal, always three digits: after hexadecimal ones a digit that follows would count as one of them.
    return isPlain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `$'${bytes.join('')}'`;
}

/** A command line of words, of which the last ones are no options whatever they begin with. */
export function commandLine(words: readonly string[], operands: readonly string[] = []): string {
  const guard = operands.some((word) => word.startsWith('-')) ? ['--'] : [];
  return [...words, ...guard, ...operands].map(shellWord).join(' ');
}

/** The id of a host in a table: as it is, or, where it could not be shown or told from another, as a shell takes it. */
export function shownId(id: string): string {
  return oneLine(id !== '' && oneLine(id, Infinity) === id ? id : shellWord(id), 64);
}
