import { errorText } from '../../base/text.ts';
import { type Bus, BusError, BusTimeoutError, Variant } from '../../bus/api.ts';

/** What polkit is asked: whether a caller on the bus may do something. */
export interface AuthorizationQuestion {
  /** Unique name of the caller. */
  readonly sender: string;
  /** Id of the action, as its policy file has it. */
  readonly action: string;
  /** Somebody may be asked for a password, and take his time. */
  readonly interactive: boolean;
  /** Aborted when the caller has left: then the question is withdrawn. */
  readonly gone?: AbortSignal;
}

/** What polkit says. `challenge`: yes, as soon as somebody has given a password. `text`: why not, as a clause. */
export type Authorization =
  | { readonly kind: 'yes' }
  | { readonly kind: 'challenge' }
  | { readonly kind: 'no'; readonly text: string }
  | { readonly kind: 'unknown'; readonly text: string };

/** Milliseconds that polkit gets to answer. */
export interface AuthorizationLimits {
  readonly answerMs: number;
  /** The same where somebody is asked for a password. */
  readonly passwordMs: number;
}

const LIMITS: AuthorizationLimits = { answerMs: 5_000, passwordMs: 120_000 };

const NAME = 'org.freedesktop.PolicyKit1';
const AUTHORITY = {
  destination: NAME,
  path: `/${NAME.replaceAll('.', '/')}/Authority`,
  interface: `${NAME}.Authority`,
};
const ALLOW_USER_INTERACTION = 1;
const ABSENT = /\.(ServiceUnknown|NameHasNoOwner|Spawn\.\w+)$/;

/** Asks polkit, which is started for this where it does not run. Never rejects: without an answer it is `unknown`. */
export async function checkAuthorization(
  bus: Bus,
  { sender, action, interactive, gone }: AuthorizationQuestion,
  { answerMs, passwordMs }: AuthorizationLimits = LIMITS,
): Promise<Authorization> {
  const cancellation = interactive ? globalThis.crypto.randomUUID() : '';
  const subject = ['system-bus-name', { name: new Variant('s', sender) }];
  try {
    const answer = await bus.call({
      ...{ ...AUTHORITY, member: 'CheckAuthorization', signature: '(sa{sv})sa{ss}us' },
      body: [subject, action, {}, interactive ? ALLOW_USER_INTERACTION : 0, cancellation],
      timeoutMs: interactive ? passwordMs : answerMs,
      ...(gone === undefined ? {} : { signal: gone }),
    });
    return readAnswer(answer, interactive);
  } catch (error) {
    // Nobody is to go on being asked for a password that counts for nothing.
    if (interactive && error instanceof BusTimeoutError) cancel(bus, cancellation, answerMs);
    return { kind: 'unknown', text: refusal(error) };
  }
}

function readAnswer([result]: readonly unknown[], interactive: boolean): Authorization {
  const [authorized, challenge, details] = Array.isArray(result) ? (result as readonly unknown[]) : [];
  if (authorized === true) return { kind: 'yes' };
  if (authorized !== false) return { kind: 'unknown', text: 'polkit gave an answer that cannot be understood' };
  if (challenge === true && !interactive) return { kind: 'challenge' };
  return { kind: 'no', text: whyNot(challenge === true, details) };
}

function whyNot(isChallenge: boolean, details: unknown): string {
  if (!isChallenge) return 'the policy of this host does not allow it (polkit)';
  const isDismissed = typeof details === 'object' && details !== null && Object.hasOwn(details, 'polkit.dismissed');
  return isDismissed ? 'no password was given' : 'the password was wrong, or there is nobody to ask for it (polkit)';
}

function cancel(bus: Bus, cancellation: string, timeoutMs: number): void {
  const call = { ...AUTHORITY, member: 'CancelCheckAuthorization', signature: 's', body: [cancellation], timeoutMs };
  bus.call(call).catch(() => undefined);
}

function refusal(error: unknown): string {
  if (error instanceof BusTimeoutError) return 'polkit does not answer';
  if (error instanceof BusError && ABSENT.test(error.errorName)) return 'polkit is not there';
  return `polkit cannot be asked: ${errorText(error)}`;
}
