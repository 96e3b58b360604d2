import type { ClientParams } from '../fleetlock/protocol.ts';
import type { Answer } from './answer.ts';
import { isUndecided } from './refusals.ts';
import type { Time } from './time.ts';

/** Milliseconds after which it is tried again when the store could not. */
const AGAIN_MS = 1_000;

/** Grants that nobody is there to hear of: they are taken back as soon as the store can, unless the id is heard of. */
export class Unwanted {
  readonly #time: Time;
  readonly #takeBack: (params: ClientParams) => Promise<Answer>;
  readonly #names = new Set<string>();

  constructor(time: Time, takeBack: (params: ClientParams) => Promise<Answer>) {
    this.#time = time;
    this.#takeBack = takeBack;
  }

  add(params: ClientParams): void {
    this.#names.add(nameOf(params));
    void this.#try(params);
  }

  /** The id has asked something since. */
  heard(params: ClientParams): void {
    if (this.#names.size > 0) this.#names.delete(nameOf(params));
  }

  /** Nothing is tried again from now on. */
  stop(): void {
    this.#names.clear();
  }

  async #try(params: ClientParams): Promise<void> {
    const answer = await this.#takeBack(params);
    if (!isUndecided(answer)) this.#names.delete(nameOf(params));
    else if (this.#names.has(nameOf(params))) this.#time.after(AGAIN_MS, () => this.#again(params));
  }

  #again(params: ClientParams): void {
    if (this.#names.has(nameOf(params))) void this.#try(params);
  }
}

function nameOf({ group, id }: ClientParams): string {
  return `${group}\n${id}`;
}
