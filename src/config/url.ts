import { redactUrl } from './redact.ts';
import { VARIABLE, variableProblem } from './template.ts';
import { describe, either, type Type } from './types.ts';

/** The variables that a URL in the configuration may contain as `${name}`. */
export const TEMPLATE_VARIABLES = ['basearch', 'group', 'platform', 'stream'] as const;

/** A value for each template variable. */
export type TemplateValues = Readonly<Record<(typeof TEMPLATE_VARIABLES)[number], string>>;

/** Puts values in the place of `${basearch}`, `${group}`, `${platform}` and `${stream}`, escaped for use in a URL. */
export function expandTemplate(text: string, values: TemplateValues): string {
  return text.replace(VARIABLE, (whole, name: string) => {
    const variable = TEMPLATE_VARIABLES.find((known) => known === name);
    return variable === undefined ? whole : encodeURIComponent(values[variable]);
  });
}

/** What a template in the configuration would be with some values; null when it is no URL. */
export function sampleOf(template: string): URL | null {
  const text = template.replace(VARIABLE, 'x');
  return URL.canParse(text) ? new URL(text) : null;
}

/** A URL, possibly with template variables, with one of the given schemes. Parts that a base URL cannot have are errors. */
export function urlTemplate(schemes: readonly ('http' | 'https' | 'file')[]): Type<string> {
  const expected = `a URL that starts with ${either(schemes.map((scheme) => `${scheme}://`))}`;
  return {
    expected,
    decode: (value, report) => {
      if (value.type !== 'string') {
        report(value.at, `expected ${expected}, found ${describe(value)}`);
        return null;
      }
      const problem = variableProblem(value.value, TEMPLATE_VARIABLES) ?? urlProblem(value.value, schemes, expected);
      if (problem === null) return { value: value.value, plain: redactUrl(value.value) };
      report(value.at, problem);
      return null;
    },
  };
}

/** How an http or https URL is used, and how it is shown. */
export interface WebUrlOptions {
  /** `base`: paths are added to it, so it has no query. `whole`: it is asked as it is, and may have a query. */
  readonly use: 'base' | 'whole';
  /** What is shown to people instead of the URL, beside its user and password, which never are. */
  readonly hide: 'nothing' | 'query' | 'path and query';
}

/** An http or https URL. With anything to hide, a bad one is not shown at all. */
export function webUrl({ use, hide }: WebUrlOptions): Type<string> {
  const schemes = ['http', 'https'];
  const expected = 'a URL that starts with http:// or https://';
  return {
    expected,
    decode: (value, report) => {
      if (value.type !== 'string') {
        report(value.at, `expected ${expected}, found ${describe(value)}`);
        return null;
      }
      const text = use === 'whole' ? value.value.replace(/[?#][^]*/, '') : value.value;
      const wrong = value.value.includes('#') && use === 'whole' ? "expected a URL without '#'" : null;
      const problem = urlProblem(text, schemes, expected, hide !== 'nothing') ?? wrong;
      if (problem === null) return { value: value.value, plain: shown(value.value, hide) };
      report(value.at, problem);
      return null;
    },
  };
}

/** Scheme, user, host, path and query of a URL that has been found good: no password in it has a '/' or a '?'. */
const PARTS = /^(\w+:\/\/)([^/?]*@)?([^/?]*)([^?]*)([^]*)$/;

/** The path of a web hook and the query of any URL are often what others must not know. */
function shown(url: string, hide: WebUrlOptions['hide']): string {
  if (hide === 'nothing') return redactUrl(url);
  const [, scheme = '', user = '', host = '', path = '', query = ''] = PARTS.exec(url) ?? [];
  const server = `${scheme}${user === '' ? '' : '***@'}${host}`;
  if (hide === 'query') return `${server}${path}${query === '' ? '' : '?***'}`;
  return path.length > 1 || query !== '' ? `${server}/***` : `${server}${path}`;
}

function urlProblem(text: string, schemes: readonly string[], expected: string, secret = false): string | null {
  const sample = text.replace(VARIABLE, 'x');
  // Not shown when there is an @: half a URL may hold a whole password.
  const hidden = secret || text.includes('@');
  const found = hidden ? 'text that is not one (not shown, it may hold a password)' : `"${text}"`;
  if (text === '') return `expected ${expected}, found an empty string`;
  if (!URL.canParse(sample) || /[\s\p{Cc}]/u.test(text)) return `expected ${expected}, found ${found}`;
  const url = new URL(sample);
  if (!schemes.includes(url.protocol.slice(0, -1)) || !/^[a-z]+:\/\//i.test(text)) {
    return `expected ${expected}, found ${found}`;
  }
  // Every request would fail for it.
  if (!isEncoded(url.username) || !isEncoded(url.password)) {
    return 'the user name or password in the URL is not percent-encoded correctly';
  }
  if (url.protocol === 'file:' && url.host !== '') {
    return `a file URL has three slashes: expected "${text.replace('//', '///')}"`;
  }
  if (sample.includes('?') || sample.includes('#')) return "expected a URL without '?' and '#': paths are added to it";
  return null;
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
