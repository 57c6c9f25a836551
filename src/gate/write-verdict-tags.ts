import { type GateVerdict, gateVerdict } from '../domain/gate.js';
import { type ModelVersion, recentModelVersions, setModelVersionTag } from '../ingestion/model-registry.js';
import { RUN_ID } from '../ingestion/page-limit.js';
import { sql } from '../storage/duck.js';
import { verdictRequestSchema } from './contract.js';
import { chunksOf, experimentsInScope } from './experiments-in-scope.js';
import { type GateSource, judgeSearch, listExperiments, readJudged } from './load-run.js';

/** The tag of a model version that holds its verdict. */
export const VERDICT_TAG = 'monitor.verdict';

/** A tag that was written. */
export interface WrittenTag extends Pick<ModelVersion, 'name' | 'version'> {
  readonly verdict: GateVerdict;
}

/**
 * Writes the verdict on each model version that was created or changed since a time as a tag, where the tag has another
 * value. Versions without a run, and versions whose run has not ended or is not judged, keep the tag they have.
 * @param since ms
 * @throws {MonitorError} the errors of MLflow, the catalog and the store; earlier tags of the call are written then
 */
export async function writeVerdictTags(source: GateSource, since: number): Promise<WrittenTag[]> {
  const versions = await recentModelVersions(source.client, since);
  const runIds = new Set(
    versions.flatMap(({ run_id }) => (run_id !== null && RUN_ID.test(run_id) ? [run_id] : [])),
  );
  const verdicts = runIds.size === 0 ? new Map<string, GateVerdict>() : await judgeRuns(source, [...runIds]);
  const written: WrittenTag[] = [];
  for (const version of versions) {
    const verdict = verdicts.get(version.run_id ?? '');
    if (verdict === undefined || version.tags[VERDICT_TAG] === verdict) continue;
    await setModelVersionTag(source.client, version, VERDICT_TAG, verdict);
    written.push({ name: version.name, version: version.version, verdict });
  }
  return written;
}

/** The verdicts on the runs that have ended and that the service judges, by the defaults of the gate. */
async function judgeRuns(source: GateSource, runIds: readonly string[]): Promise<Map<string, GateVerdict>> {
  const listing = await listExperiments(source);
  const { ids } = await experimentsInScope(source, listing);
  const { min_coverage_percent, fail_on } = verdictRequestSchema.parse({ run: 'any' });
  const policy = { min_coverage_percent, fail_on, max_drop_percent: null };
  const verdicts = new Map<string, GateVerdict>();
  for (const run_ids of chunksOf(runIds)) {
    const filter = `attributes.run_id IN (${run_ids.map((id) => `'${id}'`).join(',')})`;
    for (const experiment_ids of chunksOf(ids)) {
      await source.duck.session((session) =>
        judgeSearch(
          source,
          session,
          listing,
          { experiment_ids, filter, max_results: run_ids.length },
          async () => {
            const statement = sql(import.meta.url, './sql/active_runs.sql');
            for (const { run_id } of await session.rows<{ run_id: string }>(statement)) {
              const run = await readJudged(session, run_id);
              if (run?.settled) verdicts.set(run_id, gateVerdict(run, null, policy).verdict);
            }
            return undefined;
          },
        ),
      );
    }
  }
  return verdicts;
}
