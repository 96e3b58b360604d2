import { BusClosedError, BusError, BusTimeoutError } from '../../bus/api.ts';
import { type Failure, type FailureClass, FailureError } from '../../base/failure.ts';
import { errorText, oneLine } from '../../base/text.ts';

/** What rpm-ostree's texts mean. It has no error codes of its own: the words are all there is. */
const TEXTS: readonly (readonly [RegExp, FailureClass])[] = [
  // These quote what others wrote (a command line, an inhibitor's reason, a URL), which must not be taken for a cause.
  [/^(?:System )?transaction in progress/i, 'transient'],
  [/^Reboot blocked by/, 'transient'],
  [/: \[\d+\] /, 'transient'],
  [/No pending staged deployment found/, 'gone'],
  [/No rollback deployment found/, 'gone'],
  [/Expected staged base checksum/, 'gone'],
  [/Staged deployment already unlocked/, 'unlocked'],
  [/Reboot initiated/, 'underway'],
  [/is chronologically older than current revision/, 'release'],
  [/Checksum [0-9a-f]+ not found in/, 'release'],
  [/manifest unknown/i, 'release'],
  [/No such metadata object/, 'release'],
  [/GPG|signature|Signature/, 'release'],
  [/Could not depsolve|conflicting requests/, 'release'],
];

/** The class of an error text of rpm-ostree; `transient` for whatever is not known to be the release's fault. */
export function classify(text: string): FailureClass {
  return TEXTS.find(([pattern]) => pattern.test(text))?.[1] ?? 'transient';
}

/** The failure that `Finished(false, text)` stands for. */
export function finishedFailure(text: string): Failure {
  return { class: classify(text), text: oneLine(text) };
}

const DENIED = 'org.freedesktop.DBus.Error.AccessDenied';
/** The daemon went away in the middle of a call: the bus answers for it. */
const NO_REPLY = 'org.freedesktop.DBus.Error.NoReply';

/**
 * The failure that an error of the bus stands for. `lost` is the class for a call of which nobody knows whether it was
 * carried out: harmless for most, `unknown` for finalize.
 */
export function busFailure(error: unknown, what: string, lost: FailureClass): Failure {
  if (error instanceof FailureError) return error.failure;
  if (error instanceof BusError && error.errorName !== NO_REPLY) {
    if (error.errorName === DENIED) {
      return { class: 'transient', text: `${what}: denied by polkit; is the rule for the agent's user installed?` };
    }
    return { class: classify(error.message), text: `${what}: ${errorText(error)}` };
  }
  const isUnsent = error instanceof BusClosedError && error.unsent;
  const known = error instanceof BusTimeoutError || error instanceof BusClosedError || error instanceof BusError;
  if (isUnsent) return { class: 'transient', text: `${what}: ${errorText(error)}` };
  return { class: known ? lost : 'transient', text: `${what}: ${errorText(error)}` };
}
