import {
  bigint,
  boolean,
  type DatasetDescription,
  date,
  double,
  instant,
  integer,
  OF_METRIC,
  text,
  timestamp,
} from './column.js';

export const QUARANTINE: DatasetDescription = {
  rowPer: 'run that cannot be read',
  sortedBy: ['timestamp', 'record_digest'],
  columns: [
    date(),
    timestamp('When the record was first observed.'),
    text('record_digest', 'SHA-256 of `record`.'),
    text('pipeline_run_id', 'The pipeline run that read it first.'),
    text('run_id', 'Id of the run in MLflow.', { nulls: 'it has none, or the row counts what did not fit' }),
    text('reason', 'Why it cannot be read.'),
    text('record', 'What MLflow sent, as JSON; the beginning if it is long.'),
  ],
};

export const DATA_QUALITY: DatasetDescription = {
  rowPer: 'check and change of its verdict',
  sortedBy: ['application', 'timestamp', 'pipeline_run_id', 'check_name'],
  columns: [
    date(),
    timestamp('End of the window that was checked.'),
    text('pipeline_run_id', 'The pipeline run that was checked.'),
    text('check_name', 'Name of the check.'),
    text('application', 'The application that was checked.', { nulls: 'all together' }),
    text('severity', '`error` or `warning`.'),
    boolean('passed', 'Whether it passed.'),
    double('measured', 'What was measured; the check defines the unit.', {
      nulls: 'nothing could be measured',
    }),
    double('limit', 'What it was compared with, in the same unit.'),
    bigint('affected_rows', 'Rows that fail the check.', { unit: 'rows' }),
    text('sample', 'At most 5 examples, as a JSON list.'),
  ],
};

const limit = (name: string, meaning: string) =>
  double(name, meaning, { unit: OF_METRIC, nulls: 'there is no such limit' });

export const THRESHOLD_CHANGES: DatasetDescription = {
  rowPer: 'metric and experiment whose limits changed',
  sortedBy: ['metric_name', 'timestamp', 'experiment_id'],
  columns: [
    date(),
    timestamp('When the change was detected.'),
    text('metric_name', 'Name or pattern of the threshold row.'),
    text('experiment_id', 'Experiment of the threshold row.', { nulls: 'the platform' }),
    limit('old_critical_threshold', 'Limit of `critical` before.'),
    limit('old_warning_threshold', 'Limit of `warning` before.'),
    limit('new_critical_threshold', 'Limit of `critical` after.'),
    limit('new_warning_threshold', 'Limit of `warning` after.'),
    text('updated_by', 'Who changed it.', { nulls: 'the catalog does not say' }),
    integer('runs_changed', 'Stored runs with another status of a metric.', { unit: 'runs' }),
  ],
};

const OF_RULE = 'that of the rule';

export const ALERTS: DatasetDescription = {
  rowPer: 'change of an incident',
  sortedBy: ['evaluation', 'transition_id'],
  columns: [
    date(),
    timestamp('End of the window that was evaluated.'),
    bigint('evaluation', 'Sequence number of the evaluation.'),
    text('transition_id', 'Id of the change: the evaluation and a number.'),
    text('incident_id', 'Id of the incident.'),
    text('pipeline_run_id', 'The delta that was evaluated.', { nulls: 'a check of services' }),
    text('rule', 'The rule that was broken.'),
    text('scope', 'What the incident is about, such as `metric` or `application`.'),
    text('application', 'The application.', { nulls: 'it is not about one' }),
    text('metric_name', 'The metric.', { nulls: 'it is not about one' }),
    text('item', 'The quality check, or the id of the experiment.', { nulls: 'it is not about one' }),
    text('severity', '`critical`, `warning` or `info`.'),
    text('change', 'What happened, such as `opened` or `resolved`.'),
    text('from_state', 'State before.', { nulls: 'there was no incident' }),
    text('to_state', 'State after.', { nulls: 'there is no incident any more' }),
    double('value', 'What was measured.', { unit: OF_RULE, nulls: 'there is no number' }),
    double('limit', 'What it was compared with.', { unit: OF_RULE, nulls: 'there is no limit' }),
    text('unit', 'Unit of both.', { nulls: 'they have none' }),
    double('worst', 'The worst value since the incident began.', {
      unit: OF_RULE,
      nulls: 'there is no number',
    }),
    text('cause', '`new_value`, `new_threshold` or `late_data`.', { nulls: 'it is not about a metric' }),
    text('reason', 'Why, in one sentence.', { nulls: 'the rule does not say' }),
    text('run_id', 'The run that it is about.', { nulls: 'it is not about one' }),
    instant('since', 'When the condition was first met.'),
    text('owner', 'Who owns the application.', { nulls: 'nobody is named' }),
    text('actor', 'Who muted or acknowledged it.', { nulls: 'no person made the change' }),
    text('mute_reason', 'Why it was muted.', { nulls: 'it was not' }),
    boolean('digest_only', 'Whether it is only mentioned in a digest.'),
    text('digest_reason', '`first_evaluation`, `late_data`, `policy` or `upgrade`.', {
      nulls: '`digest_only` is false',
    }),
  ],
};
