import type { FakeExperiment, FakeRun } from './fakes.js';

/** MLflow leaves out a list that is empty. */
const listed = (name: string, record: Readonly<Record<string, string>>): object => {
  const entries = Object.entries(record).map(([key, value]) => ({ key, value }));
  return entries.length > 0 ? { [name]: entries } : {};
};

/** MLflow's SQL store keeps infinities as the largest doubles, and JSON has no NaN. */
const number = (value: number): number | string =>
  Number.isNaN(value) ? 'NaN' : Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));

export function experimentJson({
  experiment_id,
  name,
  lifecycle_stage,
  tags,
  creation_time,
}: FakeExperiment) {
  return {
    experiment_id,
    name,
    artifact_location: `mlflow-artifacts:/${experiment_id}`,
    lifecycle_stage,
    last_update_time: creation_time,
    creation_time,
    ...listed('tags', tags),
  };
}

/** Absent are an end that is not there yet, and a name that neither the run nor its tag has. */
export function runJson(run: FakeRun) {
  const { run_id, experiment_id, run_name, user_id, status, start_time, end_time, lifecycle_stage } = run;
  // The name is a tag too.
  const tags = run_name === null ? run.tags : { 'mlflow.runName': run_name, ...run.tags };
  const name = run_name ?? run.tags['mlflow.runName'];
  const metrics = run.metrics.map(({ key, value, timestamp, step }) => ({
    key,
    value: number(value),
    timestamp,
    step: typeof step === 'bigint' ? `${BIG}${step}` : step,
  }));
  return {
    info: {
      run_uuid: run_id,
      experiment_id,
      ...(name === undefined ? {} : { run_name: name }),
      user_id: user_id ?? '',
      status,
      start_time: start_time ?? 0,
      ...(end_time ? { end_time } : {}),
      artifact_uri: `mlflow-artifacts:/${experiment_id}/${run_id}/artifacts`,
      lifecycle_stage,
      run_id,
    },
    data: {
      ...(metrics.length > 0 ? { metrics } : {}),
      ...listed('params', run.params),
      ...listed('tags', tags),
    },
    inputs: {},
    outputs: {},
  };
}

/** Stands before a whole number that a double cannot hold; no text that MLflow takes begins with it. */
const BIG = '\u0000';
const BIG_IN_JSON = /"\\u0000(-?\d+)"/g;

/** JSON as MLflow writes it: an int64 is a number, to its last digit. */
export function jsonOf(value: object): string {
  const text = JSON.stringify(value, null, 2);
  return text.includes('"\\u0000') ? text.replaceAll(BIG_IN_JSON, '$1') : text;
}
