/** A preference (RFC 7240): a name, perhaps a value, perhaps parameters; up to a comma or the end. */
const PREFERENCE =
  /[ \t,]*([\w!#$%&'*+.^`|~-]+)(?:[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^",;\s]*))?((?:[^",]|"(?:[^"\\]|\\.)*")*)(?:,|$)/y;
/** Longer headers are not looked at: the pattern takes the square of the time where it does not match. */
const LONGEST_HEADER = 256;
/** Enough for any wait, and few enough digits to be a number. */
const WHOLE_SECONDS = /^\d{1,9}$/;

/**
 * The seconds that a `Prefer` header asks to wait, or 0 when it asks for none. As the standard says, the first of
 * several counts, and what cannot be understood is no preference.
 */
export function preferredWait(header: string): number {
  if (header.length > LONGEST_HEADER) return 0;
  PREFERENCE.lastIndex = 0;
  for (let match = PREFERENCE.exec(header); match !== null; match = nextMatch(header)) {
    const [, name = '', value = '', rest = ''] = match;
    if (name.toLowerCase() !== 'wait') continue;
    const digits = value.replace(/^"(.*)"$/, '$1');
    return WHOLE_SECONDS.test(digits) && /^[ \t]*(;|$)/.test(rest) ? Number(digits) : 0;
  }
  return 0;
}

function nextMatch(header: string): RegExpExecArray | null {
  return PREFERENCE.lastIndex >= header.length ? null : PREFERENCE.exec(header);
}
