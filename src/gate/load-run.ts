import { unlink } from 'node:fs/promises';
import { inSlices } from '../config/event-loop.js';
import { MonitorError } from '../domain/errors.js';
import type { JudgedRun, RunMetric } from '../domain/gate.js';
import { dayOf } from '../domain/time.js';
import type { RulebookSource } from '../enrichment/judge-day.js';
import { judgePage } from '../enrichment/judge-page.js';
import { downloadPage } from '../ingestion/download-page.js';
import type { MlflowClient, MlflowRequests, RunQuery } from '../ingestion/mlflow-api.js';
import { findExperimentOf } from '../ingestion/model-registry.js';
import { mergeListing, type StoredExperiment } from '../state/experiments.js';
import type { RunTimes } from '../state/run-times.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import type { VerdictRun } from './contract.js';

/** Injection token of the `GateSource`. */
export const GATE_SOURCE = Symbol('GATE_SOURCE');

export interface GateSource {
  readonly client: MlflowClient & MlflowRequests;
  readonly duck: Duck;
  readonly rulebook: RulebookSource;
  /** The stored times of runs without a start time. */
  readonly runTimes: () => Promise<RunTimes>;
}

/** The experiments that MLflow lists, and its clock, ms. */
export interface Listing {
  readonly experiments: Readonly<Record<string, StoredExperiment>>;
  readonly date: number;
}

export async function listExperiments({ client }: GateSource): Promise<Listing> {
  const { experiments, date } = await client.listExperiments();
  return { experiments: await inSlices(mergeListing({}, experiments, date)), date };
}

/** A run of MLflow, judged. */
export interface LoadedRun extends JudgedRun {
  readonly run: Omit<VerdictRun, 'model'>;
}

/**
 * Reads a run from MLflow and judges it.
 * @throws {MonitorError} `unknown_run`
 */
export async function loadRun(source: GateSource, listing: Listing, runId: string): Promise<LoadedRun> {
  const experimentId = await findExperimentOf(source.client, runId);
  const query = {
    experiment_ids: [experimentId],
    filter: `attributes.run_id IN ('${runId}')`,
    max_results: 1,
  };
  return source.duck.session(async (session) => {
    const { runs, found } = await judgeSearch(source, session, listing, query, () =>
      readJudged(session, runId),
    );
    if (found) return found;
    if (runs === 0) throw new MonitorError('unknown_run', `MLflow has no run ${runId}`, { run_id: runId });
    const experiment = listing.experiments[experimentId];
    return {
      run: {
        run_id: runId,
        run_name: null,
        experiment_id: experimentId,
        experiment_name: experiment?.name ?? null,
        application: null,
        run_status: null,
        day: null,
      },
      run_status: null,
      settled: true,
      metrics: [],
      unjudged: await whyUnjudged(session, experiment),
    };
  });
}

/**
 * Searches for runs and judges a page of them.
 * @param visit called for each day of the page, newest first, until it finds something
 * @returns also the number of runs and the token of the next page
 */
export async function judgeSearch<T>(
  { client, rulebook, runTimes }: GateSource,
  session: DuckSession,
  { experiments }: Listing,
  query: RunQuery,
  visit: () => Promise<T | undefined>,
): Promise<{ readonly runs: number; readonly token: string | null; readonly found: T | undefined }> {
  const file = session.tempFile('page.json');
  try {
    const { info, bytes, response } = await downloadPage(client, session, query, file);
    const { runs, token } = info;
    const page = { file, date: response.date, began: response.began };
    const found =
      runs === 0
        ? undefined
        : await judgePage(session, page, bytes, { rulebook, experiments, runTimes }, visit);
    return { runs, token, found };
  } finally {
    await unlink(file).catch(() => undefined);
  }
}

interface ActiveRun extends Omit<VerdictRun, 'model' | 'day'> {
  readonly settled: boolean;
  /** ms */
  readonly time: number;
}

/** The judged run of the day in `active`; `undefined` if it has none with this id. */
export async function readJudged(session: DuckSession, run_id: string): Promise<LoadedRun | undefined> {
  const read = <T>(file: string) => session.rows<T>(sql(import.meta.url, file), { run_id });
  const [active] = await read<ActiveRun>('./sql/judged_run.sql');
  if (!active) return undefined;
  const { settled, time, ...run } = active;
  const rows = await read<RunMetric>('./sql/judged_run_metrics.sql');
  const metrics = rows.map((metric) => ({ ...metric, metric_name: metric.metric_name.slice(1) }));
  return { run: { ...run, day: dayOf(time) }, run_status: run.run_status, settled, metrics, unjudged: null };
}

interface UnjudgedRun {
  readonly reason: string | null;
  readonly lifecycle_stage: string;
  readonly has_time: boolean;
}

async function whyUnjudged(session: DuckSession, experiment: StoredExperiment | undefined): Promise<string> {
  const [run] = await session.rows<UnjudgedRun>(sql(import.meta.url, './sql/unjudged_run.sql'));
  if (run?.reason) return `The run cannot be read: ${run.reason}.`;
  if (run?.lifecycle_stage === 'deleted') return 'The run is deleted in MLflow.';
  if (experiment?.lifecycle_stage === 'deleted') return 'The experiment of the run is deleted in MLflow.';
  if (run && !run.has_time) return 'The run has neither a start nor an end time.';
  return 'The experiment of the run is not monitored (EXPERIMENT_INCLUDE, EXPERIMENT_EXCLUDE).';
}
