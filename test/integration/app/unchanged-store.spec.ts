import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import type { ObjectStore } from '../../../src/storage/object-store.js';
import { type OpenService, openService } from '../../support/open-service.js';

const DAY = 86_400_000;
const NOW = Date.parse('2026-03-10T15:30:00Z');
let folder: string;
let mlflow: TrackingServer;
/** The clock of both service and tracking server, ms. */
let now: number;

beforeAll(async () => {
  now = NOW;
  folder = await mkdtemp(join(tmpdir(), 'unchanged-store-'));
  mlflow = await TrackingServer.start(() => now);
  const { experiment_id } = mlflow.experiment('churn');
  for (let day = 0; day < 6; day++) {
    const start = NOW - day * DAY;
    mlflow.run({
      run_id: `run-${day}`,
      experiment_id,
      start_time: start,
      end_time: start + 1_000,
      metrics: [{ key: 'accuracy', value: 0.9, step: 0, timestamp: start }],
    });
  }
  await asProcess(async (service) => {
    expect(await service.run('historical')).toMatchObject({ status: 'done', summary: { runs: 6 } });
  });
});
afterAll(async () => {
  await mlflow.close();
  await rm(folder, { recursive: true, force: true });
});

/** A process of the service on the folder, from start to end, and the keys that it fetches and puts. */
async function asProcess<T>(
  use: (service: OpenService, fetched: string[], put: string[]) => Promise<T>,
): Promise<T> {
  now += 60_000;
  const service = await openService({ trackingUri: mlflow.uri, clock: () => now, folder });
  const { store } = service.resources;
  const [fetched, put]: [string[], string[]] = [[], []];
  const [fetch, write] = [store.fetch.bind(store), store.put.bind(store)];
  store.fetch = (key, listed) => {
    fetched.push(key);
    return fetch(key, listed);
  };
  store.put = (key, body, condition) => {
    put.push(key);
    return write(key, body, condition);
  };
  try {
    return await use(service, fetched, put);
  } finally {
    await service.close();
  }
}

/** The number of requests to a store during some work. */
async function requestsDuring(store: ObjectStore, work: () => Promise<unknown>): Promise<number> {
  let requests = 0;
  for (const name of ['get', 'head', 'fetch', 'list', 'put', 'delete'] as const) {
    const original = store[name].bind(store) as (...parameters: unknown[]) => unknown;
    Reflect.set(store, name, (...parameters: unknown[]) => {
      requests++;
      return original(...parameters);
    });
  }
  await work();
  return requests;
}

describe('a new process on an unchanged store', () => {
  it('needs few requests to judge all days again, however many there are in a year', async () => {
    await asProcess(async (service) => {
      // A year is one slice and is listed by one request per dataset.
      const requests = await requestsDuring(service.resources.store, () => service.run('reevaluation'));
      expect(requests).toBeLessThanOrEqual(120);
    });
  });

  it('reads no object to judge all days again, and publishes nothing', async () => {
    await asProcess(async (service, fetched, put) => {
      const { status, summary } = await service.run('reevaluation');
      expect({ status, summary }).toMatchObject({
        status: 'done',
        // Of each day two judged and three aggregated objects, and one of forecasts.
        summary: { partitions_written: 0, partitions_unchanged: 6 * 6 },
      });
      expect(fetched).toEqual([]);
      expect(put.filter((key) => !/^_state\/(runs|kinds|catalog)/.test(key))).toEqual([]);
    });
  });

  it('reads them if the index is lost, publishes nothing, and stores the index again', async () => {
    await asProcess(async (service, fetched, put) => {
      await service.resources.store.delete('_state/index/2026-03.json');
      const { summary } = await service.run('reevaluation');
      expect(summary).toMatchObject({ partitions_written: 0, partitions_unchanged: 6 * 6 });
      expect(new Set(fetched).size).toBeGreaterThanOrEqual(6 * 8);
      expect(put).toContain('_state/index/2026-03.json');
    });
  });

  it('publishes what another program has replaced', async () => {
    await asProcess(async (service) => {
      const before = await service.digests();
      const { store } = service.resources;
      const key = 'runs/2026/03/09/part-0.parquet';
      const other = await store.fetch('runs/2026/03/08/part-0.parquet');
      await store.put(key, { file: other?.file ?? '' });
      expect((await service.run('reevaluation')).summary?.partitions_written).toBe(1);
      expect(await service.digests()).toEqual(before);
    });
  });
});
