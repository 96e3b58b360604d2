import { fileStamp, readCapped } from '../../base/files.ts';
import { errorText } from '../../base/text.ts';
import { digestsOf, type Tokens, tokensIn } from '../tokens.ts';

/** What a token file is read with, and who hears of it. */
export interface TokenFileOptions {
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
  /** The file has changed and cannot be read; its tokens from before stay good. Told once, until it can be again. */
  readonly failed: (text: string) => void;
  /** It was read anew. */
  readonly read: (text: string) => void;
}

/** A token file may have this many bytes. */
const MOST_BYTES = 64 * 1024;
/** Milliseconds between two looks at a file. */
const LOOK_MS = 1_000;

/** A file of tokens, read again when it changes. */
export class TokenFile {
  readonly path: string;
  readonly #options: TokenFileOptions;
  #tokens: Tokens;
  /** Empty: what is there could not be read. */
  #stamp: string;
  #looked: number;

  /** Throws an error that names the file when it cannot be read or has no token in it. */
  constructor(path: string, options: TokenFileOptions) {
    this.path = path;
    this.#options = options;
    this.#looked = options.now();
    // Taken first: what is written meanwhile is seen at the next look.
    this.#stamp = fileStamp(path);
    this.#tokens = readTokens(path);
  }

  /** The tokens in it, as of a second ago at most; the last good ones while it cannot be read. */
  get tokens(): Tokens {
    const now = this.#options.now();
    if (now - this.#looked >= LOOK_MS) {
      this.#looked = now;
      this.#look();
    }
    return this.#tokens;
  }

  #look(): void {
    const wasGood = this.#stamp !== '';
    try {
      const stamp = fileStamp(this.path);
      if (stamp === this.#stamp) return;
      this.#tokens = readTokens(this.path);
      this.#stamp = stamp;
      this.#options.read(`the token file ${this.path} was read again`);
    } catch (error) {
      this.#stamp = '';
      if (wasGood) this.#options.failed(`${errorText(error)}; the tokens that were in it before stay good`);
    }
  }
}

function readTokens(path: string): Tokens {
  const text = readCapped(path, MOST_BYTES);
  if (text === null) throw new Error(`the token file ${path} does not exist`);
  const tokens = tokensIn(text);
  if (tokens.length === 0) throw new Error(`the token file ${path} has no token in it`);
  return digestsOf(tokens);
}
