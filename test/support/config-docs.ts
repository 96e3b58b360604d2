import type { Key, KeyTable } from '../../src/config/keys.ts';
import { toTomlValue } from '../../src/config/show.ts';

/**
 * Markdown with a section for every key between the comments `<!-- NAME: … -->` and `<!-- end of NAME -->`. Throws when
 * there are no such comments.
 */
export function documentKeys(markdown: string, name: string, keys: KeyTable, table = ''): string {
  const between = new RegExp(`(<!-- ${name}: .* -->\n)[^]*(<!-- end of ${name} -->\n)`);
  if (!between.test(markdown)) throw new Error(`no <!-- ${name}: … --> and <!-- end of ${name} -->`);
  const sections = Object.entries<Key<unknown>>(keys).map(([path, key]) => describeKey(path, key, table));
  return markdown.replace(between, (_, start: string, end: string) => `${start}\n${sections.join('\n')}\n${end}`);
}

function describeKey(path: string, { type, plain, adds, doc }: Key<unknown>, table: string): string {
  const title = adds ? `[[${table}${path}]]` : path;
  const fallback = adds ? 'none' : plain === null ? 'unset' : `\`${toTomlValue(plain)}\``;
  const accepts = type.expected.replaceAll(/"[^"]*"/g, '`$&`').replaceAll(/'[^']'|\w+:\/\//g, '`$&`');
  return `### \`${title}\`\n\n${doc}\n\n- Value: ${accepts}\n- Default: ${fallback}\n`;
}

/** The TOML examples of a Markdown file. */
export function tomlBlocks(markdown: string): string[] {
  return [...markdown.matchAll(/```toml\n([^]*?)```/g)].map(([, block = '']) => block);
}
