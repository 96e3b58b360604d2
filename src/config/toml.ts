import { parseTOML, type AST } from 'toml-eslint-parser';
import { oneLine } from '../base/text.ts';
import { problem, wholeFile, type Origin, type Problem } from './problem.ts';

/** Largest TOML file that is read, in bytes. */
export const MAX_FILE_BYTES = 65_536;
/** Deepest nesting of tables and arrays. */
const MAX_DEPTH = 16;

interface Scalar<Type extends string, Value> {
  readonly type: Type;
  readonly value: Value;
  readonly at: Origin;
}

/** A TOML number; `text` is how it stands in the file. */
export interface TomlNumber extends Scalar<'integer' | 'float', number> {
  readonly text: string;
}

/** A TOML array; an array of tables too. */
export interface TomlArray {
  readonly type: 'array';
  readonly items: readonly TomlValue[];
  readonly at: Origin;
}

/** A TOML table. Entries are in a map, so that no key (`__proto__`) has a meaning in the language. */
export interface TomlTable {
  readonly type: 'table';
  readonly entries: ReadonlyMap<string, TomlEntry>;
  readonly at: Origin;
}

/** A key of a table: where the key stands, and its value. */
export interface TomlEntry {
  readonly keyAt: Origin;
  readonly value: TomlValue;
}

/** A TOML value and where it stands. Dates keep their text; an integer beyond 2^53 loses its last digits. */
export type TomlValue =
  Scalar<'string' | 'date or time', string> | TomlNumber | Scalar<'boolean', boolean> | TomlArray | TomlTable;

/** Parses TOML 1.0 text. The first syntax error ends it: what follows one cannot be trusted. */
export function parseToml(text: string, file: string): TomlTable | Problem {
  const source = text.startsWith('\ufeff') ? text.slice(1) : text;
  const broken = source.indexOf('\ufffd');
  if (broken !== -1) return problem(placeOf(source, broken, file), 'this is not valid UTF-8');
  try {
    return new Builder(file).build(parseTOML(source, { tomlVersion: '1.0' }).body[0]);
  } catch (error) {
    if (error instanceof TooDeep) return problem(error.at, `nested deeper than ${MAX_DEPTH} levels`);
    // The parser is recursive; its stack ends at some thousand levels, without a position.
    if (error instanceof RangeError) return problem(wholeFile(file), `nested deeper than ${MAX_DEPTH} levels`);
    return syntaxProblem(error, source, file);
  }
}

class TooDeep extends Error {
  readonly at: Origin;
  constructor(at: Origin) {
    super();
    this.at = at;
  }
}

interface OpenTable {
  readonly type: 'table';
  readonly entries: Map<string, TomlEntry>;
  readonly at: Origin;
}

/** Turns the syntax tree of one file into tables. The parser has already refused keys that are defined twice. */
class Builder {
  readonly #file: string;
  constructor(file: string) {
    this.#file = file;
  }

  build(top: AST.TOMLTopLevelTable): TomlTable {
    const root = this.#table(top);
    for (const node of top.body) {
      if (node.type === 'TOMLKeyValue') this.#set(root, node, 0);
      else this.#section(root, node);
    }
    return root;
  }

