import { DOUBLE, INTEGER, VARCHAR } from '@duckdb/node-api';
import { inSlices } from '../config/event-loop.js';
import { groupBy } from '../domain/group-by.js';
import { type HourCounts, type JudgedHour, judgeHours, sumByHour } from '../domain/hourly-rollup.js';
import { joinLists } from '../domain/join-lists.js';
import { rates } from '../domain/light.js';
import type { DomainSettings } from '../domain/model.js';
import { LOOK_BACK_DAYS } from '../domain/moving-statistics.js';
import { addDays, dayStart, MS_PER_HOUR } from '../domain/time.js';
import { doublesOfBytes } from '../storage/double-bytes.js';
import { type Column, type DuckSession, sql } from '../storage/duck.js';
import { createRunsMacro } from '../storage/judged-runs.js';
import { createPartMacro, type DayPart } from '../storage/parts.js';
import { averagesOf, type NumberedPoints, type SeriesDay, spansOf } from './series-statistics.js';

/** Local files. */
export interface SeriesFiles {
  /** `enriched_metrics` of the part. */
  readonly enriched: string;
  /** `_sums` of the 7 days before the day and of the day, oldest first. They may have rows of applications of other parts. */
  readonly sums: readonly string[];
}

/** How many days before a day its aggregates read row by row. */
export const daysBefore = (
  settings: DomainSettings,
): { readonly runs: number; readonly enriched: number } => ({
  // The pass rate of an hour is compared with that of the span before it.
  runs: Math.ceil((2 * settings.light_span_hours - 1) / 24),
  enriched: Math.ceil(settings.moving_average_window_hours / 24),
});

/**
 * The counts of the runs per application and hour.
 * @param runs local files of `runs` of the day and of at least `daysBefore(settings).runs` days before it
 * @param part whose applications are counted; undefined: all
 */
export async function countHours(
  session: DuckSession,
  runs: readonly string[],
  settings: DomainSettings,
  { part, files }: Pick<DayPart, 'part' | 'files'> = { part: 0, files: 1 },
): Promise<HourCounts[]> {
  await createPartMacro(session);
  await createRunsMacro(session);
  return session.rows<HourCounts>(sql(import.meta.url, './sql/hour_counts.sql'), {
    runs,
    part,
    files,
    count_nested_runs: settings.count_nested_runs,
  });
}

/** Makes what copy_platform_summary.sql reads: `platform_hours`. */
export async function computePlatform(
  session: DuckSession,
  day: string,
  hours: readonly HourCounts[],
  settings: DomainSettings,
): Promise<void> {
  const platform = judgeHours(sumByHour(hours), dayStart(day), settings);
  await session.createTable('platform_hours', {
    ...hourColumns(platform),
    pass_rate_trend: { type: DOUBLE, values: platform.map(({ pass_rate_trend }) => pass_rate_trend) },
  });
}

/**
 * Makes what copy_metric_timeseries.sql reads: `averages`.
 * @param enriched local files of `enriched_metrics`, oldest day first: of at least `daysBefore(settings).enriched` days before
 * the day, which may have rows of applications of other parts, and last of the part
 * @param forecasts of its eligible rows in their order; undefined: there are none
 */
export async function computeAverages(
  session: DuckSession,
  { day, part, files }: DayPart,
  enriched: readonly string[],
  settings: DomainSettings,
  forecasts: Float64Array | undefined,
): Promise<void> {
  await createPartMacro(session);
  await session.run(sql(import.meta.url, './sql/window_series.sql'), { enriched, part, files });
  const windowMs = settings.moving_average_window_hours * MS_PER_HOUR;
  const points = await readPoints(session, day, enriched, windowMs);
  const today = pointsOfDay(points);
  const none = new Float64Array(today.row.length).fill(Number.NaN);
  await session.createTable('averages', {
    row: { type: DOUBLE, values: today.row },
    moving_avg: { type: DOUBLE, values: await inSlices(averagesOf(points, windowMs)) },
    forecast: { type: DOUBLE, values: forecasts ?? none },
  });
}

/** The forecasts of the eligible rows of a part, in their order; NaN where there is none. @param tails a local file of `_tails` */
export async function readForecasts(session: DuckSession, tails: string): Promise<Float64Array> {
  const columns = await session.columns(sql(import.meta.url, './sql/read_predictions.sql'), { tails });
  return joinLists((columns.predictions ?? []).map(doublesOfBytes));
}

/**
 * Makes what copy_application_summary.sql reads of a part of the applications: `application_hours`, `series` and
 * `metric_spans`.
 */
export async function computeApplications(
  session: DuckSession,
  part: DayPart,
  hours: readonly HourCounts[],
  files: SeriesFiles,
  settings: DomainSettings,
): Promise<void> {
  const from = dayStart(part.day);
  const byApplication = groupBy(hours, ({ application }) => application);
  const applications = [...byApplication].flatMap(([application, rows]) =>
    judgeHours(sumByHour(rows), from, settings).map((hour) => ({ application, ...hour })),
  );
  await session.createTable('application_hours', {
    application: { type: VARCHAR, values: applications.map(({ application }) => application) },
    ...hourColumns(applications),
  });
  const judgedHours = groupBy(applications, ({ application }) => application);
  await computeSeries(session, part, files, (application) =>
    (judgedHours.get(application) ?? []).map(({ hour }) => (hour - from) / MS_PER_HOUR),
  );
}

