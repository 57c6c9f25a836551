import {
  bigint,
  boolean,
  type Column,
  type DatasetDescription,
  date,
  double,
  doubleMap,
  instant,
  integer,
  OF_METRIC,
  STATUSES,
  text,
  textMap,
  timestamp,
} from './column.js';

const WHEN_A_RUN = 'When the run started; if MLflow does not say so, when its end was first seen.';
export const TIME_OF_RUN = timestamp(WHEN_A_RUN);
export const NAMES_OF_RUN: readonly Column[] = [
  text('run_id', 'Id of the run in MLflow.'),
  text('run_name', 'Name of the run, else the first 8 characters of its id.'),
];
export const USER = text('user_id', 'Who started the run.', { nulls: 'MLflow does not know' });
export const APPLICATION = text('application', 'The model or service that the run belongs to.');
export const LIMITS: readonly Column[] = [
  double('critical_threshold', 'Limit of `critical`.', { unit: OF_METRIC, nulls: 'there is no such limit' }),
  double('warning_threshold', 'Limit of `warning`.', { unit: OF_METRIC, nulls: 'there is no such limit' }),
];
export const VALUE = double('value', 'The last value that the run logged.', {
  unit: OF_METRIC,
  nulls: 'it is NaN or infinite',
});

const RUN: readonly Column[] = [
  ...NAMES_OF_RUN,
  text('experiment_id', 'Id of the experiment in MLflow.'),
  text('experiment_name', 'Name of the experiment, else its id.'),
  APPLICATION,
  USER,
  text('run_status', '`FINISHED`, `FAILED`, `KILLED`, `RUNNING` or `SCHEDULED`.'),
];
const ELIGIBLE = boolean('eligible', 'Whether the run counts in totals, rates, lights and series.');

export const RUNS: DatasetDescription = {
  rowPer: 'run',
  sortedBy: ['application', 'timestamp', 'run_id'],
  columns: [
    date(),
    TIME_OF_RUN,
    ...RUN,
    instant('start_time', 'When the run started.', { nulls: 'MLflow does not know' }),
    instant('end_time', 'When the run ended.', { nulls: 'it has not ended' }),
    text('parent_run_id', 'The run that this one is a child of.', { nulls: 'it is no child' }),
    ELIGIBLE,
    text('status', `The worst status of its metrics: ${STATUSES}.`),
    integer('evaluated_metrics', 'Metrics that are not `unmonitored`.', { unit: 'metrics' }),
    integer('total_metrics', 'Metrics of the run, without excluded ones.', { unit: 'metrics' }),
    textMap('params', 'Parameters by name.'),
    textMap('tags', 'Tags by name.'),
    doubleMap('run_summary_metrics', 'Values of its metrics by name; null if NaN or infinite.', {
      unit: OF_METRIC,
    }),
    boolean('ignored_child', 'Whether the run does not count because it is a child of another run.', {
      since: 3,
    }),
  ],
};

const UNLESS_CATALOG = 'the catalog does not say';
const NO_THRESHOLD = 'no threshold row applies';

export const ENRICHED_METRICS: DatasetDescription = {
  rowPer: 'run and metric',
  sortedBy: ['application', 'metric_name', 'timestamp', 'run_id'],
  columns: [
    date(),
    TIME_OF_RUN,
    ...RUN,
    ELIGIBLE,
    text('metric_name', 'Name of the metric in MLflow.'),
    VALUE,
    bigint('step', 'Step at which it was logged.', { nulls: 'MLflow does not know' }),
    instant('metric_timestamp', 'When it was logged.', { nulls: 'MLflow has no time from 1970 to 9999' }),
    text('model_id', 'Logged model that the value is of.', { nulls: 'none was named' }),
    text('dataset_name', 'Dataset that the value is of.', { nulls: 'none was named' }),
    text('display_name', 'Name for people; `metric_name` if the catalog has none.'),
    text('description', 'What the metric measures.', { nulls: UNLESS_CATALOG }),
    text('unit', 'Unit of the value.', { nulls: UNLESS_CATALOG }),
    text('category', 'Category in the catalog.', { nulls: UNLESS_CATALOG }),
    boolean('higher_is_better', 'The direction that it was judged by.', { nulls: 'it is not known' }),
    ...LIMITS,
    text('threshold_source', '`experiment` or `platform`: what the threshold row is for.', {
      nulls: NO_THRESHOLD,
    }),
    instant('threshold_updated_at', 'When the threshold row was changed.', {
      nulls: `${NO_THRESHOLD}, or it does not say`,
    }),
    text('threshold_updated_by', 'Who changed it.', { nulls: `${NO_THRESHOLD}, or it does not say` }),
    text('status', `${STATUSES}.`),
    text('invalid_kind', '`nan`, `inf` or `-inf`.', { nulls: 'the value is a number' }),
    double('min_value', 'Smallest value that the catalog allows.', {
      unit: OF_METRIC,
      nulls: UNLESS_CATALOG,
      since: 2,
    }),
    double('max_value', 'Largest value that the catalog allows.', {
      unit: OF_METRIC,
      nulls: UNLESS_CATALOG,
      since: 2,
    }),
  ],
};
