import { createHash } from 'node:crypto';
import { mkdtemp, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { rebuildDay } from '../../../src/aggregation/rebuild-day.js';
import { addDays, dayStart } from '../../../src/domain/time.js';
import { judgeDay } from '../../../src/enrichment/judge-day.js';
import { EMPTY_QUERY, RULEBOOK_KEY, type Rulebook } from '../../../src/state/rulebook.js';
import { Duck } from '../../../src/storage/duck.js';
import { FolderStore } from '../../../src/storage/folder-store.js';
import { baseKey, partitionKey, sumsKey } from '../../../src/storage/keys.js';
import type { ObjectBody, PutCondition } from '../../../src/storage/object-store.js';
import { domainDefaults } from '../../support/defaults.js';

const DAY = '2026-03-10';
const DAYS = [7, 3, 0].map((back) => addDays(DAY, -back));
const AGGREGATES = ['metric_timeseries', 'application_summary', 'platform_summary'] as const;

/** A process that dies before it puts the sums of a day. */
class DyingStore extends Error {}

interface Service {
  readonly store: FolderStore;
  readonly duck: Duck;
  /** Stores another version of a day's facts. */
  change(day: string, version: number): Promise<void>;
  judge(day: string, dies?: boolean): Promise<void>;
  /** Rebuilds the aggregates of `DAY`; their digest, including the footers. */
  rebuild(): Promise<string>;
  close(): Promise<void>;
}

async function openService(): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), 'sums-'));
  const duck = await Duck.open(folder, { threads: 1 });
  const store = await FolderStore.open({ dir: folder });
  const book: Rulebook = {
    version: 1,
    asked: EMPTY_QUERY,
    entries: [],
    settings: [{ first_day: null, settings: domainDefaults }],
  };
  await store.put(RULEBOOK_KEY, Buffer.from(JSON.stringify(book)));
  const dying = new Proxy(store, {
    get: (target, name, receiver) =>
      name === 'put'
        ? async (key: string, body: ObjectBody, condition?: PutCondition) => {
            if (key.startsWith('_sums/')) throw new DyingStore();
            return target.put(key, body, condition);
          }
        : Reflect.get(target, name, receiver),
  });
  return {
    store,
    duck,
    change: (day, version) =>
      duck.session(async (session) => {
        const file = join(folder, '.tmp', `base-${day}-${version}.parquet`);
        await session.run(BASE, { file, day, version, from: BigInt(dayStart(day)) });
        await store.put(baseKey(day), { file });
        await unlink(file);
      }),
    judge: async (day, dies = false) => {
      const rulebook = { rulebookFor: async () => book };
      await judgeDay(dies ? dying : store, duck, rulebook, { day }).catch((error: unknown) => {
        if (!(error instanceof DyingStore)) throw error;
      });
    },
    rebuild: async () => {
      await rebuildDay(store, duck, { day: DAY });
      const hash = createHash('sha256');
      for (const dataset of AGGREGATES) {
        hash.update((await store.get(partitionKey(dataset, DAY)))?.body ?? Buffer.alloc(0));
      }
      return hash.digest('hex');
    },
    close: async () => {
      duck.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Runs of two applications, whose number, times and values depend on the version. */
const BASE = `COPY (
  SELECT
    $day::DATE AS date,
    make_timestamp(($from + n * 7000000 + $version * 60000)::BIGINT * 1000)::TIMESTAMPTZ AS "timestamp",
    'r' || n || '-' || $day AS run_id, NULL::VARCHAR AS run_name, (n % 2)::VARCHAR AS experiment_id,
    NULL::VARCHAR AS user_id, 'FINISHED' AS run_status, "timestamp" AS start_time, "timestamp" AS end_time,
    'active' AS lifecycle_stage, MAP {}::MAP(VARCHAR, VARCHAR) AS params, MAP {}::MAP(VARCHAR, VARCHAR) AS tags,
    NULL::VARCHAR AS inputs,
    [{"key": 'a', "timestamp": 0::BIGINT, step: 0::BIGINT, "value": 0.1 * n + 0.7 * $version, model_id: NULL::VARCHAR,
      dataset_name: NULL::VARCHAR, dataset_digest: NULL::VARCHAR},
     {"key": 'b', "timestamp": 0::BIGINT, step: 0::BIGINT,
      "value": CASE WHEN n % 3 = 0 THEN 'NaN'::DOUBLE WHEN n % 3 = 1 THEN 1e308 ELSE -1e-300 * n END,
      model_id: NULL::VARCHAR, dataset_name: NULL::VARCHAR, dataset_digest: NULL::VARCHAR}] AS metrics,
    '' AS content_digest, "timestamp" AS observed_at, "timestamp" AS asked_at, "timestamp" AS first_observed_at,
    "timestamp" AS changed_at
  FROM (SELECT range AS n FROM range(8 + $version % 3))
) TO $file (FORMAT parquet, KV_METADATA {content: $day || ' ' || $version})`;

/** The aggregates of facts that were judged once, without any interruption. */
async function expectedOf(versions: readonly number[]): Promise<string> {
  const service = await openService();
  try {
    for (const [i, day] of DAYS.entries()) {
      await service.change(day, versions[i] ?? 0);
      await service.judge(day);
    }
    return await service.rebuild();
  } finally {
    await service.close();
  }
}

describe('the sums of a day', () => {
  it('are never used if they are missing or belong to other inputs', async () => {
    const step = fc.record({
      day: fc.nat(DAYS.length - 1),
      /** What happens to a day whose facts change: all is well, or its sums are not put, are deleted or become the old ones. */
      sums: fc.constantFrom('put', 'not put', 'deleted', 'old'),
      /** Whether the aggregates are built in between, as another process may do. */
      rebuild: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
        const service = await openService();
        try {
          const versions = DAYS.map(() => 0);
          for (const day of DAYS) {
            await service.change(day, 0);
            await service.judge(day);
          }
          for (const { day: i, sums, rebuild } of steps) {
            const day = DAYS[i] as string;
            versions[i] = (versions[i] ?? 0) + 1;
            const old = await service.store.get(sumsKey(day));
            await service.change(day, versions[i] ?? 0);
            await service.judge(day, sums === 'not put');
            if (sums === 'deleted') await service.store.delete(sumsKey(day));
            if (sums === 'old' && old) await service.store.put(sumsKey(day), old.body);
            if (rebuild) await service.rebuild();
          }
          expect(await service.rebuild()).toBe(await expectedOf(versions));
        } finally {
          await service.close();
        }
      }),
      { numRuns: 4 },
    );
  });

  it('are put again by the next judgement of the day, and are the same', async () => {
    const service = await openService();
    try {
      const day = DAYS[0] as string;
      await service.change(day, 0);
      await service.judge(day, true);
      expect(await service.store.get(sumsKey(day))).toBeUndefined();
      await service.judge(day);
      const first = await service.store.get(sumsKey(day));
      await service.change(day, 1);
      await service.judge(day);
      await service.change(day, 0);
      await service.judge(day);
      expect((await service.store.get(sumsKey(day)))?.etag).toBe(first?.etag);
    } finally {
      await service.close();
    }
  });

  it('are used if they name the inputs of the day', async () => {
    const service = await openService();
    try {
      const [day, later] = [DAYS[1] as string, DAYS.at(-1) as string];
      for (const each of [day, later]) {
        await service.change(each, 0);
        await service.judge(each);
      }
      const honest = await service.rebuild();
      await service.duck.session(async (session) => {
        const stored = await service.store.fetch(sumsKey(day));
        const [footer] = await session.rows<{ inputs: string }>(
          "SELECT decode(value) AS inputs FROM parquet_kv_metadata($file) WHERE decode(key) = 'inputs'",
          { file: stored?.file ?? '' },
        );
        const file = session.tempFile('sums.parquet');
        await session.run(
          `COPY (SELECT * REPLACE (repeat('\\x00'::BLOB, 104) AS whole_day) FROM read_parquet($stored))
           TO $file (FORMAT parquet, KV_METADATA {inputs: $inputs})`,
          { stored: stored?.file ?? '', file, inputs: footer?.inputs ?? '' },
        );
        await service.store.put(sumsKey(day), { file });
      });
      for (const dataset of AGGREGATES) await service.store.delete(partitionKey(dataset, DAY));
      expect(await service.rebuild()).not.toBe(honest);
    } finally {
      await service.close();
    }
  });
});