/**
 * Makes `series` and `metric_spans`.
 * @param hoursOf the hours of an application: ascending, 0 to 23
 */
async function computeSeries(
  session: DuckSession,
  { day, part, files }: DayPart,
  { enriched, sums }: SeriesFiles,
  hoursOf: (application: string) => readonly number[],
): Promise<void> {
  const from = dayStart(day);
  const firstDay = addDays(day, -LOOK_BACK_DAYS);
  await session.run(sql(import.meta.url, './sql/series.sql'), { sums, day, part, files });
  const { application: names = [], before = [] } = await session.columns(
    sql(import.meta.url, './sql/series_columns.sql'),
    { from: BigInt(dayStart(firstDay)) },
  );
  const window = {
    points: await readPoints(session, day, [enriched], 0),
    sums: await readSums(session, firstDay, day, sums),
    before: Float64Array.from(before, Number),
  };
  const hoursByName = new Map<string, readonly number[]>();
  const spans = await inSlices(
    spansOf(window, (series) => {
      const name = String(names[series]);
      const known = hoursByName.get(name) ?? hoursOf(name);
      hoursByName.set(name, known);
      return known;
    }),
  );
  await session.createTable('metric_spans', {
    series: { type: DOUBLE, values: spans.series },
    hour: { type: DOUBLE, values: spans.hour.map((hour) => from + hour * MS_PER_HOUR) },
    row: { type: DOUBLE, values: spans.row },
    avg_value: { type: DOUBLE, values: spans.avg_value },
    trend: { type: DOUBLE, values: spans.trend },
  });
}

/**
 * The points of the day, and those up to `windowMs` before it, whose times are negative.
 * @param enriched local files, last that of the day
 */
async function readPoints(
  session: DuckSession,
  day: string,
  enriched: readonly string[],
  windowMs: number,
): Promise<NumberedPoints> {
  const from = dayStart(day);
  const [series = EMPTY, time = EMPTY, value = EMPTY, row = EMPTY] = await session.doubles(
    sql(import.meta.url, './sql/window_points.sql'),
    { enriched, from: BigInt(from), after: BigInt(from - Math.max(1, windowMs)) },
  );
  return { series, time, value, row };
}

const EMPTY = new Float64Array();

function pointsOfDay({ series, time, value, row }: NumberedPoints): NumberedPoints {
  const length = time.reduce((count, each) => (each < 0 ? count : count + 1), 0);
  const today = {
    series: new Float64Array(length),
    time: new Float64Array(length),
    value: new Float64Array(length),
    row: new Float64Array(length),
  };
  let next = 0;
  for (let i = 0; i < time.length; i++) {
    if ((time[i] as number) < 0) continue;
    today.series[next] = series[i] as number;
    today.time[next] = time[i] as number;
    today.value[next] = value[i] as number;
    today.row[next++] = row[i] as number;
  }
  return today;
}

async function readSums(
  session: DuckSession,
  firstDay: string,
  day: string,
  files: readonly string[],
): Promise<SeriesDay[]> {
  const columns = await session.columns(sql(import.meta.url, './sql/window_sums.sql'), {
    sums: files,
    first_day: firstDay,
    day,
  });
  const { series = [], day: days = [], sums = [] } = columns;
  return series.map((each, i) => ({
    series: Number(each),
    day: Number(days[i]),
    rows: doublesOfBytes(sums[i]),
  }));
}

function hourColumns(hours: readonly JudgedHour[]): Record<string, Column> {
  const integers = (pick: (hour: JudgedHour) => number): Column => ({
    type: INTEGER,
    values: hours.map(pick),
  });
  const rate = (name: 'pass_rate' | 'strict_pass_rate' | 'coverage'): Column => ({
    type: DOUBLE,
    values: hours.map(({ counts }) => rates(counts)[name]),
  });
  return {
    hour: { type: DOUBLE, values: hours.map(({ hour }) => hour) },
    total_runs: integers(({ counts }) => counts.total),
    critical_runs: integers(({ counts }) => counts.critical),
    warning_runs: integers(({ counts }) => counts.warning),
    healthy_runs: integers(({ counts }) => counts.healthy),
    invalid_runs: integers(({ counts }) => counts.invalid),
    unmonitored_runs: integers(({ counts }) => counts.unmonitored),
    running_runs: integers(({ counts }) => counts.running),
    failed_runs: integers(({ counts }) => counts.failed),
    pass_rate: rate('pass_rate'),
    strict_pass_rate: rate('strict_pass_rate'),
    coverage: rate('coverage'),
    light: { type: VARCHAR, values: hours.map(({ light }) => light) },
    light_reason: { type: VARCHAR, values: hours.map(({ light_reason }) => light_reason) },
  };
}
