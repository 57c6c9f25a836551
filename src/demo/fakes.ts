/** A run of the demo's tracking server. */
export interface FakeRun {
  run_id: string;
  /** null: the run has neither a name nor the tag `mlflow.runName`. */
  run_name: string | null;
  experiment_id: string;
  user_id: string | null;
  status: 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';
  /** ms; the REST API returns null as 0. */
  start_time: number | null;
  end_time: number | null;
  lifecycle_stage: 'active' | 'deleted';
  metrics: { key: string; value: number; step: number | bigint; timestamp: number; model_id?: string }[];
  params: Record<string, string>;
  tags: Record<string, string>;
}
export interface FakeExperiment {
  experiment_id: string;
  name: string;
  lifecycle_stage: 'active' | 'deleted';
  tags: Record<string, string>;
  creation_time: number;
}
export interface FakeResponse {
  readonly status: number;
  readonly body: string;
  /** Added to the default headers, or replacing them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Closes the connection in the middle of the body. */
  readonly cut?: boolean;
}
export interface FakeRequest {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}
