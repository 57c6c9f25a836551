import {
  type Column,
  columnOfType,
  type DatasetDescription,
  date,
  double,
  doubleMap,
  instant,
  integer,
  OF_METRIC,
  STATUSES,
  text,
  texts,
  timestamp,
} from './column.js';
import { APPLICATION, LIMITS, NAMES_OF_RUN, TIME_OF_RUN, USER, VALUE } from './runs.js';

export const METRIC_TIMESERIES: DatasetDescription = {
  rowPer: 'eligible run and metric',
  sortedBy: ['application', 'metric_name', 'timestamp', 'run_id'],
  columns: [
    date(),
    TIME_OF_RUN,
    ...NAMES_OF_RUN,
    USER,
    APPLICATION,
    text('metric_name', 'Name of the metric in MLflow.'),
    VALUE,
    text('status', `${STATUSES}.`),
    double('moving_avg', 'Mean of the series over the `MOVING_AVERAGE_WINDOW_HOURS` that end with the run.', {
      unit: OF_METRIC,
      nulls: 'the window has no valid value',
    }),
    double('forecast', 'The value to expect from the runs before this one.', {
      unit: OF_METRIC,
      nulls: 'fewer than 5 valid values before this day',
    }),
    ...LIMITS,
    doubleMap('run_summary_metrics', 'At most 50 metrics of the run by name; null if NaN or infinite.', {
      unit: OF_METRIC,
    }),
    text('display_name', 'Name for people; `metric_name` if the catalog has none.'),
    text('unit', 'Unit of the value.', { nulls: 'the catalog does not say' }),
  ],
};

const count = (name: string, meaning: string) => integer(name, meaning, { unit: 'runs' });
const rate = (name: string, meaning: string, nulls: string) => double(name, meaning, { unit: '%', nulls });

const HOUR = timestamp('Start of the hour.');
const COUNTS: readonly Column[] = [
  count('total_runs', 'Eligible runs of the hour.'),
  count('critical_runs', 'Eligible runs with the status `critical`.'),
  count('warning_runs', 'Eligible runs with the status `warning`.'),
  count('healthy_runs', 'Eligible runs with the status `healthy`.'),
  count('invalid_runs', 'Eligible runs with the status `invalid`.'),
  count('unmonitored_runs', 'Eligible runs with the status `unmonitored`.'),
  count('running_runs', 'Runs that have not ended, without ignored children.'),
  count('failed_runs', 'Eligible runs that are FAILED or KILLED.'),
  rate('pass_rate', 'Share of healthy and warning runs among the evaluated ones.', 'no run was evaluated'),
  rate('strict_pass_rate', 'Share of healthy runs among the evaluated ones.', 'no run was evaluated'),
  rate('coverage', 'Share of evaluated runs among all.', 'there is no eligible run'),
  text(
    'light',
    '`critical`, `warning`, `healthy`, `unmonitored` or `no_data`, over the `LIGHT_SPAN_HOURS` that end with the hour.',
  ),
  text('light_reason', 'Why, in one sentence.'),
];

const SUMMARY =
  'STRUCT(latest_value DOUBLE, latest_status VARCHAR, avg_value DOUBLE, trend DOUBLE, display_name VARCHAR, unit VARCHAR)';

export const APPLICATION_SUMMARY: DatasetDescription = {
  rowPer: 'application and hour in which it has a run that is not an ignored child',
  sortedBy: ['application', 'timestamp'],
  columns: [
    date(),
    HOUR,
    APPLICATION,
    ...COUNTS,
    columnOfType(`MAP(VARCHAR, ${SUMMARY})`)(
      'metrics_summary',
      'By metric, as of the end of the hour: value and status of the newest run, mean and trend per day of the last 7 days.',
      { unit: OF_METRIC },
    ),
  ],
};

export const PLATFORM_SUMMARY: DatasetDescription = {
  rowPer: 'hour in which any application has a run that is not an ignored child',
  sortedBy: ['timestamp'],
  columns: [
    date(),
    HOUR,
    ...COUNTS,
    double('pass_rate_trend', 'Pass rate of the `LIGHT_SPAN_HOURS` minus that of the span before it.', {
      unit: 'percentage points',
      nulls: 'one of the two is null',
    }),
    texts('recent_run_ids', 'The 5 newest eligible runs of the hour, newest first.'),
    texts('active_applications', 'Applications with a run in the hour that is not an ignored child, sorted.'),
  ],
};

const bound = (name: string, meaning: string) => double(name, meaning, { unit: OF_METRIC });
const crossing = (name: string, meaning: string) =>
  instant(name, meaning, { nulls: 'probably not within the forecast, or it is crossed already' });

export const METRIC_FORECAST: DatasetDescription = {
  rowPer: 'series and step: 24 steps per day on which the series has a valid value',
  sortedBy: ['application', 'metric_name', 'timestamp'],
  columns: [
    date('Day of `fitted_at`; the steps may be on later days.'),
    timestamp('The time that the row forecasts.'),
    APPLICATION,
    text('metric_name', 'Name of the metric in MLflow.'),
    bound('forecast', 'The value to expect.'),
    bound('lower_80', 'Lower end of the 80 % band.'),
    bound('upper_80', 'Upper end of the 80 % band.'),
    bound('lower_95', 'Lower end of the 95 % band.'),
    bound('upper_95', 'Upper end of the 95 % band.'),
    text('breach_status', '`critical` or `warning`: the worse limit that may be crossed.', {
      nulls: 'none may be',
    }),
    crossing('breach_earliest', 'When it may be crossed at the earliest.'),
    crossing('breach_expected', 'When it is expected to be crossed.'),
    crossing('warning_earliest', 'The same for the limit of `warning`, at the earliest.'),
    crossing('warning_expected', 'The same, expected.'),
    crossing('critical_earliest', 'The same for the limit of `critical`, at the earliest.'),
    crossing('critical_expected', 'The same, expected.'),
    text('model', 'Method and parameters, as JSON.'),
    integer('points', 'Values that the forecast was computed from.', { unit: 'values' }),
    instant('fitted_at', 'Time of the last of these values.'),
  ],
};
