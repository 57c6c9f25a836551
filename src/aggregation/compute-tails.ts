import { DOUBLE, INTEGER, VARCHAR } from '@duckdb/node-api';
import { breachesOf } from '../domain/forecast/breach.js';
import { joinLists } from '../domain/join-lists.js';
import { dayStart } from '../domain/time.js';
import { type Column, type DuckSession, sql } from '../storage/duck.js';
import { createPartMacro, type DayPart } from '../storage/parts.js';
import { readDayPoints } from '../storage/series-sums.js';
import { continueSeries, type DaySeries, type SeriesForecast } from './continue-series.js';
import { type FitAll, KnownFits } from './known-fits.js';
import { columnsOfRows, digestOfRows, rowsOfColumns } from './tail-rows.js';

/** Local files. */
export interface TailFiles {
  /** `enriched_metrics` of the part. */
  readonly enriched: string;
  /** `_tails` of the last stored day before it. They may have rows of applications of other parts. */
  readonly before: readonly string[];
  /** The object `_tails` that is replaced, if there is one: its parameters need not be chosen again from the same points. */
  readonly replaced: string | undefined;
}

/**
 * Makes what the statements read that write `_tails` and `metric_forecast` of a part of a day: `tails`, `forecasts` and
 * `forecast_steps`.
 * @param rules version of the rules
 * @returns the digest of what the following day goes on from
 */
export async function computeTails(
  session: DuckSession,
  { day, part, files }: DayPart,
  { enriched, before, replaced }: TailFiles,
  lookbackMs: number,
  rules: number,
  fitAll: FitAll,
): Promise<string> {
  await createPartMacro(session);
  await session.run(sql(import.meta.url, './sql/day_limits.sql'), { enriched });
  const series = seriesOf(await session.columns(sql(import.meta.url, './sql/day_limits_columns.sql')));
  const points = await readDayPoints(session, day, enriched);
  const tails =
    before.length === 0
      ? []
      : rowsOfColumns(
          await session.columns(sql(import.meta.url, './sql/read_tails.sql'), { tails: before, part, files }),
        );
  const known = new KnownFits(rules);
  for (const row of tails) known.add(row);
  if (replaced !== undefined) {
    const statement = sql(import.meta.url, './sql/known_fits.sql');
    const { points_digest = [], parameters = [] } = await session.columns(statement, { tails: [replaced] });
    for (const [i, digest] of points_digest.entries())
      known.add({ digest: String(digest), parameters: parameters[i] as string | null });
  }
  const from = dayStart(day);
  const { rows, forecasts } = await continueSeries(
    { from, series, points, tails, known, lookbackMs },
    fitAll,
  );
  await session.createTable('tails', columnsOfRows(rows));
  await session.createTable('forecasts', forecastColumns(forecasts));
  await session.createTable('forecast_steps', stepColumns(forecasts));
  return digestOfRows(rows);
}

function seriesOf(columns: Readonly<Record<string, readonly unknown[]>>): DaySeries[] {
  const {
    application = [],
    metric_name = [],
    higher_is_better = [],
    min_value = [],
    max_value = [],
  } = columns;
  const { warning_threshold = [], critical_threshold = [] } = columns;
  const known = (value: unknown) => (typeof value === 'number' ? value : undefined);
  return application.map((name, i) => ({
    application: String(name),
    metric_name: String(metric_name[i]),
    limits: {
      higher_is_better: typeof higher_is_better[i] === 'boolean' ? higher_is_better[i] : null,
      warning_threshold: known(warning_threshold[i]) ?? null,
      critical_threshold: known(critical_threshold[i]) ?? null,
      min: known(min_value[i]),
      max: known(max_value[i]),
    },
  }));
}

/** What copy_metric_forecast.sql reads of each series. Times in ms. */
function forecastColumns(forecasts: readonly SeriesForecast[]): Record<string, Column> {
  const last = ({ points: { times } }: SeriesForecast): number => times.at(-1) as number;
  const breaches = forecasts.map((each) => breachesOf(each.forecast, last(each), each.limits));
  const time = (pick: (each: (typeof breaches)[number]) => number | undefined): Column => ({
    type: DOUBLE,
    values: breaches.map((each) => pick(each) ?? null),
  });
  const ofStatus = ({ status, ...both }: (typeof breaches)[number]) => status && both[status];
  return {
    series: { type: DOUBLE, values: Float64Array.from(forecasts.keys()) },
    application: { type: VARCHAR, values: forecasts.map(({ application }) => application) },
    metric_name: { type: VARCHAR, values: forecasts.map(({ metric_name }) => metric_name) },
    breach_status: { type: VARCHAR, values: breaches.map(({ status }) => status) },
    breach_earliest: time((each) => ofStatus(each)?.earliest),
    breach_expected: time((each) => ofStatus(each)?.expected),
    warning_earliest: time(({ warning }) => warning?.earliest),
    warning_expected: time(({ warning }) => warning?.expected),
    critical_earliest: time(({ critical }) => critical?.earliest),
    critical_expected: time(({ critical }) => critical?.expected),
    model: { type: VARCHAR, values: forecasts.map(({ model }) => model) },
    points: { type: INTEGER, values: forecasts.map(({ points }) => points.times.length) },
    fitted_at: { type: DOUBLE, values: forecasts.map(last) },
  };
}

/** What copy_metric_forecast.sql reads of each step. */
function stepColumns(forecasts: readonly SeriesForecast[]): Record<string, Column> {
  const column = (pick: (each: SeriesForecast, number: number) => Float64Array): Column => ({
    type: DOUBLE,
    values: joinLists(forecasts.map(pick)),
  });
  return {
    series: column(({ forecast }, number) => new Float64Array(forecast.times.length).fill(number)),
    step: column(({ forecast }) => Float64Array.from(forecast.times.keys())),
    time: column(({ forecast }) => forecast.times),
    forecast: column(({ forecast }) => forecast.forecast),
    lower_80: column(({ forecast }) => forecast.lower80),
    upper_80: column(({ forecast }) => forecast.upper80),
    lower_95: column(({ forecast }) => forecast.lower95),
    upper_95: column(({ forecast }) => forecast.upper95),
  };
}
