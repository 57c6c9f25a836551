import { imbalanceOf, type LedgerEntry } from '../../src/domain/ledger.js';
import type { EnrichResult } from '../../src/pipeline/stage-contracts.js';
import { type OpenService, openService } from '../support/open-service.js';
import { rounds } from '../support/rounds.js';
import { type DayOptions, ScriptedDay } from '../support/scripted-day.js';

/** A day takes 7 s of CPU. */
const SEEDS = Array.from({ length: rounds(5, 30) }, (_, seed) => seed + 1);
/** An evening and a night: runs of two UTC days. */
const EVENING = { from: Date.parse('2026-03-10T20:30:00Z'), to: Date.parse('2026-03-11T02:00:00Z') };
/** The clocks of runs are up to 90 minutes behind: no run is dated before the day from which a sweep reads. */
const WHOLE_DAY = { from: Date.parse('2026-03-10T02:00:00Z'), to: Date.parse('2026-03-11T02:00:00Z') };
const DELTA_MINUTES = rounds(60, 5);
/** With a delta every 5 minutes, a day is hundreds of pipeline runs. */
const TIME_LIMIT_MS = 900_000;
/** One request at a time: equal seeds give equal requests. */
const ENV = { LOOKBACK_DAYS_HISTORICAL: '1', MLFLOW_CONCURRENCY: '1', BATCH_SIZE: '100' };

interface Watched {
  readonly watched: OpenService;
  readonly fresh: OpenService;
  readonly ledger: readonly LedgerEntry[];
  /** Runs that deltas have not published, or not as they are, although they could see the changes. */
  readonly lost: readonly string[];
}

/** Content digests of the stored runs that MLflow still has, by id. */
async function factsOf({ resources: { store, duck } }: OpenService): Promise<Map<string, string>> {
  const files: string[] = [];
  for await (const { key } of store.list('_base/')) {
    const object = await store.fetch(key);
    if (object) files.push(object.file);
  }
  const statement = "SELECT run_id, content_digest FROM read_parquet($files) WHERE lifecycle_stage <> 'gone'";
  const rows = await duck.session((session) =>
    session.rows<{ run_id: string; content_digest: string }>(statement, { files }),
  );
  return new Map(rows.map(({ run_id, content_digest }) => [run_id, content_digest]));
}

/** Deltas of a day with outages, a sweep at its end, and a sweep into an empty store. */
async function watchDay(
  options: DayOptions,
  minutes: readonly [from: number, to: number],
  inspect: (outcome: Watched) => Promise<void>,
): Promise<void> {
  const day = await ScriptedDay.start(options);
  const open = () => openService({ trackingUri: day.mlflow.uri, clock: day.clock, env: ENV });
  const watched = await open();
  const fresh = await open();
  try {
    const ledger: LedgerEntry[] = [];
    watched.engine.events.on('stage', ({ stage, result }) => {
      if (stage === 'enrich') ledger.push(...((result as EnrichResult | null)?.ledger ?? []));
    });
    while (!day.isOver) {
      day.pass(day.nextDelta(...minutes));
      await watched.run('delta');
    }
    day.end();
    day.pass(30);
    expect(await watched.run('delta')).toMatchObject({ status: 'done', refused: [] });
    expect(await fresh.run('bootstrap')).toMatchObject({ status: 'done', refused: [] });
    const [published, expected] = [await factsOf(watched), await factsOf(fresh)];
    const ids = [...new Set([...published.keys(), ...expected.keys()])];
    const lost = ids.filter((id) => published.get(id) !== expected.get(id) && !day.unseen.has(id));
    day.pass(30);
    expect(await watched.run('historical')).toMatchObject({ status: 'done', refused: [] });
    await inspect({ watched, fresh, ledger, lost });
  } finally {
    await watched.close();
    await fresh.close();
    await day.mlflow.close();
  }
}

async function expectEqual({ watched, fresh, ledger, lost }: Watched): Promise<void> {
  expect(lost).toEqual([]);
  expect(await watched.digests()).toEqual(await fresh.digests());
  expect(ledger.length).toBeGreaterThan(0);
  expect(ledger.filter((entry) => imbalanceOf(entry) !== 0)).toEqual([]);
}

describe('after a day of deltas with outages', () => {
  it.each(SEEDS)('the tables equal those of a sweep into an empty store (seed %i)', async (seed) => {
    await watchDay({ seed, runs: 60, ...EVENING }, [30, 60], expectEqual);
  });

  it(
    'the tables of 2,000 runs equal those of a sweep into an empty store',
    () => watchDay({ seed: 0, runs: 2_000, ...WHOLE_DAY }, [DELTA_MINUTES, DELTA_MINUTES], expectEqual),
    TIME_LIMIT_MS,
  );
});
