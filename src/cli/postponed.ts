import { oneLine } from '../base/text.ts';
import { about, type Codec, fields, flag, moment, nullable, type Schema, text, whole } from '../base/codec.ts';

/** What came of `holdpoint postpone`. */
export interface Postponed {
  readonly version: number;
  readonly postponed: boolean;
  /** Milliseconds since 1970. */
  readonly until: number | null;
  readonly text: string;
}

const POSTPONED: Codec<Postponed> = fields<Postponed>({
  version: about('Of this format. Fields may be added within a version.', whole(1, 1)),
  postponed: about('Whether the reboot waits for longer now.', flag),
  until: about('The moment, in UTC, until which it waits at the least; null: it was not postponed.', nullable(moment)),
  text: about('What came of it, for people.', text),
});

/** The published schema of what `holdpoint postpone --json` prints. */
export const POSTPONE_SCHEMA: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'What came of `holdpoint postpone`, version 1',
  description: 'What `holdpoint postpone --json` prints when the agent has answered; else stderr says why it has not.',
  ...POSTPONED.schema,
};

/** Reads the answer of the agent: seconds since 1970, and a text. Null when it is something else. */
export function readPostponed(body: readonly unknown[]): Postponed | null {
  const [until, said] = body;
  if ((typeof until !== 'bigint' && typeof until !== 'number') || typeof said !== 'string') return null;
  const postponed = until > 0;
  return { version: 1, postponed, until: postponed ? Number(until) * 1000 : null, text: oneLine(said, 500) };
}

/** The same as JSON, with a line end. */
export function postponedJson(postponed: Postponed): string {
  return `${JSON.stringify(POSTPONED.write(postponed), null, 2)}\n`;
}
