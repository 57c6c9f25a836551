import { MonitorError } from '../domain/errors.js';
import { WHITE_SPACE } from '../domain/text.js';
import type { EnrichResult, FetchResult } from '../pipeline/stage-contracts.js';
import { type DuckSession, sql } from '../storage/duck.js';
import { type JudgeTools, judgeDay } from './judge-day.js';
import { mergeDay } from './merge-day.js';
import { quarantine } from './quarantine.js';
import { chooseRunTimes } from './run-times.js';

export interface EnrichTools extends JudgeTools {
  readonly serverNow: () => Promise<number>;
  /** Puts runs on the list of those that later pipeline runs ask for. */
  readonly addOpenMlflowRuns: (runs: readonly AskedAgain[]) => Promise<void>;
  /** Called after each day. */
  readonly heartbeat: () => void;
}

interface AskedAgain {
  readonly run_id: string;
  readonly experiment_id: string;
  /** null: it has no time yet. */
  readonly day: string | null;
}

/**
 * Brings the pages of one slice into the base and judges every day they touch, changed or not: a first try may have
 * died between the write and its marker.
 * @param asked the open runs that the pipeline run asks for; only of these is it told whether they are closed
 */
export async function enrichSlice(
  tools: EnrichTools,
  pipelineRunId: string,
  fetched: FetchResult,
  asked: ReadonlySet<string>,
): Promise<EnrichResult> {
  const merged = await tools.duck.session((session) =>
    mergeSlice(tools, session, pipelineRunId, fetched, asked),
  );
  const observed = fetched.pages.reduce((newest, { date }) => Math.max(newest, date), 0) || undefined;
  for (const day of merged.touched_days) {
    const counts = await judgeDay(tools, day, observed);
    merged.partitions_written += counts.written;
    merged.partitions_unchanged += counts.unchanged;
    tools.heartbeat();
  }
  return merged;
}

async function mergeSlice(
  tools: EnrichTools,
  session: DuckSession,
  pipelineRunId: string,
  fetched: FetchResult,
  asked: ReadonlySet<string>,
): Promise<EnrichResult> {
  await loadFacts(tools, session, fetched);
  const result: EnrichResult = {
    touched_days: [],
    runs: 0,
    metrics: 0,
    inserted: 0,
    updated: 0,
    unchanged: 0,
    superseded: 0,
    quarantined: await quarantine(session, tools.store, pipelineRunId),
    closed: [],
    partitions_written: 0,
    partitions_unchanged: 0,
  };
  const [size] = await session.rows<{ runs: number; metrics: number }>(
    'SELECT count(*)::INTEGER AS runs, coalesce(sum(len(metrics)), 0)::INTEGER AS metrics FROM facts',
  );
  result.runs = size?.runs ?? 0;
  result.metrics = size?.metrics ?? 0;
  const days = await session.rows<{ day: string }>(
    `SELECT DISTINCT CAST(day AS VARCHAR) AS day FROM (SELECT day FROM facts UNION ALL SELECT day FROM gone)
     WHERE day IS NOT NULL ORDER BY day DESC`,
  );
  const asking = new Map<string, AskedAgain>();
  for (const { day } of days) {
    const counts = await mergeDay(session, tools, day);
    result.inserted += counts.inserted;
    result.updated += counts.updated;
    result.unchanged += counts.unchanged;
    result.superseded += counts.superseded;
    for (const run of counts.undecided) asking.set(run.run_id, { ...run, day });
    result.touched_days.push(day);
    tools.heartbeat();
  }
  const runs = await session.rows<AskedAgain & { open: boolean }>(
    sql(import.meta.url, './sql/slice_runs.sql'),
  );
  for (const { open, ...run } of runs) if (open) asking.set(run.run_id, run);
  if (asking.size > 0) await tools.addOpenMlflowRuns([...asking.values()]);
  result.closed = [...runs, ...fetched.gone]
    .map(({ run_id }) => run_id)
    .filter((run_id) => asked.has(run_id) && !asking.has(run_id));
  return result;
}

/** Fills `parsed`, `facts`, `gone` and `page_answers` from the pages in scratch. */
async function loadFacts(tools: EnrichTools, session: DuckSession, fetched: FetchResult): Promise<void> {
  // Two pages of the same bytes are one file; what was observed last counts.
  const answers = new Map<string, { file: string; date: number; began: number }>();
  for (const page of fetched.pages) {
    const stored = await tools.store.fetch(page.key);
    if (!stored) {
      throw new MonitorError(
        'raw_page_gone',
        `The page ${page.key} is no longer there`,
        { key: page.key },
        true,
      );
    }
    const known = answers.get(stored.file);
    if (!known || known.began < page.began) {
      answers.set(stored.file, { file: stored.file, date: page.date, began: page.began });
    }
  }
  await session.run(sql(import.meta.url, './sql/page_answers.sql'), {
    answers: JSON.stringify([...answers.values()]),
  });
  if (answers.size > 0) {
    await session.run(sql(import.meta.url, './sql/read_pages.sql'), {
      files: [...answers.keys()],
      bytes: Math.max(...fetched.pages.map(({ bytes }) => bytes)),
    });
  } else {
    await session.run('CREATE OR REPLACE TEMP TABLE sent (file VARCHAR, run JSON)');
  }
  await session.run(sql(import.meta.url, './sql/parse_runs.sql'), { white_space: WHITE_SPACE });
  await session.run('DROP TABLE sent');
  const chosen = await chooseRunTimes(session, tools.store);
  await session.run(sql(import.meta.url, './sql/facts.sql'), { chosen: JSON.stringify(chosen) });
  await session.run(sql(import.meta.url, './sql/gone.sql'), { gone: JSON.stringify(fetched.gone) });
}
