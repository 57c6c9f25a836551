import { MonitorError } from '../domain/errors.js';
import type { PipelineKind } from '../domain/model.js';
import { dayOf, dayStart } from '../domain/time.js';
import type { FetchResult, Plan, Slice } from '../pipeline/stage-contracts.js';
import { mergeExperiments } from '../state/experiments.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { baseKey } from '../storage/keys.js';
import { RunSearch, type RunSearchTools } from './run-search.js';

export interface FetchTools extends RunSearchTools {
  readonly duck: Duck;
}

interface SliceTask {
  readonly runId: string;
  readonly kind: PipelineKind;
  readonly plan: Plan;
  readonly slice: Slice;
}

type Gone = FetchResult['gone'][number] & { readonly experiment_id: string };
interface Answers {
  readonly asker: RunSearch;
  readonly gone: readonly Gone[];
}

/** Kinds that make whole days equal to MLflow. */
const SWEEPS: ReadonlySet<PipelineKind> = new Set(['historical', 'backfill', 'bootstrap']);

/**
 * Downloads what MLflow has for one slice. A chunk that MLflow refuses is asked experiment by experiment. Afterwards the
 * experiments are listed again: one that is no longer listed did not answer, and nothing of it is gone.
 */
export async function fetchSlice(tools: FetchTools, task: SliceTask): Promise<FetchResult> {
  return tools.duck.session(async (session) => {
    const ids = task.plan.chunks[task.slice.chunk]?.experiment_ids ?? [];
    const refused: FetchResult['refused'] = [];
    const all: Answers[] = [];
    try {
      all.push(await askChunk(tools, session, task, ids));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      for (const id of ids) {
        try {
          all.push(await askChunk(tools, session, task, [id]));
        } catch (alone) {
          if (!isRefusal(alone)) throw alone;
          refused.push({ experiment_id: id, message: alone.message });
        }
      }
    }
    const listing = await tools.client.listExperiments();
    await mergeExperiments(tools.store, listing.experiments, listing.date);
    const listed = new Set(listing.experiments.map(({ experiment_id }) => experiment_id));
    const failed = new Set(refused.map(({ experiment_id }) => experiment_id));
    return {
      pages: all.flatMap(({ asker }) => asker.pages),
      gone: all
        .flatMap(({ gone }) => gone)
        .filter(({ experiment_id }) => listed.has(experiment_id))
        .map(({ run_id, day, date, began }) => ({ run_id, day, date, began })),
      answered: ids.filter((id) => listed.has(id) && !failed.has(id)),
      refused,
      bytes: all.reduce((sum, { asker }) => sum + asker.bytes, 0),
    };
  });
}

const isRefusal = (error: unknown): error is MonitorError =>
  error instanceof MonitorError && error.code === 'mlflow_refused';

async function askChunk(
  tools: FetchTools,
  session: DuckSession,
  { runId, kind, plan, slice }: SliceTask,
  ids: readonly string[],
): Promise<Answers> {
  const asker = new RunSearch(tools, session, `_raw/${runId}/${slice.id}`, plan.page_size);
  if (ids.length === 0) return { asker, gone: [] };
  await asker.search(ids, slice.open_end ? [] : [`attributes.start_time < ${slice.to}`], slice.from);
  const chunk = plan.chunks[slice.chunk];
  const wanted = new Map<string, { experiment_id: string; day: string | null }>();
  if (slice.last && chunk) {
    const before = `attributes.start_time < ${chunk.from}`;
    await asker.search(ids, [before, `attributes.end_time >= ${chunk.from}`], null);
    await asker.search(ids, [before, "attributes.status = 'RUNNING'"], null);
    await asker.search(ids, [before, "attributes.status = 'SCHEDULED'"], null);
    for (const { run_id, experiment_id, day } of plan.open) {
      if (ids.includes(experiment_id) && !isOfAnotherSlice(day, chunk.from, slice)) {
        wanted.set(run_id, { experiment_id, day });
      }
    }
  }
  if (SWEEPS.has(kind) || chunk?.sweep) {
    const day = dayOf(slice.from);
    for (const run of await storedRuns(tools, session, day, ids)) wanted.set(run.run_id, { ...run, day });
  }
  const unseen = [...wanted.keys()].filter((id) => !asker.seen.has(id));
  const missing = await asker.findByIds(ids, unseen);
  const gone = missing.flatMap(({ run_id, answer: { date, began } }) => {
    const run = wanted.get(run_id);
    return run ? [{ run_id, ...run, date, began }] : [];
  });
  return { asker, gone };
}

/** Whether the first question of another slice returns a run of that day. */
function isOfAnotherSlice(day: string | null, from: number, slice: Slice): boolean {
  return day !== null && dayStart(day) >= from && day !== dayOf(slice.from);
}

async function storedRuns(
  tools: FetchTools,
  session: DuckSession,
  day: string,
  experiments: readonly string[],
): Promise<{ run_id: string; experiment_id: string }[]> {
  const base = await tools.store.fetch(baseKey(day));
  if (!base) return [];
  return session.rows(sql(import.meta.url, './sql/stored_runs.sql'), {
    base: base.file,
    experiments: experiments,
  });
}
