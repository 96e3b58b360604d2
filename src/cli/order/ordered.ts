import { about, type Codec, fields, moment, nullable, type Schema, text, whole, word } from '../../base/codec.ts';
import { oneLine } from '../../base/text.ts';

/** The commands that order something of the agent. */
export type OrderName = 'check' | 'update' | 'pause' | 'resume' | 'skip' | 'unskip' | 'cancel';

/** What became of an order. */
export type Outcome = 'done' | 'nothing' | 'refused';

/** What the update graph said. */
export interface CheckedGraph {
  /** Milliseconds since 1970. */
  readonly at: number | null;
  readonly result: string;
  readonly text: string;
  readonly booted: string | null;
  readonly target: string | null;
}

/** What came of an order. */
export interface Ordered {
  readonly version: number;
  readonly order: OrderName;
  readonly outcome: Outcome;
  readonly text: string;
  readonly status: string | null;
  readonly check: CheckedGraph | null;
}

const CHECKED: Codec<CheckedGraph> = fields<CheckedGraph>({
  at: about('When the graph last gave an answer that could be used, in UTC; null: it has not.', nullable(moment)),
  result: about(
    'update: there is one; failed: the graph could not be read; else why there is none: newest, rollout, deadEnd, notInGraph, noPath, denied, downgradeRefused. There may be others.',
    text,
  ),
  text: about('The same for people.', text),
  booted: about('The version that runs; null: that is not known yet.', nullable(text)),
  target: about('The version that this host is being updated to; null: none.', nullable(text)),
});

const ORDERED: Codec<Ordered> = fields<Ordered>({
  version: about('Of this format. Fields may be added within a version.', whole(1, 1)),
  order: about('The command.', word('check', 'update', 'pause', 'resume', 'skip', 'unskip', 'cancel')),
  outcome: about(
    'done; nothing: there was nothing to do; refused: it cannot be done now.',
    word('done', 'nothing', 'refused'),
  ),
  text: about('What came of it, for people.', text),
  status: about('What the agent does after it, for people; null: that is not known.', nullable(text)),
  check: about('What the update graph said, after `check` and `update`; else null.', nullable(CHECKED)),
});

/** The published schema of what the commands that order something print with `--json`. */
export const ORDER_SCHEMA: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'What came of an order to the agent, version 1',
  description:
    'What `holdpoint check`, `update`, `pause`, `resume`, `skip`, `unskip` and `cancel` print with `--json` when the agent has answered; else stderr says why it has not.',
  ...ORDERED.schema,
};

/** Reads the answer of the agent to an order, an outcome and a text. Null when it is something else. */
export function readOutcome([outcome, said]: readonly unknown[]): Pick<Ordered, 'outcome' | 'text'> | null {
  if (outcome !== 'done' && outcome !== 'nothing' && outcome !== 'refused') return null;
  return typeof said === 'string' ? { outcome, text: oneLine(said, 500) } : null;
}

/** What came of an order as JSON, with a line end. */
export function orderedJson(ordered: Ordered): string {
  return `${JSON.stringify(ORDERED.write(ordered), null, 2)}\n`;
}

/** A clause as a sentence. */
export function sentence(clause: string): string {
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`;
}
