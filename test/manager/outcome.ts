// What is to come of all that a manager of one group was asked: by the model, and by what each change leaves in the audit.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { anyCommand, type Command, Model } from './model.ts';

/** A command, and who gives it. What only requests that wait can bring about is not looked at here. */
export type Asked = Exclude<Command, { kind: 'lockAfterWait' | 'settle' }> & { readonly byHand: boolean };

/** Any of them. */
export const anyAsked: fc.Arbitrary<Asked> = fc
  .tuple(anyCommand.filter(isAsked), fc.boolean())
  .map(([command, byHand]) => ({ ...command, byHand }));

function isAsked(command: Command): command is Exclude<Command, { kind: 'lockAfterWait' | 'settle' }> {
  return command.kind !== 'lockAfterWait' && command.kind !== 'settle';
}

/** What can be seen of a manager. */
export interface Sight {
  readonly slots: number;
  /** Until when nothing is granted: 0: it is; Infinity: for good. */
  readonly frozen: { readonly group: number; readonly fleet: number };
  readonly holders: Readonly<Record<string, { readonly since: number; readonly soakUntil: number | null }>>;
}

/** What is to come of all that a manager was asked. */
export interface Outcome {
  /** Its last answer. */
  readonly answer: string | null;
  readonly sight: Sight;
  /** Its records, in the order of the texts. */
  readonly audit: readonly string[];
}

/** What comes of a history that begins with so many slots, each free. */
export function outcomeOf(history: readonly Asked[], slots: number): Outcome {
  const model = new Model(slots);
  const audit: string[] = [];
  let answer: string | null = null;
  for (const each of history) {
    const before = holdersOf(model);
    answer = model.apply(each);
    audit.push(...recordsOf(each, answer, before, holdersOf(model)));
  }
  const sight = { slots: model.slots, frozen: model.frozen, holders: holdersOf(model) };
  return { answer, sight, audit: audit.toSorted() };
}

function holdersOf(model: Model): Sight['holders'] {
  const holders = Object.entries(model.holders());
  return Object.fromEntries(holders.map(([id, { since, soakUntil }]) => [id, { since, soakUntil }]));
}

const ACTIONS: Readonly<Record<string, string>> = {
  'lock granted': 'granted',
  // During its soak.
  'lock confirmed': 'granted',
  'unlock soaking': 'soaking',
  'force released': 'forced',
  'resize changed': 'resized',
  'freeze changed': 'frozen',
  'thaw changed': 'thawed',
};

/** What a command leaves in the audit: one record for each change. */
function recordsOf(
  given: Asked,
  answer: string | null,
  before: Sight['holders'],
  after: Sight['holders'],
): readonly string[] {
  if (given.kind === 'pass') {
    const ended = Object.keys(before).filter((id) => after[id] === undefined);
    return ended.map((id) => `soaked ${id} by manager`);
  }
  const action = ACTIONS[`${given.kind} ${answer}`];
  const isRepeated = (given.kind === 'lock' || given.kind === 'unlock') && isDeepStrictEqual(before, after);
  if (action === undefined || isRepeated) return [];
  const isOfNode = !given.byHand && (given.kind === 'lock' || given.kind === 'unlock');
  return [`${action} ${'id' in given ? `${given.id} ` : ''}by ${isOfNode ? 'node' : 'admin:ann'}`];
}
