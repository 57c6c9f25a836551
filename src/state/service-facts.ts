import { errorMessage } from '../domain/errors.js';
import { PIPELINE_KINDS, type PipelineKind } from '../domain/model.js';
import { brokenKeyOf } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import { EMPTY_OUTBOX, type Outbox, readOutbox } from './alerts/outbox.js';
import { type CatalogState, readCatalogState } from './catalog-state.js';
import { readExperiments, type StoredExperiment } from './experiments.js';
import { readJudgingSettings, type StoredJudgingSettings } from './judging-settings.js';
import { INITIAL_KIND_STATE, type KindState, readKindState } from './kind-state.js';
import { type OpenMlflowRun, readOpenMlflowRuns } from './open-mlflow-runs.js';
import { type QualityFinding, readQualityFindings } from './quality-findings.js';
import { type RewriteProgress, rewriteProgress } from './rewrite-progress.js';
import { readRulebook } from './rulebook.js';
import type { Versions } from './versions.js';
import { isRewritten, versionsInForce } from './versions.js';
import { readWatermarks, type Watermarks } from './watermarks.js';

/** The documents from which the status of the service is computed; the same for every process. */
export interface ServiceFacts {
  readonly kinds: Readonly<Record<PipelineKind, KindState>>;
  readonly experiments: Readonly<Record<string, StoredExperiment>>;
  readonly watermarks: Watermarks;
  readonly openMlflowRuns: readonly OpenMlflowRun[];
  readonly catalog: CatalogState;
  /** null until a scheduler has stored them. */
  readonly judging: StoredJudgingSettings | null;
  /** The checks of data quality that fail. */
  readonly quality: readonly QualityFinding[];
  /** The versions in force. */
  readonly versions: Versions;
  /** null if all stored days have the versions in force. */
  readonly rewrite: RewriteProgress | null;
  /** The messages of alerts that are not finished. */
  readonly unfinishedMessages: Outbox['unfinished'];
  /** Why documents are invalid. Their facts are those of a new store. */
  readonly broken: readonly string[];
}

export async function loadServiceFacts(store: ObjectStore): Promise<ServiceFacts> {
  const broken: string[] = [];
  const read = async <T>(document: Promise<T>, initial: T): Promise<T> => {
    try {
      return await document;
    } catch (error) {
      if (brokenKeyOf(error) === undefined) throw error;
      broken.push(errorMessage(error));
      return initial;
    }
  };
  const entryOf = async (kind: PipelineKind) =>
    [kind, await read(readKindState(store, kind), INITIAL_KIND_STATE)] as const;
  const [kinds, experiments, watermarks, openMlflowRuns, catalog, judging, book, outbox, quality] =
    await Promise.all([
      Promise.all(PIPELINE_KINDS.map(entryOf)),
      read(readExperiments(store), {}),
      read(readWatermarks(store), {}),
      read(readOpenMlflowRuns(store), []),
      readCatalogState(store),
      read(readJudgingSettings(store), undefined),
      read(readRulebook(store), undefined),
      read(readOutbox(store), EMPTY_OUTBOX),
      read(readQualityFindings(store), []),
    ]);
  const versions = versionsInForce(book);
  return {
    kinds: Object.fromEntries(kinds) as Record<PipelineKind, KindState>,
    experiments,
    watermarks,
    openMlflowRuns,
    catalog,
    judging: judging ?? null,
    quality,
    versions,
    rewrite: isRewritten(book) ? null : await rewriteProgress(store, versions),
    unfinishedMessages: outbox.unfinished,
    broken: broken.sort(),
  };
}
