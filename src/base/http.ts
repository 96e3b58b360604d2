import { answerOf } from './http-exchange.ts';
import { HttpError, type HttpFailure, type HttpRequest, type HttpResult } from './http-types.ts';
import { duration, errorText } from './text.ts';

export type { HttpAnswer, HttpFailure, HttpRequest, HttpResult } from './http-types.ts';

/** Makes one request over a connection of its own, which is closed afterwards: nothing is left open between polls. */
export async function httpRequest(request: HttpRequest): Promise<HttpResult> {
  const { signal, totalTimeoutMs } = request;
  const stop = new AbortController();
  const late = (): void => {
    stop.abort(new HttpError('timeout', `no complete answer within ${duration(totalTimeoutMs)}`));
  };
  const cancel = (): void => stop.abort(new HttpError('cancelled', 'cancelled'));
  const timer = setTimeout(late, totalTimeoutMs);
  signal?.addEventListener('abort', cancel);
  try {
    if (signal?.aborted === true) cancel();
    return { ok: true, answer: await answerOf(request, stop.signal) };
  } catch (error) {
    return { ok: false, failure: failureOf(request.url, stop.signal.aborted ? stop.signal.reason : error) };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
  }
}

/** The origin alone: paths and queries may be secret, as credentials are. */
function failureOf(url: URL, error: unknown): HttpFailure {
  const { kind, text } = classify(error);
  return { kind, text: `${url.protocol}//${url.host}: ${text}` };
}

/** Codes of zlib and brotli for data that is not theirs. */
const UNPACKING = /^(Z_|ERR__ERROR_FORMAT)/;

function classify(error: unknown): HttpFailure {
  if (error instanceof HttpError) return { kind: error.kind, text: error.message };
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return { kind: 'timeout', text: 'no connection in time' };
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return { kind: 'too-large', text: 'the answer is too large' };
  if (code === 'UND_ERR_HEADERS_OVERFLOW')
    return { kind: 'too-large', text: 'the headers of the answer are too large' };
  if (UNPACKING.test(code)) return { kind: 'invalid', text: `the answer cannot be decompressed: ${errorText(error)}` };
  // The parser's reports carry their own sentence, but no code.
  return {
    kind: error instanceof Error && error.name === 'HTTPParserError' ? 'invalid' : 'network',
    text: errorText(error),
  };
}
