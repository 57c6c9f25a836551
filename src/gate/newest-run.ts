import { MS_PER_DAY } from '../domain/time.js';
import { applicationOf } from '../enrichment/application-of.js';
import { quoted } from '../ingestion/model-registry.js';
import { sql } from '../storage/duck.js';
import { chunksOf, experimentsInScope } from './experiments-in-scope.js';
import { type GateSource, judgeSearch, type Listing, type LoadedRun, readJudged } from './load-run.js';

/** Older runs say nothing about an application of today, days. */
export const MAX_AGE_DAYS = 30;
const RUNS_PER_PAGE = 50;

/** Some experiments, and which of their runs may be of the application. */
interface Search {
  readonly experiment_ids: readonly string[];
  readonly terms: readonly string[];
}

/**
 * The newest run of an application that counts. MLflow is searched with the newest start first: in the experiments that are
 * the application's all runs, in the others those with the tag.
 * @returns `undefined` if none began in the last `MAX_AGE_DAYS`
 */
export async function loadNewestRun(
  source: GateSource,
  listing: Listing,
  application: string,
): Promise<LoadedRun | undefined> {
  let from = Math.max(1, listing.date - MAX_AGE_DAYS * MS_PER_DAY);
  let newest: LoadedRun | undefined;
  for (const search of await searchesFor(source, listing, application)) {
    const found = await searchNewest(source, listing, application, search, from);
    if (!found) continue;
    newest = found.run;
    from = found.time + 1;
  }
  return newest;
}

async function searchesFor(source: GateSource, listing: Listing, application: string): Promise<Search[]> {
  const { ids, tag } = await experimentsInScope(source, listing);
  const isOwn = (id: string) => applicationOf(id, listing.experiments[id], tag) === application;
  const tagged = [`tags.\`${tag}\` = ${quoted(application)}`];
  return [
    ...chunksOf(ids.filter(isOwn)).map((experiment_ids) => ({ experiment_ids, terms: [] })),
    ...chunksOf(ids.filter((id) => !isOwn(id))).map((experiment_ids) => ({ experiment_ids, terms: tagged })),
  ];
}

/** @param from the earliest start, ms */
function searchNewest(
  source: GateSource,
  listing: Listing,
  application: string,
  { experiment_ids, terms }: Search,
  from: number,
): Promise<{ readonly run: LoadedRun; readonly time: number } | undefined> {
  const query = {
    experiment_ids,
    filter: [`attributes.start_time >= ${from}`, ...terms].join(' AND '),
    max_results: RUNS_PER_PAGE,
    order_by: ['attributes.start_time DESC'],
  };
  return source.duck.session(async (session) => {
    const newestOfDay = async () => {
      const statement = sql(import.meta.url, './sql/newest_run.sql');
      const [row] = await session.rows<{ run_id: string; time: number }>(statement, { application });
      const run = row && (await readJudged(session, row.run_id));
      return run && { run, time: row.time };
    };
    let page_token: string | undefined;
    for (;;) {
      const page = { ...query, ...(page_token === undefined ? {} : { page_token }) };
      const { runs, token, found } = await judgeSearch(source, session, listing, page, newestOfDay);
      if (found || runs === 0 || token === null) return found;
      page_token = token;
    }
  });
}
