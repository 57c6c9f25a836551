import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseRunTimes } from '../../../src/enrichment/choose-run-times.js';
import { addRunTimes } from '../../../src/state/run-times.js';
import { Duck, sql } from '../../../src/storage/duck.js';
import { MemoryStore } from '../../support/memory-store.js';

let folder: string;
let duck: Duck;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run-time-'));
  duck = await Duck.open(folder);
});
afterAll(async () => {
  duck.close();
  await rm(folder, { recursive: true, force: true });
});

const FACTS = new URL('../../../src/enrichment/', import.meta.url).href;
type Observation = readonly [start: number | null, end: number | null];

/** The time of one run, ms, after a response that shows it with this start and end. */
async function timeOf(store: MemoryStore, [start_ms, end_ms]: Observation): Promise<number | null> {
  return duck.session(async (session) => {
    await session.run(
      `CREATE OR REPLACE TEMP TABLE parsed AS
       SELECT 'page' AS file, NULL::VARCHAR AS reason, NULL::VARCHAR AS record, 'run' AS run_id,
         CAST($start_ms AS BIGINT) AS start_ms, CAST($end_ms AS BIGINT) AS end_ms, '1' AS experiment_id,
         NULL AS run_name, NULL AS user_id, NULL AS run_status, NULL AS lifecycle_stage, NULL AS metrics, NULL AS params,
         NULL AS tags, NULL AS inputs, 'digest' AS content_digest`,
      { start_ms, end_ms },
    );
    await session.run(
      "CREATE OR REPLACE TEMP TABLE page_times AS SELECT 'page' AS file, 0::BIGINT AS date, 0::BIGINT AS began",
    );
    const chosen = await chooseRunTimes(session, (ended) => addRunTimes(store, ended));
    await session.run(sql(FACTS, './sql/latest.sql'), { chosen: JSON.stringify(chosen) });
    const [fact] = await session.rows<{ time_ms: number | null }>(
      'SELECT time_ms::DOUBLE AS time_ms FROM latest',
    );
    return fact?.time_ms ?? null;
  });
}

describe('the time of a run', () => {
  it.each<[string, Observation[], (number | null)[]]>([
    ['is its start', [[100, 200]], [100]],
    ['is its start while it runs', [[100, null]], [100]],
    ['is its end if it has no start', [[null, 200]], [200]],
    [
      'stays the first observed end if the run is updated',
      [
        [null, 200],
        [null, 300],
      ],
      [200, 200],
    ],
    [
      'is its start as soon as it has one',
      [
        [null, 200],
        [100, 300],
      ],
      [200, 100],
    ],
    ['is unknown without start and end', [[null, null]], [null]],
  ])('%s', async (_, observations, expected) => {
    const store = new MemoryStore();
    const times: (number | null)[] = [];
    for (const observation of observations) times.push(await timeOf(store, observation));
    expect(times).toEqual(expected);
  });
});
