import { DOUBLE, INTEGER, VARCHAR } from '@duckdb/node-api';
import { groupBy } from '../domain/group-by.js';
import { type HourCounts, type JudgedHour, judgeHours, sumByHour } from '../domain/hourly-rollup.js';
import { rates } from '../domain/light.js';
import type { DomainSettings } from '../domain/model.js';
import { dayStart, MS_PER_HOUR } from '../domain/time.js';
import { type Column, type DuckSession, sql } from '../storage/duck.js';
import { averagesFrom, type Points, spansOf } from './series-statistics.js';

/** Local files of the judged datasets of a day and the 7 days before it, oldest first. */
export interface JudgedFiles {
  readonly runs: readonly string[];
  readonly enriched: readonly string[];
}

/** Makes what the statements `copy_*.sql` read: `points`, `averages`, `metric_spans`, `application_hours` and `platform_hours`. */
export async function computeDay(
  session: DuckSession,
  day: string,
  files: JudgedFiles,
  settings: DomainSettings,
): Promise<void> {
  const from = dayStart(day);
  const hours = await session.rows<HourCounts>(sql(import.meta.url, './sql/hour_counts.sql'), {
    runs: files.runs,
    count_nested_runs: settings.count_nested_runs,
  });
  const byApplication = groupBy(hours, ({ application }) => application);
  const applications = [...byApplication].flatMap(([application, rows]) =>
    judgeHours(sumByHour(rows), from, settings).map((hour) => ({ application, ...hour })),
  );
  await session.createTable('application_hours', {
    application: { type: VARCHAR, values: applications.map(({ application }) => application) },
    ...hourColumns(applications),
  });
  const platform = judgeHours(sumByHour(hours), from, settings);
  await session.createTable('platform_hours', {
    ...hourColumns(platform),
    pass_rate_trend: { type: DOUBLE, values: platform.map(({ pass_rate_trend }) => pass_rate_trend) },
  });
  const judgedHours = groupBy(applications, ({ application }) => application);
  await computeSeries(session, files.enriched, from, settings, (application) =>
    (judgedHours.get(application) ?? []).map(({ hour }) => hour),
  );
}

/**
 * Makes `points`, `averages` and `metric_spans`.
 * @param from start of the day, ms
 * @param hoursOf the hours of an application: ascending starts, ms
 */
async function computeSeries(
  session: DuckSession,
  enriched: readonly string[],
  from: number,
  settings: DomainSettings,
  hoursOf: (application: string) => readonly number[],
): Promise<void> {
  await session.run(sql(import.meta.url, './sql/points.sql'), { enriched });
  const [series, time, value] = await session.doubles(sql(import.meta.url, './sql/point_columns.sql'));
  const points: Points = {
    series: series ?? new Float64Array(),
    time: time ?? new Float64Array(),
    value: value ?? new Float64Array(),
  };
  const { application: names = [] } = await session.columns(sql(import.meta.url, './sql/series.sql'));
  const averages = averagesFrom(points, from, settings.moving_average_window_hours * MS_PER_HOUR);
  await session.createTable('computed', {
    point: { type: DOUBLE, values: averages.point },
    moving_avg: { type: DOUBLE, values: averages.moving_avg },
  });
  await session.run(sql(import.meta.url, './sql/averages.sql'));
  const spans = spansOf(points, (index) => hoursOf(String(names[index])));
  await session.createTable('metric_spans', {
    hour: { type: DOUBLE, values: spans.hour },
    point: { type: DOUBLE, values: spans.point },
    avg_value: { type: DOUBLE, values: spans.avg_value },
    trend: { type: DOUBLE, values: spans.trend },
  });
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
