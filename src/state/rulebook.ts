import { z } from 'zod';
import { canonicalJson } from '../domain/canonical-json.js';
import { LOOKBACK_DAYS } from '../domain/forecast/points.js';
import { groupBy } from '../domain/group-by.js';
import type { DomainSettings, MetricMetadata, ThresholdRow } from '../domain/model.js';
import { finish, type Steps } from '../domain/steps.js';
import { compareText, wellFormed } from '../domain/text.js';
import { instantOf, instantText } from '../domain/time.js';
import { type Document, readCachedDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import {
  choosesNested,
  hasForecasts,
  OWN_VERSIONS,
  settingsVersion,
  storedVersionsSchema,
  supports,
  type Versions,
  versionsInForce,
} from './versions.js';

/** The stored rules that every process judges by: catalog rows and domain settings, each with the first day it applies to. */
export const RULEBOOK_KEY = '_state/rulebook.json';

/** As MLflow's names are read. */
const metricName = z.string().regex(/\S/).transform(wellFormed);
const text = z
  .string()
  .nullish()
  .transform((value) => (value?.trim() ? wellFormed(value) : null));
/** Normalized to a form that every reader accepts: DuckDB rejects minutes without seconds before an offset. */
const time = text.transform((value, context) => {
  if (value === null) return null;
  const instant = instantOf(value);
  if (instant) return instantText(instant);
  context.addIssue({ code: 'custom', message: 'not a time' });
  return z.NEVER;
});
const limit = z
  .number()
  .nullish()
  .transform((value) => value ?? null);

/** A row of the metrics API; a blank text is null. */
export const metricMetadataSchema = z
  .object({
    metric_name: metricName,
    display_name: text,
    description: text,
    unit: text,
    category: text,
    higher_is_better: z
      .boolean()
      .nullish()
      .transform((value) => value ?? null),
    min: limit,
    max: limit,
  })
  .refine(({ min, max }) => min === null || max === null || min <= max, {
    path: ['min'],
    message: 'is greater than max',
  }) satisfies z.ZodType<MetricMetadata>;

/** A row of the thresholds API; a blank text is null, `updated_at` without an offset is UTC. */
export const thresholdRowSchema = z.object({
  metric_name: metricName,
  experiment_id: z
    .union([z.string(), z.int()])
    .nullish()
    .transform((value) => (value === null || value === undefined ? null : String(value).trim() || null)),
  critical_threshold: limit,
  warning_threshold: limit,
  updated_at: time,
  updated_by: text,
}) satisfies z.ZodType<ThresholdRow>;

const firstDay = z.iso.date().nullable();
const strings = z.array(z.string()).readonly();
export const domainSettingsSchema = z.object({
  rules_version: z.int(),
  application_tag: z.string(),
  count_nested_runs: z.boolean(),
  // Documents of older versions lack it.
  count_nested_of: strings.nullable().default([]),
  judge_running: z.boolean(),
  experiment_include: strings,
  experiment_exclude: strings,
  metric_include: strings,
  metric_exclude: strings,
  moving_average_window_hours: z.number(),
  light_span_hours: z.number(),
  critical_runs_percent: z.number(),
  pass_rate_percent: z.number(),
  warning_runs_percent: z.number(),
  failed_runs_percent: z.number(),
  // Documents of older versions lack it.
  forecast_lookback_days: z.int().default(LOOKBACK_DAYS),
}) satisfies z.ZodType<DomainSettings>;

/** A query for the thresholds of these metrics, each with these experiments. */
const querySchema = z.object({ metrics: strings, experiments: strings });
export type CatalogQuery = z.infer<typeof querySchema>;
export const EMPTY_QUERY: CatalogQuery = { metrics: [], experiments: [] };

export const rulebookSchema = z.object({
  version: z.literal(1),
  /** All queries that an HTTP catalog has answered, with or without rows. Empty if the catalog is a file. */
  asked: querySchema.default(EMPTY_QUERY),
  entries: z.array(
    z.object({
      metric_name: z.string(),
      first_day: firstDay,
      /** When this entry replaced the previous one of its name, ms; strictly increasing. null for entries of the first response. */
      changed_at: z.int().nullable().default(null),
      metadata: metricMetadataSchema.nullable(),
      thresholds: z.array(thresholdRowSchema),
    }),
  ),
  settings: z.array(z.object({ first_day: firstDay, settings: domainSettingsSchema })),
  /**
   * Absent while they are the first ones. Stored here, so that one put changes them together with the rules, and whoever reads
   * the rules has them.
   */
  versions: storedVersionsSchema.optional(),
});
export type Rulebook = z.infer<typeof rulebookSchema>;
export type RulebookEntry = Rulebook['entries'][number];

/** All rows of the catalog. */
export interface CatalogRows {
  readonly metadata: readonly MetricMetadata[];
  readonly thresholds: readonly ThresholdRow[];
}

/** The rules that apply to one day. */
export interface DayRules extends CatalogRows {
  readonly settings: DomainSettings;
}

/** The time of a change, ms, and the first day it applies to. */
export interface ChangeTime {
  readonly at: number;
  readonly from: string;
}

/** The stored rulebook, which callers share and do not modify; `undefined` until the first catalog response. */
export async function readRulebook(store: ObjectStore): Promise<Rulebook | undefined> {
  return (await readRulebookVersion(store))?.value;
}

/** As `readRulebook`, with its ETag. */
export const readRulebookVersion = (store: ObjectStore): Promise<Document<Rulebook> | undefined> =>
  readCachedDocument(store, RULEBOOK_KEY, rulebookSchema);

const same = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);

