import { PIPELINE_KINDS, type PipelineKind } from '../domain/model.js';
import type { ObjectStore } from '../storage/object-store.js';
import { type CatalogState, readCatalogState } from './catalog-state.js';
import { readExperiments, type StoredExperiment } from './experiments.js';
import { type KindState, readKindState } from './kind-state.js';
import { readWatermarks, type Watermarks } from './watermarks.js';

/** The documents from which the status of the service is computed; the same for every process. */
export interface ServiceFacts {
  readonly kinds: Readonly<Record<PipelineKind, KindState>>;
  readonly experiments: Readonly<Record<string, StoredExperiment>>;
  readonly watermarks: Watermarks;
  readonly catalog: CatalogState;
}

export async function loadServiceFacts(store: ObjectStore): Promise<ServiceFacts> {
  const entryOf = async (kind: PipelineKind) => [kind, await readKindState(store, kind)] as const;
  const [kinds, experiments, watermarks, catalog] = await Promise.all([
    Promise.all(PIPELINE_KINDS.map(entryOf)),
    readExperiments(store),
    readWatermarks(store),
    readCatalogState(store),
  ]);
  return {
    kinds: Object.fromEntries(kinds) as Record<PipelineKind, KindState>,
    experiments,
    watermarks,
    catalog,
  };
}
