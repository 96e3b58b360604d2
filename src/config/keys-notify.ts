import { key, optional, type Key } from './keys.ts';
import { DEFAULT_MOMENTS, MOMENTS, TEXT_VARIABLES, type MomentName } from './moment-names.ts';
import { variableProblem } from './template.ts';
import { absolutePath, describe, integer, someOf, type Type } from './types.ts';
import { webUrl } from './url.ts';

/** Text of one line with the variables of a notice. */
const noticeText: Type<string> = {
  expected: 'text in one line such as "${host}: ${text}"',
  decode: (value, report) => {
    const problem =
      value.type !== 'string' || value.value === '' || /\p{Cc}/u.test(value.value)
        ? `expected ${noticeText.expected}, found ${describe(value)}`
        : variableProblem(value.value, TEXT_VARIABLES);
    if (problem === null && value.type === 'string') return { value: value.value, plain: value.value };
    report(value.at, problem ?? '');
    return null;
  },
};

/** Who is told of the moments that matter. */
export const NOTIFY_KEYS = {
  'notify.webhook_url': optional(
    webUrl({ use: 'whole', hide: 'path and query' }),
    'Told by POST of what happens to this host, as JSON. Often a secret by itself: it is never printed or logged beyond its server.',
  ),
  'notify.token_file': optional(
    absolutePath('/etc/holdpoint/webhook-token'),
    'File with the token that is sent there as `Authorization: Bearer`. Read for each try.',
  ),
  'notify.events': key(
    someOf<MomentName>(MOMENTS),
    [...DEFAULT_MOMENTS],
    'What the webhook is told of; `docs/operations.md` says what each of them means.',
  ),
  'notify.text': key(
    noticeText,
    '${host}: ${text}',
    'The field `text` of what is sent, which chat programs show. Variables: `${host}` (the name of the host), `${event}`, `${booted}` and `${target}` (versions), `${group}`, `${reason}`, and `${text}`, the sentence that says it all. One that has no value is empty.',
  ),
  'notify.stuck_secs': key(
    integer(0, 31_536_000),
    86_400,
    'Seconds after which an error that lasts, or a staged update whose reboot does not come although nothing that ends at a known time keeps it back, is called stuck; in the journal as well. 0: nothing is.',
  ),
} satisfies Readonly<Record<string, Key<unknown>>>;