/** The latest entry of each name. */
export const latestEntries = (book: Rulebook | undefined): Map<string, RulebookEntry> =>
  new Map((book?.entries ?? []).map((entry) => [entry.metric_name, entry]));

/** The time of the newest change, ms; 0 if nothing has changed. */
export const latestChangeTime = (book: Rulebook | undefined): number =>
  (book?.entries ?? []).reduce((last, { changed_at }) => Math.max(last, changed_at ?? 0), 0);

/** The order of rows matters within one experiment only. */
export const sortedByExperiment = (rows: readonly ThresholdRow[]): ThresholdRow[] =>
  [...rows].sort((a, b) => compareText(a.experiment_id ?? '', b.experiment_id ?? ''));

/**
 * The rulebook after a complete response of the catalog and with these settings. The first rows of a name, and the first
 * settings, apply to all days; a change applies from the day of `change`. A name missing from the response changes to no
 * rows. A process that does not support the versions of the rulebook changes nothing.
 * @returns the same object if nothing changed
 */
export const updateRulebook = (...parameters: Parameters<typeof updateRulebookSteps>): Rulebook =>
  finish(updateRulebookSteps(...parameters));

export function* updateRulebookSteps(
  book: Rulebook | undefined,
  response: CatalogRows,
  current: DomainSettings,
  change: ChangeTime,
  supported: Versions = OWN_VERSIONS,
): Steps<Rulebook> {
  if (book && !supports(supported, versionsInForce(book))) return book;
  const settings = { ...current, rules_version: settingsVersion(versionsInForce(book)) };
  const latestSettings = book?.settings.at(-1);
  const entries: RulebookEntry[] = book ? [...book.entries] : [];
  const latest = latestEntries(book);
  const at = Math.max(change.at, 1 + latestChangeTime(book));
  const metadata = new Map(response.metadata.map((row) => [row.metric_name, row]));
  const thresholds = groupBy(sortedByExperiment(response.thresholds), (row) => row.metric_name);
  for (const name of [...new Set([...metadata.keys(), ...thresholds.keys(), ...latest.keys()])].sort()) {
    yield;
    const known = latest.get(name);
    const next = { metadata: metadata.get(name) ?? null, thresholds: thresholds.get(name) ?? [] };
    if (known && same([known.metadata, known.thresholds], [next.metadata, next.thresholds])) continue;
    entries.push({
      metric_name: name,
      first_day: known ? change.from : null,
      changed_at: book ? at : null,
      ...next,
    });
  }
  const settingsBook = book?.settings ?? [];
  const sameSettings = latestSettings !== undefined && same(latestSettings.settings, settings);
  if (book && entries.length === book.entries.length && sameSettings) return book;
  return {
    ...(book ?? { version: 1, asked: EMPTY_QUERY }),
    entries,
    settings: sameSettings
      ? settingsBook
      : [...settingsBook, { first_day: latestSettings ? change.from : null, settings }],
  };
}

/** The rules of one day: of each name, the last entry that applies to it. */
export const rulesOn = (book: Rulebook, day: string): DayRules => finish(rulesOnSteps(book, day));

interface KnownRules {
  /** All days on which entries or settings begin to apply, ascending. */
  readonly firstDays: readonly string[];
  /** By the number of those days that have begun. */
  readonly rules: Map<number, DayRules>;
}
/** A rulebook is never modified: days with the same entries share their rules. */
const knownRules = new WeakMap<Rulebook, KnownRules>();
const MAX_KNOWN_RULES = 8;

/** As `rulesOn`: the same object for days to which the same entries apply. */
export function* rulesOnSteps(book: Rulebook, day: string): Steps<DayRules> {
  let known = knownRules.get(book);
  if (!known) {
    const firstDays = new Set<string>();
    for (const { first_day } of book.settings) if (first_day !== null) firstDays.add(first_day);
    for (const { first_day } of book.entries) {
      yield;
      if (first_day !== null) firstDays.add(first_day);
    }
    known = { firstDays: [...firstDays].sort(), rules: new Map() };
    knownRules.set(book, known);
  }
  const begun = known.firstDays.filter((first_day) => first_day <= day).length;
  let rules = known.rules.get(begun);
  if (!rules) {
    rules = yield* collectRules(book, day);
    if (known.rules.size >= MAX_KNOWN_RULES) known.rules.clear();
    known.rules.set(begun, rules);
  }
  return rules;
}

function* collectRules(book: Rulebook, day: string): Steps<DayRules> {
  const byName = new Map<string, RulebookEntry>();
  for (const entry of book.entries) {
    yield;
    if (appliesOn(entry, day)) byName.set(entry.metric_name, entry);
  }
  const entries = [...byName.values()].sort((a, b) => (a.metric_name < b.metric_name ? -1 : 1));
  const metadata: MetricMetadata[] = [];
  const thresholds: ThresholdRow[] = [];
  const hasDomains = hasForecasts(versionsInForce(book));
  for (const entry of entries) {
    yield;
    if (entry.metadata)
      metadata.push(hasDomains ? entry.metadata : { ...entry.metadata, min: null, max: null });
    for (const row of entry.thresholds) thresholds.push(row);
  }
  return { metadata, thresholds, settings: settingsOn(book, day) };
}

/** The domain settings of one day, as far as the versions in force know them. */
export function settingsOn(book: Rulebook, day: string): DomainSettings {
  const settings = book.settings.findLast((entry) => appliesOn(entry, day))?.settings;
  if (!settings) throw new RangeError('The rulebook contains no settings');
  return choosesNested(versionsInForce(book)) ? settings : { ...settings, count_nested_of: null };
}

const appliesOn = ({ first_day }: { readonly first_day: string | null }, day: string): boolean =>
  first_day === null || first_day <= day;
