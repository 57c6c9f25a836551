import { CronTime } from 'cron';
import { z } from 'zod';

/** What people need to know of a setting beside its name and default. */
export interface SettingInfo {
  /** What the number or text is: `seconds`, `URL`, `true or false`. */
  readonly unit: string;
  readonly meaning: string;
  /** Its value is never printed. */
  readonly secret?: boolean;
}

export const settingInfo = z.registry<SettingInfo>();

/** Reads the text of an environment variable; `expects` completes the sentence "it expects …". */
function kind<T>(expects: string, read: (text: string) => T | undefined) {
  return z.string({ error: expects }).transform((text, context): T => {
    const value = read(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: expects });
    return z.NEVER;
  });
}

export const text = () => z.string();

export const textLike = (pattern: RegExp, expects: string) =>
  kind(expects, (value) => (pattern.test(value) ? value : undefined));

/** A whole number; both limits are allowed. */
export const whole = (min: number, max: number, unit: string) =>
  kind(`a whole number of ${unit} from ${min} to ${max}`, (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    return number >= min && number <= max ? number : undefined;
  });

/** A decimal number of at most 6 decimals: such a one is compared and printed exactly as it was set. Both limits are allowed. */
export const decimal = (min: number, max: number, unit: string) =>
  kind(`a number of ${unit} from ${min} to ${max}, with at most 6 decimals`, (value) => {
    const number = /^\d{1,9}(\.\d{1,6})?$/.test(value) ? Number(value) : Number.NaN;
    return number >= min && number <= max ? number : undefined;
  });

const SWITCH: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);
export const flag = () => kind('true or false', (value) => SWITCH.get(value.toLowerCase()));

export const oneOf = <const T extends string>(...values: readonly T[]) =>
  kind(`one of ${values.join(', ')}`, (value) => values.find((allowed) => allowed === value));

const parts = (value: string): string[] =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

export const listOf = <const T extends string>(...values: readonly T[]) =>
  kind(`a comma-separated list of ${values.join(', ')}`, (value) => {
    const chosen = parts(value).map((part) => values.find((allowed) => allowed === part));
    return chosen.length > 0 && chosen.every((part) => part !== undefined) ? chosen : undefined;
  });

export const patterns = () => z.string().transform(parts);

export const urlOf = (schemes: readonly string[], example: string) =>
  kind(`an address such as ${example}`, (value) => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (!url || url.host === '' || !schemes.includes(url.protocol.slice(0, -1))) return undefined;
    return isDecodable(url.username) && isDecodable(url.password) ? value : undefined;
  });

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

export const cronExpression = () =>
  kind('a cron expression such as "0 2 * * *"', (value) => {
    try {
      // Looks for the next time too: the 30th of February parses, and never comes.
      new CronTime(value).getNextDateFrom(new Date());
      return value;
    } catch {
      return undefined;
    }
  });

export const timezone = () =>
  kind('an IANA time zone such as UTC or Europe/Berlin', (value) => {
    try {
      new Intl.DateTimeFormat('en', { timeZone: value });
      return value;
    } catch {
      return undefined;
    }
  });
