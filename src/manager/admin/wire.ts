import { REFUSALS, type RefusalKind } from '../../fleetlock/protocol.ts';
import type { Done, Refusal } from '../answer.ts';
import type { FleetStatus, GateStatus, GroupStatus, HolderStatus, WaiterStatus } from '../api.ts';
import { AUDIT_ACTIONS, type AuditRecord, type Freeze } from '../document.ts';
import {
  about,
  type Codec,
  fields,
  flag,
  list,
  moment,
  nullable,
  type Schema,
  text,
  whole,
  word,
  yes,
} from '../../base/codec.ts';

/** No count in a status is larger. */
const MOST = 1_000_000_000;
const count = whole(0, MOST);

const kind = word(...(Object.keys(REFUSALS) as RefusalKind[]));

/** What the answer to an order looks like when it was carried out. */
export const DONE: Codec<Done> = fields<Done>({
  ok: yes,
  outcome: word('granted', 'confirmed', 'released', 'soaking', 'not-held', 'changed', 'unchanged'),
  text,
});

/** What a refusal looks like: as FleetLock has it. */
export const REFUSED: Codec<Pick<Refusal, 'kind' | 'value'>> = fields<Pick<Refusal, 'kind' | 'value'>>({
  kind,
  value: text,
});

const freeze = fields<Freeze>({
  since: moment,
  until: about('When it ends by itself; null: it does not. One that lies before `at` is over.', nullable(moment)),
  by: about('Who ordered it: `admin:NAME`.', text),
  reason: text,
});

const holder = fields<HolderStatus>({
  id: text,
  since: about(
    'When the slot was granted; of a holder that another program put there, when it was first seen.',
    moment,
  ),
  soakUntil: about(
    'The host is steady, and its slot becomes free at this moment. Null: it has not reported.',
    nullable(moment),
  ),
  stale: about('It has held its slot for longer than it should need. It keeps it all the same.', flag),
  lastSeen: about('When it last asked anything; null: not within memory.', nullable(moment)),
});

const waiter = fields<WaiterStatus>({
  id: text,
  since: about('Since when it has been refused.', moment),
  lastAsked: moment,
  connected: about('Its request is held, and answered the moment a slot is free.', flag),
});

const retryAfterMs = about('Milliseconds before which nothing will change; null: nobody knows.', nullable(count));
const refusal = fields<Omit<Refusal, 'ok'>>({ kind, value: text, retryAfterMs });
const closed: Codec<Refusal> = {
  read: (value, where) => ({ ok: false, ...refusal.read(value, where) }),
  write: (value) => refusal.write(value),
  schema: refusal.schema,
};

const gate = fields<GateStatus>({
  asked: about('When it was asked last; null: not yet.', nullable(moment)),
  refusal: about('What it said then when it refused; null: it was open, or was not asked.', nullable(text)),
  current: about('That still holds. Else it is asked anew when somebody wants a slot.', flag),
});

const group = fields<GroupStatus>({
  name: text,
  problem: about(
    'Why what is stored for it cannot be read: nothing else here is known then, and its requests fail. Null: it can.',
    nullable(text),
  ),
  configured: about('It has a table in the configuration, or is the default group.', flag),
  slots: about('How many hosts may hold a slot. There may be more holders than that: nobody is evicted.', count),
  wanted: about('Slots as the configuration says it: a number, or a percentage such as `25%`.', text),
  resized: about('An administrator changed the number of slots since the configuration said so.', flag),
  freeze: about('No new grants in this group, by an administrator; null: none.', nullable(freeze)),
  holders: about('Sorted by the bytes of their ids.', list(holder)),
  waiters: about(
    'Who was refused in the last hour and not granted since, those first who come first; the first 500 of them.',
    list(waiter),
  ),
  waiting: about('How many there are of them in all.', count),
  waitingConnected: about('How many of them have a request that is held.', count),
  halted: about('No new grants, since too many holders are stale.', flag),
  closed: about(
    'What the window of the group says when it refuses new grants, or its gate, when it was asked lately; null: open.',
    nullable(closed),
  ),
  gate: about('Null: it has none. A gate is asked when somebody wants a slot, and not otherwise.', nullable(gate)),
  seen: about('Hosts heard of in 90 days.', count),
});

/** A status as it goes over the admin API, and as `holdpoint manager status --json` prints it. */
export const STATUS: Codec<FleetStatus> = fields<FleetStatus>({
  at: about('The moment at which all this was so.', moment),
  store: fields({
    kind: word('embedded', 'etcd'),
    warnings: about('What to see to before it becomes a problem.', list(text)),
    oursOnly: about(
      'Rules that bind only requests through a manager like this one: an airlock on the same etcd grants without them. Empty: nothing else can grant.',
      list(text),
    ),
  }),
  freeze: about('No new grants in any group, by an administrator; null: none.', nullable(freeze)),
  groups: about('Sorted by name.', list(group)),
});

/** The published schema of a status. */
export const STATUS_SCHEMA: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Status of a Holdpoint lock manager, version 1',
  description:
    'The answer to `GET /v1/status`, and what `holdpoint manager status --json` prints. Fields may be added within a version. All moments are in UTC.',
  ...STATUS.schema,
};

/** The history as it goes over the admin API, and as `holdpoint manager history --json` prints it; oldest first. */
export const HISTORY: Codec<{ readonly records: readonly AuditRecord[] }> = fields<{
  readonly records: readonly AuditRecord[];
}>({
  records: list(
    fields<AuditRecord>({
      number: whole(0, Number.MAX_SAFE_INTEGER),
      at: moment,
      action: word(...AUDIT_ACTIONS),
      group: nullable(text),
      id: nullable(text),
      by: text,
      reason: text,
    }),
  ),
});
