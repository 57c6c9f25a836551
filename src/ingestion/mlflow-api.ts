import type { ResponseTime } from '../domain/merge-precedence.js';

/** Injection token of the `MlflowClient`. */
export const MLFLOW_CLIENT = Symbol('MLFLOW_CLIENT');

/** An experiment as MLflow lists it. */
export interface Experiment {
  readonly experiment_id: string;
  readonly name: string;
  readonly lifecycle_stage: 'active' | 'deleted';
  readonly tags: Readonly<Record<string, string>>;
  /** ms; null where the server does not say. */
  readonly creation_time: number | null;
}

/** One search of runs, always in `start_time` order, view ALL, with `max_results`. */
export interface RunQuery {
  readonly experiment_ids: readonly string[];
  /** MLflow's filter language, AND only. */
  readonly filter: string;
  readonly max_results: number;
  readonly page_token?: string;
}

/** The calls of MLflow's REST API that this service makes; what each throws is a `MonitorError`, `retryable` where trying later can help. */
export interface MlflowClient {
  /** All experiments, view ALL, every page. */
  listExperiments(): Promise<{ readonly experiments: readonly Experiment[] } & ResponseTime>;
  /** Streams the answer's bytes into `file`, not parsed; retried whole when the transfer breaks or ends early. */
  searchRuns(query: RunQuery, file: string): Promise<{ readonly bytes: number } & ResponseTime>;
  /** One run's raw answer of `runs/get`; undefined if MLflow does not know it. */
  getRun(runId: string, file: string): Promise<({ readonly bytes: number } & ResponseTime) | undefined>;
}
