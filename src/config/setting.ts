import { CronTime } from 'cron';
import { z } from 'zod';
import { parseRetention, RETAINED } from '../domain/retention.js';

/** Documentation of a setting, besides its name and default. */
export interface SettingInfo {
  /** Unit or form of the value: `seconds`, `URL`, `true or false`. */
  readonly unit: string;
  /** Markdown, for docs/settings.md and .env.example. */
  readonly meaning: string;
  /** The value is never printed. */
  readonly secret?: boolean;
}

export const settingInfo = z.registry<SettingInfo>();

/**
 * Parses the text of an environment variable.
 * @param expects completes the sentence "expected …"
 * @param parse returns `undefined` for a wrong value
 */
export function fromText<T>(expects: string, parse: (text: string) => T | undefined) {
  return z.string({ error: expects }).transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: expects });
    return z.NEVER;
  });
}

export const text = () => z.string();

export const textLike = (pattern: RegExp, expects: string) =>
  fromText(expects, (value) => (pattern.test(value) ? value : undefined));

/** A whole number; the limits are included. */
export const whole = (min: number, max: number, unit?: string) =>
  fromText(`a whole number${unit ? ` of ${unit}` : ''} from ${min} to ${max}`, (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    return number >= min && number <= max ? number : undefined;
  });

/**
 * A decimal number with at most 6 decimals, so that it is compared and printed exactly as it was set. The limits are
 * included.
 * @param what `a percentage`, `a number of seconds`
 */
export const decimal = (min: number, max: number, what: string) =>
  fromText(`${what} from ${min} to ${max} with at most 6 decimals`, (value) => {
    const number = /^\d{1,9}(\.\d{1,6})?$/.test(value) ? Number(value) : Number.NaN;
    return number >= min && number <= max ? number : undefined;
  });

const SWITCH: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);
export const flag = () => fromText('true or false', (value) => SWITCH.get(value.toLowerCase()));

export const oneOf = <const T extends string>(...values: readonly T[]) =>
  fromText(`one of ${values.join(', ')}`, (value) => values.find((allowed) => allowed === value));

export const parts = (value: string): string[] =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

export const listOf = <const T extends string>(...values: readonly T[]) =>
  fromText(`a comma-separated list of ${values.join(', ')}`, (value) => {
    const chosen = parts(value).map((part) => values.find((allowed) => allowed === part));
    return chosen.length > 0 && chosen.every((part) => part !== undefined) ? chosen : undefined;
  });

export const hostNames = () =>
  fromText('a comma-separated list of host names such as monitor.example.com, or *', (value) => {
    const names = parts(value);
    return names.every((name) => /^(\*|[\w.-]+)$/.test(name)) ? names : undefined;
  });

export const patterns = () => z.string().transform(parts);

/** `true`, `false`, or names with wildcards. Other words for true and false are refused: they would be names. */
export const flagOrPatterns = () =>
  fromText('true, false or a comma-separated list of names', (value): boolean | string[] | undefined => {
    const known = SWITCH.get(value.toLowerCase());
    if (known !== undefined) return known;
    const names = parts(value);
    const isSwitch = (name: string) => /^(true|false|yes|no|on|off)$/i.test(name);
    return names.length > 0 && !names.some(isSwitch) ? names : undefined;
  });

export const retention = () =>
  fromText(
    `a comma-separated list such as runs=365,_base=400, with whole days from 1 to 36500 of ${RETAINED.join(', ')}`,
    parseRetention,
  );

/**
 * A URL.
 * @param refuses parts that would be shown or sent where they must not be: `credentials`, or `query` with the fragment
 */
export const urlOf = (
  schemes: readonly string[],
  example: string,
  refuses: readonly ('credentials' | 'query')[] = [],
) =>
  fromText(urlExpectation(example, refuses), (value) => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (!url || url.host === '' || !schemes.includes(url.protocol.slice(0, -1))) return undefined;
    // After a password with an unescaped slash, question mark or number sign: its beginning would be taken for the host.
    if (`${url.pathname}${url.search}${url.hash}`.includes('@')) return undefined;
    if (refuses.includes('credentials') && url.username + url.password !== '') return undefined;
    if (refuses.includes('query') && url.search + url.hash !== '') return undefined;
    return isDecodable(url.username) && isDecodable(url.password) ? value : undefined;
  });

/** The first parts of the service's own paths. */
const OWN_PATHS = /^\/(admin|alerts|api|app|assets|docs|health|login|metrics)(\/|$)/;

/** The address under which people open the service. A path that begins like one of its own would be ambiguous. */
export const publicUrl = () =>
  fromText(
    'a URL such as https://tools.example.com/monitor/, without user name, password and query; its path does not begin like a path of the service, such as /app',
    (value) => {
      const url = URL.canParse(value) ? new URL(value) : undefined;
      if (
        !url ||
        !/^https?:$/.test(url.protocol) ||
        url.username + url.password + url.search + url.hash !== ''
      )
        return undefined;
      return OWN_PATHS.test(url.pathname) ? undefined : value;
    },
  );

function urlExpectation(example: string, refuses: readonly ('credentials' | 'query')[]): string {
  const without = refuses.map((part) => (part === 'query' ? 'query' : 'user name and password'));
  const encoded = refuses.includes('credentials')
    ? ''
    : '; percent-encode / ? # % and @ in the user name and password';
  return `a URL such as ${example}${without.length > 0 ? `, without ${without.join(', ')}` : ''}${encoded}`;
}

/** A proxy; without a scheme it is an `http:` one, as for other programs. */
export const proxyUrl = () =>
  fromText('the address of an HTTP proxy such as http://proxy.example.com:3128', (value) => {
    const address = /^[a-z][\w+.-]*:\/\//i.test(value) ? value : `http://${value}`;
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (!url || url.hostname === '' || !['http:', 'https:'].includes(url.protocol)) return undefined;
    return isDecodable(url.username) && isDecodable(url.password) ? address : undefined;
  });

/** Headers that describe the request itself: another value would break it. */
const OWN_HEADERS = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'content-type',
  'transfer-encoding',
]);

/** `Name=value` pairs in the form of OTEL_EXPORTER_OTLP_HEADERS: the values are percent-encoded. */
export const headers = () =>
  fromText(
    `a comma-separated list such as CF-Access-Client-Id=abc,CF-Access-Client-Secret=def, without ${[...OWN_HEADERS].join(', ')}`,
    (value): Readonly<Record<string, string>> | undefined => {
      const pairs = parts(value).map((part) => /^([\w!#$%&'*+.^`|~-]+)\s*=\s*([\x20-\x7e]+)$/.exec(part));
      const entries = pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? ''] as const);
      const valid = entries.every(
        ([name, text]) => name !== '' && !OWN_HEADERS.has(name.toLowerCase()) && isDecodable(text),
      );
      if (!valid || entries.length === 0) return undefined;
      const decoded = entries.map(([name, text]) => [name, decodeURIComponent(text)] as const);
      return decoded.every(([, text]) => /^[\t\x20-\x7e]*$/.test(text))
        ? Object.fromEntries(decoded)
        : undefined;
    },
  );

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

export const cronExpression = () =>
  fromText('a cron expression such as "0 2 * * *"', (value) => {
    try {
      // 30 February parses, but has no next time.
      new CronTime(value).getNextDateFrom(new Date());
      return value;
    } catch {
      return undefined;
    }
  });

export const timezone = () =>
  fromText('an IANA time zone such as UTC or Europe/Berlin', (value) => {
    try {
      new Intl.DateTimeFormat('en', { timeZone: value });
      return value;
    } catch {
      return undefined;
    }
  });
