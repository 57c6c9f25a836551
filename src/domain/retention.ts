import { LOOK_BACK_DAYS } from './moving-statistics.js';
import { addDays } from './time.js';

/** What may be deleted by age. All but `_raw` have one folder per UTC day. */
export const RETAINED = [
  'runs',
  'enriched_metrics',
  'metric_timeseries',
  'metric_forecast',
  'application_summary',
  'platform_summary',
  'quarantine',
  'threshold_changes',
  'data_quality',
  'alerts',
  '_base',
  '_audit',
  '_raw',
] as const;
export type Retained = (typeof RETAINED)[number];

/** How many days before today are kept. What is not named is kept for ever. `_raw`: days after its pipeline run finished. */
export type RetentionDays = Readonly<Partial<Record<Retained, number>>> & { readonly _raw: number };
const DEFAULT_RAW_DAYS = 3;

/** By name of a dataset, the first day that is kept and published: `YYYY-MM-DD`. */
export type FirstDays = Readonly<Partial<Record<string, string>>>;

/** What is computed from `enriched_metrics`, and goes with it. */
export const WITH_ENRICHED: readonly string[] = ['_sums', '_tails'];
const datasetOf = (name: string): string => (WITH_ENRICHED.includes(name) ? 'enriched_metrics' : name);

/** Whether the day of a dataset is kept. */
export const isKept = (first: FirstDays, dataset: string, day: string): boolean =>
  day >= (first[datasetOf(dataset)] ?? '');

/** Whether everything that the aggregates of a day are computed from is kept. If not, what is published stays as it is. */
export function isComputable(first: FirstDays, day: string): boolean {
  const oldest = addDays(day, -LOOK_BACK_DAYS);
  return isKept(first, 'runs', oldest) && isKept(first, 'enriched_metrics', oldest);
}

/** Whether everything that a derived object is computed from is kept. */
export function isRewritable(first: FirstDays, dataset: string, day: string): boolean {
  if (dataset === 'runs' || dataset === 'enriched_metrics') return isKept(first, '_base', day);
  // Forecasts need `enriched_metrics` with the columns of the same version.
  if (dataset === 'metric_forecast')
    return isKept(first, '_base', day) && isKept(first, 'enriched_metrics', day);
  return isComputable(first, day);
}

/** The first days to keep. @param today `YYYY-MM-DD` */
export function firstDaysOn(today: string, { _raw, ...days }: RetentionDays): FirstDays {
  return Object.fromEntries(Object.entries(days).map(([name, kept]) => [name, addDays(today, -kept)]));
}

/** Of each dataset, the later of two first days: they never move back. */
export function laterOf(a: FirstDays, b: FirstDays): Record<string, string> {
  const later: Record<string, string> = {};
  for (const [name, day] of [...Object.entries(a), ...Object.entries(b)]) {
    if (day !== undefined && day > (later[name] ?? '')) later[name] = day;
  }
  return later;
}

const MAX_DAYS = 36_500;
const isRetained = (name: string): name is Retained => (RETAINED as readonly string[]).includes(name);

/**
 * Parses `runs=365,_base=400`.
 * @returns `undefined` if an item has another form, an unknown name or a name that occurs twice
 */
export function parseRetention(text: string): RetentionDays | undefined {
  const days: Partial<Record<Retained, number>> = {};
  for (const item of text.split(',').filter((each) => each.trim() !== '')) {
    const [, name = '', number = ''] = /^\s*([a-z_]+)\s*=\s*(\d{1,5})\s*$/.exec(item) ?? [];
    if (!isRetained(name) || days[name] !== undefined) return undefined;
    const kept = Number(number);
    if (kept < 1 || kept > MAX_DAYS) return undefined;
    days[name] = kept;
  }
  return { _raw: DEFAULT_RAW_DAYS, ...days };
}

/**
 * Why data would be deleted that is still needed: one clause per dataset.
 * @param reread LOOKBACK_DAYS_HISTORICAL: days that historical runs read again
 * @param rejudged REEVALUATE_DAYS: days to which a changed threshold applies
 */
export function retentionProblems(days: RetentionDays, reread: number, rejudged: number): string[] {
  const facts = Math.max(reread, rejudged);
  const rules: readonly (readonly [names: readonly Retained[], least: number, reason: string])[] = [
    [
      ['_base'],
      facts,
      'historical runs read LOOKBACK_DAYS_HISTORICAL days again, and a changed threshold applies to REEVALUATE_DAYS days',
    ],
    [
      ['runs', 'enriched_metrics'],
      facts + LOOK_BACK_DAYS,
      `days are judged again for as long as _base must be kept, and aggregates need the ${LOOK_BACK_DAYS} days before each of them`,
    ],
    [
      ['metric_timeseries', 'metric_forecast', 'application_summary', 'platform_summary'],
      LOOK_BACK_DAYS + 1,
      `a change of a day is published in the ${LOOK_BACK_DAYS} days after it`,
    ],
  ];
  return rules.flatMap(([names, least, reason]) =>
    names.flatMap((name) => {
      const kept = days[name];
      return kept === undefined || kept >= least ? [] : [`${name} needs at least ${least} days: ${reason}`];
    }),
  );
}
