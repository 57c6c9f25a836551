import { TrackingServer } from '../../../src/demo/tracking-server.js';
import type { PipelineKind } from '../../../src/domain/model.js';
import { addDays, dayOf } from '../../../src/domain/time.js';
import type { QueueName } from '../../../src/queue/queue-names.js';
import { type Dataset, partitionKey } from '../../../src/storage/keys.js';
import { enqueued, HeldStore } from '../../support/held-work.js';
import { type OpenService, openService } from '../../support/open-service.js';

const MINUTE = 60_000;
const DAY = 86_400_000;
const NOW = Date.parse('2026-03-10T15:30:00Z');
const DAYS = 6;
const days = Array.from({ length: DAYS }, (_, i) => addDays(dayOf(NOW), -i));

let mlflow: TrackingServer;
let service: OpenService;
let held: HeldStore;
/** The clock of both service and tracking server, ms. */
let now: number;

beforeEach(async () => {
  now = NOW;
  mlflow = await TrackingServer.start(() => now);
  const { experiment_id } = mlflow.experiment('churn');
  for (let day = 0; day < DAYS; day++) addRun(experiment_id, NOW - day * DAY - MINUTE);
  held = new HeldStore();
  service = await openService({
    trackingUri: mlflow.uri,
    clock: () => now,
    wrapStore: held.wrap,
    // One job at a time in each queue.
    env: { ENRICHMENT_CONCURRENCY: '1', AGGREGATION_CONCURRENCY: '1' },
  });
  // The first delta also sweeps the stored days.
  for (const kind of ['bootstrap', 'delta', 'delta'] as const) await run(kind);
  held.puts.length = 0;
});
afterEach(async () => {
  await service.close();
  await mlflow.close();
});

function addRun(experiment_id: string, start_time: number): void {
  const metrics = [{ key: 'accuracy', value: 0.9, step: 0, timestamp: start_time }];
  mlflow.run({ experiment_id, start_time, end_time: start_time + 1_000, metrics });
}

async function run(kind: PipelineKind): Promise<void> {
  now += MINUTE;
  expect(await service.run(kind)).toMatchObject({ status: 'done', error: null });
}

/** Removes the objects of a dataset, so that a pass over all days has to publish each of them. */
async function removeAll(dataset: Dataset): Promise<void> {
  for (const day of days) await service.resources.store.delete(partitionKey(dataset, day));
}

/** How many days of the pass `reevaluation-1` were done before a stage of another pipeline run. */
function daysDoneBefore(stage: string): number {
  const index = held.puts.findLastIndex((key) => new RegExp(`^_state/runs/${stage}\\.json$`).test(key));
  expect(index).toBeGreaterThan(0);
  return held.puts.slice(0, index).filter((key) => /^_state\/runs\/reevaluation-1\/done\/day-/.test(key))
    .length;
}

describe('while a pass over all days publishes them', () => {
  it.each([
    ['judges', 'runs', 'enrichment', 'enrich'],
    ['rebuilds', 'application_summary', 'aggregation', 'rebuild'],
  ] as [string, Dataset, QueueName, string][])(
    'and %s the first one, a delta waits for this day alone',
    async (_, dataset, queue, stage) => {
      await removeAll(dataset);
      const create = (kind: PipelineKind) => service.engine.create(kind, { scheduledAt: now });
      const release = await held.holdNext(`${dataset}/`, () => create('reevaluation'));
      addRun('1', now);
      now += MINUTE;
      const finished = [service.finished('reevaluation-1'), service.finished('delta-3')];
      const arrived = enqueued(service, queue, 'delta-3');
      await create('delta');
      await arrived;
      release();
      for (const record of await Promise.all(finished)) expect(record.status).toBe('done');
      expect(daysDoneBefore(`delta-3/done/.*\\.${stage}`)).toBe(1);
      expect((await service.run('reevaluation')).summary?.partitions_written).toBe(0);
    },
  );

  it('a changed threshold does not wait for it', async () => {
    await removeAll('application_summary');
    const create = (scheduledAt: number | null) => service.engine.create('reevaluation', { scheduledAt });
    const release = await held.holdNext('application_summary/', () => create(now));
    const finished = [service.finished('reevaluation-1'), service.finished('reevaluation-2')];
    const arrived = enqueued(service, 'aggregation', 'reevaluation-2');
    await create(null);
    await arrived;
    release();
    for (const record of await Promise.all(finished)) expect(record.status).toBe('done');
    expect(daysDoneBefore('reevaluation-2/done/.*\\.rebuild')).toBe(1);
  });
});
