import { MonitorError } from '../domain/errors.js';
import { gateVerdict, type JudgedRun } from '../domain/gate.js';
import { findModelVersion, type ModelReference, parseModelReference } from '../ingestion/model-registry.js';
import { RUN_ID } from '../ingestion/page-limit.js';
import type { Verdict, VerdictRequest, VerdictRun } from './contract.js';
import { type GateSource, type Listing, type LoadedRun, listExperiments, loadRun } from './load-run.js';
import { loadNewestRun, MAX_AGE_DAYS } from './newest-run.js';

/** What was found, and the model version through which it was named. `run` is null if there is no run to judge. */
interface Subject extends JudgedRun {
  readonly run: VerdictRun | null;
}

/**
 * Judges a run, a model version or an application now: reads the run from MLflow, and judges it as pipeline runs do.
 * @param rules where the rules come from, for people
 * @throws {MonitorError} `unknown_run`, `unknown_model`, `no_rules`, and errors of MLflow, the catalog and the store
 */
export async function judgeNow(source: GateSource, request: VerdictRequest, rules: string): Promise<Verdict> {
  const { min_coverage_percent, fail_on, max_drop_percent = null } = request;
  const listing = await listExperiments(source);
  const subject = await loadSubject(source, listing, request);
  const baseline =
    request.baseline === undefined ? null : await loadBaseline(source, listing, request, request.baseline);
  const result = gateVerdict(subject, baseline, { min_coverage_percent, fail_on, max_drop_percent });
  const { run, settled } = subject;
  return { ...result, waiting: !settled, rules, run, baseline: baseline?.run ?? null };
}

const withModel = ({ run, ...judged }: LoadedRun, model: VerdictRun['model'] = null): Subject => ({
  ...judged,
  run: { ...run, model },
});

const nothing = (unjudged: string): Subject => ({
  unjudged,
  run_status: null,
  settled: true,
  metrics: [],
  run: null,
});

async function loadSubject(source: GateSource, listing: Listing, request: VerdictRequest): Promise<Subject> {
  const { run, model, application = '' } = request;
  if (run !== undefined) return withModel(await loadRun(source, listing, run));
  if (model !== undefined) return loadModel(source, listing, parseModelReference(model));
  const newest = await loadNewestRun(source, listing, application);
  if (newest) return withModel(newest);
  return nothing(
    `No run of the application ${application} that counts began in the last ${MAX_AGE_DAYS} days.`,
  );
}

async function loadModel(source: GateSource, listing: Listing, reference: ModelReference): Promise<Subject> {
  const { name, version, run_id } = await findModelVersion(source.client, reference);
  if (run_id === null) return nothing(`Version ${version} of the model ${name} belongs to no run.`);
  return withModel(await loadRun(source, listing, run_id), { name, version });
}

/** MLflow creates such ids; an alias looks otherwise. */
const MLFLOW_RUN_ID = /^[0-9a-f]{32}$/;

async function loadBaseline(
  source: GateSource,
  listing: Listing,
  { model }: VerdictRequest,
  baseline: string,
): Promise<Subject> {
  if (/[@/]/.test(baseline)) return loadModel(source, listing, parseModelReference(baseline));
  if (model !== undefined && !MLFLOW_RUN_ID.test(baseline)) {
    return loadModel(source, listing, { name: parseModelReference(model).name, alias: baseline });
  }
  if (!RUN_ID.test(baseline)) throw new MonitorError('unknown_run', `${baseline} is not the id of a run`);
  return withModel(await loadRun(source, listing, baseline));
}
