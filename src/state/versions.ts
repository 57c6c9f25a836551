import { z } from 'zod';
import { RULES_VERSION, SCHEMA_VERSION } from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import type { DomainSettings } from '../domain/model.js';

/** Injection token of the `Versions` that this process supports, and all lower ones. */
export const SUPPORTED_VERSIONS = Symbol('SUPPORTED_VERSIONS');

/** `rules`: how facts are judged. `schema`: the columns and the layout of the derived datasets. */
export const versionsSchema = z.object({ rules: z.int().positive(), schema: z.int().positive() });
export type Versions = Readonly<z.infer<typeof versionsSchema>>;

/** The versions by which every process judges and writes, for all days. */
export const storedVersionsSchema = versionsSchema.extend({
  /** When they were raised, ms. */
  since: z.int(),
  /** Whether all stored days have them. */
  rewritten: z.boolean(),
});
interface WithVersions {
  readonly versions?: z.infer<typeof storedVersionsSchema> | undefined;
}

export const FIRST_VERSIONS: Versions = { rules: 1, schema: 1 };
/** What this release supports. */
export const OWN_VERSIONS: Versions = { rules: RULES_VERSION, schema: SCHEMA_VERSION };

export const versionsInForce = (book: WithVersions | undefined): Versions => book?.versions ?? FIRST_VERSIONS;

/** Whether forecasts are published, with the columns that they need: `min_value` and `max_value`. Rules 1 and schema 1 have none. */
export const hasForecasts = ({ rules, schema }: Versions): boolean => rules >= 2 && schema >= 2;

/**
 * Whether tags and patterns choose which child runs count, `runs` says it of each run (`ignored_child`), and the reason of the
 * light `no_data` names the runs that do not count. Rules 2 and schema 2 know only `COUNT_NESTED_RUNS=true|false`.
 */
export const choosesNested = ({ rules, schema }: Versions): boolean => rules >= 3 && schema >= 3;

/** The settings that are part of the inputs of derived objects. */
export function settingsOfInputs(versions: Versions, settings: DomainSettings): Partial<DomainSettings> {
  if (choosesNested(versions)) return settings;
  const { count_nested_of: _, ...ofRules2 } = settings;
  if (hasForecasts(versions)) return ofRules2;
  const { forecast_lookback_days: __, ...ofRules1 } = ofRules2;
  return ofRules1;
}

/** Whether all stored days have the versions in force. */
export const isRewritten = (book: WithVersions | undefined): boolean => book?.versions?.rewritten ?? true;

/**
 * The `rules_version` of all settings in the rulebook. Release 0.1 knows no other version, and rebuilds nothing if it is higher
 * than its own: either version raises it.
 */
export const settingsVersion = ({ rules, schema }: Versions): number => rules + schema - 1;

/** Whether a process that supports `own` can judge and write by `used`. */
export const supports = (own: Versions, used: Versions): boolean =>
  own.rules >= used.rules && own.schema >= used.schema;

/** The newest versions that all of these support. */
export const commonVersions = (first: Versions, ...others: readonly Versions[]): Versions => ({
  rules: Math.min(first.rules, ...others.map(({ rules }) => rules)),
  schema: Math.min(first.schema, ...others.map(({ schema }) => schema)),
});

/** The newer one of each. */
export const newestVersions = (a: Versions, b: Versions): Versions => ({
  rules: Math.max(a.rules, b.rules),
  schema: Math.max(a.schema, b.schema),
});

export const describeVersions = ({ rules, schema }: Versions): string =>
  `rules version ${rules} and schema version ${schema}`;

const OLDER = 'older_rules';

/** @throws {MonitorError} `older_rules` if a newer release writes the store */
export function assertSupported(own: Versions, used: Versions): void {
  if (supports(own, used)) return;
  const message =
    `The store uses ${describeVersions(used)}, but this process supports ${describeVersions(own)}: ` +
    'it judges and rebuilds nothing';
  throw new MonitorError(OLDER, message);
}

/** Whether this process cannot do the work because a newer release writes the store. */
export const isOlderProcess = (error: unknown): error is MonitorError =>
  error instanceof MonitorError && error.code === OLDER;

/**
 * What a derived object names as its inputs. From version 2 on, the versions precede the digest: every day is outdated when
 * they are raised, and the index shows which days are rewritten already.
 */
export function namedInputs({ rules, schema }: Versions, digest: string): string {
  return rules === 1 && schema === 1 ? digest : `${rules}.${schema} ${digest}`;
}

/** The versions by which an object was made, from the inputs that it names. */
export function versionsOfInputs(inputs: string): Versions {
  const [, rules, schema] = /^(\d+)\.(\d+) /.exec(inputs) ?? [];
  return rules && schema ? { rules: Number(rules), schema: Number(schema) } : FIRST_VERSIONS;
}