  #section(root: OpenTable, node: AST.TOMLTable): void {
    const keys = this.#path(node.key, 0);
    const parent = node.kind === 'array' ? this.#descend(root, keys.slice(0, -1)) : this.#descend(root, keys);
    const last = keys.at(-1);
    const table = node.kind === 'array' && last !== undefined ? this.#append(parent, last, node) : parent;
    for (const entry of node.body) this.#set(table, entry, keys.length);
  }

  #append(parent: OpenTable, key: PathStep, node: AST.TOMLTable): OpenTable {
    const table = this.#table(node);
    const before = parent.entries.get(key.name);
    const items = before?.value.type === 'array' ? before.value.items : [];
    const at = before?.value.at ?? table.at;
    parent.entries.set(key.name, {
      keyAt: before?.keyAt ?? key.at,
      value: { type: 'array', items: [...items, table], at },
    });
    return table;
  }

  #set(table: OpenTable, { key, value }: AST.TOMLKeyValue, depth: number): void {
    const path = this.#path(key, depth);
    const last = path.at(-1);
    if (last === undefined) return;
    const parent = this.#descend(table, path.slice(0, -1));
    parent.entries.set(last.name, { keyAt: last.at, value: this.#value(value, depth + path.length) });
  }

  /** Walks down, making tables on the way; in an array of tables the last one is meant. */
  #descend(from: OpenTable, path: readonly PathStep[]): OpenTable {
    let table = from;
    for (const { name, at } of path) {
      const value = table.entries.get(name)?.value;
      const next = value?.type === 'array' ? value.items.at(-1) : value;
      const found = isOpenTable(next) ? next : null;
      const child: OpenTable = found ?? { type: 'table', entries: new Map(), at };
      if (found === null) table.entries.set(name, { keyAt: at, value: child });
      table = child;
    }
    return table;
  }

  #value(node: AST.TOMLContentNode, depth: number): TomlValue {
    const at = this.#at(node);
    if (depth > MAX_DEPTH) throw new TooDeep(at);
    if (node.type === 'TOMLArray') {
      return { type: 'array', items: node.elements.map((element) => this.#value(element, depth + 1)), at };
    }
    if (node.type === 'TOMLInlineTable') {
      const table = this.#table(node);
      for (const entry of node.body) this.#set(table, entry, depth + 1);
      return table;
    }
    switch (node.kind) {
      case 'string':
        return { type: 'string', value: node.value, at };
      case 'boolean':
        return { type: 'boolean', value: node.value, at };
      case 'integer':
      case 'float':
        return { type: node.kind, value: node.value, text: node.number, at };
      case 'offset-date-time':
      case 'local-date-time':
      case 'local-date':
      case 'local-time':
        return { type: 'date or time', value: node.datetime, at };
    }
  }

  #path(key: AST.TOMLKey, depth: number): PathStep[] {
    const steps = key.keys.map((part) => {
      return { name: part.type === 'TOMLBare' ? part.name : part.value, at: this.#at(part) };
    });
    if (depth + steps.length > MAX_DEPTH) throw new TooDeep(this.#at(key));
    return steps;
  }

  #table(node: AST.TOMLNode): OpenTable {
    return { type: 'table', entries: new Map(), at: this.#at(node) };
  }

  #at({ loc }: AST.TOMLNode): Origin {
    return { file: this.#file, line: loc.start.line, column: loc.start.column + 1 };
  }
}

interface PathStep {
  readonly name: string;
  readonly at: Origin;
}

/** Every table here was made by the builder, with a map that can still grow. */
function isOpenTable(value: TomlValue | undefined): value is TomlTable & OpenTable {
  return value?.type === 'table';
}

function syntaxProblem(error: unknown, text: string, file: string): Problem {
  const index = error instanceof Error && 'index' in error && typeof error.index === 'number' ? error.index : null;
  if (index === null) return problem(wholeFile(file), `not readable as TOML: ${String(error)}`);
  const before = text.slice(0, index).trimEnd();
  const at = placeOf(text, index, file);
  const message = error instanceof Error ? error.message : String(error);
  const odd = /^Un(expected|specified)/.test(message);
  if (odd && before.endsWith('=')) {
    if (index >= text.length || text.slice(before.length, index).includes('\n')) {
      return problem(placeOf(text, before.length - 1, file), "there is no value after '='");
    }
    return problem(at, 'not a value: text needs quotes ("…"), booleans are true and false');
  }
  const found = text.codePointAt(index);
  const tail = odd && found !== undefined ? ` '${oneLine(String.fromCodePoint(found))}'` : '';
  const wording = WORDING.get(message) ?? `${message.charAt(0).toLowerCase()}${message.slice(1)}`;
  return problem(at, `not valid TOML: ${wording}${tail}`);
}

/** Messages of the parser that can be said better. */
const WORDING: ReadonlyMap<string, string> = new Map([
  ['Expected equal (=) token', "expected '=' after the key"],
  ['Must be a newline', 'expected the end of the line'],
  ['The key, equals sign, and value must be on the same line', 'the line before is not complete'],
  ['Defining a key multiple times is invalid', 'the same key or table stands above already'],
  ['Unterminated string constant', 'the string has no closing quote'],
]);

function placeOf(text: string, index: number, file: string): Origin {
  const lines = text.slice(0, index).split('\n');
  return { file, line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
