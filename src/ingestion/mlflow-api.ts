import type { z } from 'zod';
import type { ResponseTime } from '../domain/merge-precedence.js';

/** Injection token of the `MlflowClient`. */
export const MLFLOW_CLIENT = Symbol('MLFLOW_CLIENT');

/** An experiment as MLflow lists it. */
export interface Experiment {
  readonly experiment_id: string;
  readonly name: string;
  readonly lifecycle_stage: 'active' | 'deleted';
  readonly tags: Readonly<Record<string, string>>;
  /** ms; null if the server does not return it. */
  readonly creation_time: number | null;
}

/** A search of runs: the client adds view ALL. */
export interface RunQuery {
  readonly experiment_ids: readonly string[];
  /** MLflow's filter language, AND only. */
  readonly filter: string;
  readonly max_results: number;
  readonly page_token?: string;
  /** By default ascending `start_time`. */
  readonly order_by?: readonly string[];
}

export interface SearchOptions {
  /** Fails on the first timeout (`isTimeout`), without a retry: the caller requests fewer runs. */
  readonly failOnTimeout?: boolean;
}

/** The calls of MLflow's REST API that this service makes. They throw `MonitorError`, `retryable` if a later try may succeed. */
export interface MlflowClient {
  /** All pages of experiments, view ALL. */
  listExperiments(): Promise<{ readonly experiments: readonly Experiment[] } & ResponseTime>;
  /** The server's clock, ms: one short request, which fails if the server is down. */
  serverTime(): Promise<number>;
  /**
   * Streams one page into `file` as it was sent, without parsing it. If the transfer breaks, the whole page is fetched again.
   * @throws {PageTooBigError} if the page is larger than the limit
   */
  searchRuns(
    query: RunQuery,
    file: string,
    options?: SearchOptions,
  ): Promise<{ readonly bytes: number } & ResponseTime>;
}

/** Requests whose responses are small and read whole, with the retries and limits of all others. */
export interface MlflowRequests {
  /**
   * @param path such as `runs/get`
   * @param data the query of a `GET`, or the body
   * @throws {MonitorError} `mlflow_refused` with the `status` of the response in its context, `mlflow_not_json` if the
   * response does not match the schema
   */
  request<T>(
    method: 'GET' | 'POST',
    path: string,
    data: Readonly<Record<string, string>>,
    schema: z.ZodType<T>,
  ): Promise<T>;
}
