import type { FakeExperiment, FakeRun } from './fakes.js';

/** MLflow omits empty lists. */
const keyValueList = (name: string, record: Readonly<Record<string, string>>): object => {
  const entries = Object.entries(record).map(([key, value]) => ({ key, value }));
  return entries.length > 0 ? { [name]: entries } : {};
};

/** MLflow's SQL store replaces infinities by ±`Number.MAX_VALUE`, and JSON has no NaN. */
const metricValue = (value: number): number | string =>
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
    ...keyValueList('tags', tags),
  };
}

/** MLflow omits `end_time` of a run that has not ended, and `run_name` if neither the run nor its tag has one. */
export function runJson(run: FakeRun) {
  const { run_id, experiment_id, run_name, user_id, status, start_time, end_time, lifecycle_stage } = run;
  // MLflow also stores the name as a tag.
  const tags = run_name === null ? run.tags : { 'mlflow.runName': run_name, ...run.tags };
  const name = run_name ?? run.tags['mlflow.runName'];
  const metrics = run.metrics.map(({ key, value, timestamp, step, model_id }) => ({
    ...(model_id === undefined ? {} : { model_id }),
    key,
    value: metricValue(value),
    timestamp,
    step: typeof step === 'bigint' ? `${BIGINT_PREFIX}${step}` : step,
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
      ...keyValueList('params', run.params),
      ...keyValueList('tags', tags),
    },
    inputs: {},
    outputs: {},
  };
}

/** Marks an integer that a double cannot represent. No string in MLflow starts with this character. */
const BIGINT_PREFIX = '\u0000';
const BIGINT_IN_JSON = /"\\u0000(-?\d+)"/g;

/** Serializes like MLflow: an int64 is a JSON number with all its digits. */
export function jsonOf(value: object): string {
  const text = JSON.stringify(value, null, 2);
  return text.includes('"\\u0000') ? text.replaceAll(BIGINT_IN_JSON, '$1') : text;
}
