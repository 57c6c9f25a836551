import { HttpService } from '@nestjs/axios';
import type { InjectionToken } from '@nestjs/common';
import axios from 'axios';
import { loadExplanations, type MetricRef } from '../../src/dashboard/load-explanations.js';
import { TrackingServer } from '../../src/demo/tracking-server.js';
import { openCatalog } from '../../src/enrichment/catalog-source.js';
import { CATALOG_SOURCE } from '../../src/enrichment/parse-catalog.js';
import { RulebookSync } from '../../src/enrichment/rulebook-sync.js';
import { WAIT_MS } from '../../src/pipeline/engine.js';
import { readCatalogState } from '../../src/state/catalog-state.js';
import { RULEBOOK_KEY, readRulebook } from '../../src/state/rulebook.js';
import { CatalogServer } from '../support/catalog-server.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { type OpenService, openService, type ServiceOptions } from '../support/open-service.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const NOW = Date.parse('2026-03-10T15:30:00Z');
const ANY_TIME = { CATALOG_CACHE_TTL_SECONDS: '0' };

let now: number;
let mlflow: TrackingServer;
let closing: (() => Promise<void>)[];
beforeEach(async () => {
  now = NOW;
  mlflow = await TrackingServer.start(() => now);
  closing = [() => mlflow.close()];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

async function open(options: Partial<ServiceOptions> = {}): Promise<OpenService> {
  const pipeline = await openService({
    trackingUri: mlflow.uri,
    clock: () => now,
    env: ANY_TIME,
    ...options,
  });
  closing.push(() => pipeline.close());
  return pipeline;
}

/** A run of an experiment that began `back` ms ago, with one metric. */
function log(experiment_id: string, back: number, key: string, value: number): string {
  const start_time = now - back;
  const metrics = [{ key, value, step: 0, timestamp: start_time }];
  return mlflow.run({ experiment_id, start_time, end_time: start_time + MINUTE, metrics }).run_id;
}

const statuses = async (pipeline: OpenService, day: string): Promise<string[]> =>
  (await pipeline.rows<{ status: string }>('enriched_metrics', day, 'status')).map(({ status }) => status);

async function explain({ resources: { store, duck } }: OpenService, asked: MetricRef) {
  const book = await readRulebook(store);
  const [found] = await duck.session((session) =>
    loadExplanations({ store, session, book, lateMs: 15 * MINUTE }, [asked]),
  );
  return found;
}

describe('a changed threshold', () => {
  const row = { metric_name: 'accuracy', critical_threshold: 0.7, warning_threshold: 0.8 };
  const stricter = { ...row, critical_threshold: 0.76, updated_by: 'bea' };

  it('has the days judged again to which it applies, those before stay, and the change is told', async () => {
    const { experiment_id } = mlflow.experiment('churn');
    for (let back = 0; back < 5; back++) {
      log(experiment_id, back * DAY + MINUTE, 'accuracy', 0.75);
      log(experiment_id, back * DAY + 2 * MINUTE, 'accuracy', 0.9);
    }
    const env = { ...ANY_TIME, REEVALUATE_DAYS: '2', LOOKBACK_DAYS_HISTORICAL: '4' };
    const pipeline = await open({ env });
    await pipeline.run('bootstrap');
    const before = await pipeline.digests();
    expect(await statuses(pipeline, '2026/03/08')).toEqual(['healthy', 'warning']);

    now += MINUTE;
    await pipeline.writeCatalog({ thresholds: [stricter] });
    const again = pipeline.nextFinished('reevaluation');
    await pipeline.app.get(RulebookSync).refresh();
    expect(await again).toMatchObject({
      status: 'done',
      window: { from: Date.parse('2026-03-08'), to: Number.MAX_SAFE_INTEGER },
      // The two judged datasets of 3 days, and the three made of them.
      summary: { partitions_written: 3 * 5 },
    });

    const after = await pipeline.digests();
    const changed = Object.keys(after).filter((key) => after[key] !== before[key]);
    const days = new Set(changed.map((key) => /\d{4}\/\d\d\/\d\d/.exec(key)?.[0]));
    expect([...days].sort()).toEqual(['2026/03/08', '2026/03/09', '2026/03/10']);
    expect(changed.filter((key) => key.startsWith('_base/'))).toEqual([]);
    expect(await statuses(pipeline, '2026/03/08')).toEqual(['healthy', 'critical']);
    expect(await statuses(pipeline, '2026/03/07')).toEqual(['healthy', 'warning']);
    expect(
      await pipeline.rows(
        'threshold_changes',
        '2026/03/10',
        '* EXCLUDE (date, timestamp), epoch_ms(timestamp)::DOUBLE AS at',
      ),
    ).toEqual([
      {
        metric_name: 'accuracy',
        experiment_id: null,
        old_critical_threshold: 0.7,
        old_warning_threshold: 0.8,
        new_critical_threshold: 0.76,
        new_warning_threshold: 0.8,
        updated_by: 'bea',
        runs_changed: 3,
        at: now,
      },
    ]);

    // The run had the status of the one before it, until the threshold changed.
    const [warned] = await pipeline.rows<{ run_id: string }>(
      'runs',
      '2026/03/08',
      'run_id',
      "status = 'critical'",
    );
    const why = { day: '2026-03-08', run_id: warned?.run_id ?? '', metric: 'accuracy' };
    expect(await explain(pipeline, why)).toMatchObject({
      cause: 'new_threshold',
      at: new Date(now).toISOString(),
      current: { status: 'critical', value: 0.75, critical_threshold: 0.76 },
      previous: { status: 'warning', value: 0.75, critical_threshold: 0.7 },
    });

    // Another store with the same facts and the same rulebook, which never knew them to be others.
    const book = await pipeline.resources.store.get(RULEBOOK_KEY);
    const other = await open({ env });
    await other.writeCatalog({ thresholds: [stricter] });
    await other.resources.store.put(RULEBOOK_KEY, book?.body ?? Buffer.of());
    await other.run('bootstrap');
    expect(await other.digests()).toEqual(after);
  });

  it('is told once, also when the days are judged again and when others follow', async () => {
    const { experiment_id } = mlflow.experiment('churn');
    log(experiment_id, MINUTE, 'accuracy', 0.75);
    log(experiment_id, MINUTE, 'loss', 0.5);
    const pipeline = await open();
    await pipeline.run('bootstrap');
    const loss = { metric_name: 'loss', experiment_id, critical_threshold: 0.1, warning_threshold: 0.05 };
    const healthy: string[] = [];
    for (const rows of [[stricter], [stricter, loss]]) {
      now += MINUTE;
      await pipeline.writeCatalog({ thresholds: rows });
      const again = pipeline.nextFinished('reevaluation');
      // A run that comes in is judged at once, and finds the change.
      healthy.push(log(experiment_id, 0, 'accuracy', 0.9));
      await pipeline.run('delta');
      await again;
    }
    await pipeline.run('reevaluation');
    const why = async (run_id: string) => {
      const found = await explain(pipeline, { day: '2026-03-10', run_id, metric: 'accuracy' });
      return [found?.cause, found?.previous?.run_id];
    };
    const late = log(experiment_id, 40 * MINUTE, 'accuracy', 0.5);
    const recent = log(experiment_id, 0, 'accuracy', 0.5);
    await pipeline.run('delta');
    expect(await why(late)).toEqual(['late_data', undefined]);
    expect(await why(recent)).toEqual(['new_value', healthy.at(-1)]);
    expect(await why('nobody')).toEqual([undefined, undefined]);
    const columns =
      'metric_name, experiment_id, old_critical_threshold, new_critical_threshold, runs_changed';
    expect(await pipeline.rows('threshold_changes', '2026/03/10', columns)).toEqual([
      {
        metric_name: 'accuracy',
        experiment_id: null,
        old_critical_threshold: 0.7,
        new_critical_threshold: 0.76,
        runs_changed: 1,
      },
      {
        metric_name: 'loss',
        experiment_id,
        old_critical_threshold: null,
        new_critical_threshold: 0.1,
        runs_changed: 1,
      },
    ]);
    const [bad, good] = ['critical', 'healthy'];
    expect(await statuses(pipeline, '2026/03/10')).toEqual([bad, bad, good, good, bad, bad]);
  });
});

describe('a catalog behind HTTP', () => {
  let catalog: CatalogServer;
  let proxy: FaultProxy;
  let env: Record<string, string>;
  beforeEach(async () => {
    catalog = await CatalogServer.start();
    catalog.apiKey = 'secret';
    catalog.metrics = [{ metric_name: 'accuracy', display_name: 'Accuracy' }];
    catalog.thresholds = [
      { metric_name: 'accuracy', critical_threshold: 0.7, warning_threshold: 0.8 },
      { metric_name: 'f1', critical_threshold: 0.5, warning_threshold: 0.6 },
    ];
    proxy = await FaultProxy.start(catalog.url);
    closing.push(
      () => catalog.close(),
      () => proxy.close(),
    );
    const url = `${proxy.url}/api`;
    env = { ...ANY_TIME, METRICS_API_URL: url, THRESHOLDS_API_URL: url, API_KEY: 'secret' };
  });

  it('judges as a file with the same rows does, and learns names and experiments as they come', async () => {
    const [churn, fraud] = ['churn', 'fraud'].map((name) => mlflow.experiment(name).experiment_id);
    if (!churn || !fraud) throw new Error('Two experiments');
    catalog.thresholds.push({
      metric_name: 'accuracy',
      experiment_id: fraud,
      critical_threshold: 0.95,
      warning_threshold: 0.97,
    });
    log(churn, MINUTE, 'accuracy', 0.9);
    log(churn, DAY, 'f1', 0.4);
    log(fraud, 2 * DAY, 'accuracy', 0.9);
    log(churn, 2 * DAY, 'unknown', 1);
    const asking = await open({ env });
    await asking.run('bootstrap');
    expect(await statuses(asking, '2026/03/08')).toEqual(['unmonitored', 'critical']);
    const file = await open();
    const { metrics, thresholds } = catalog;
    await file.writeCatalog({ metrics, thresholds });
    await file.run('bootstrap');
    expect(await asking.digests()).toEqual(await file.digests());
  });

  it('may be away for 40 minutes: what it was asked for is judged, the rest waits and is judged right then', async () => {
    const { experiment_id } = mlflow.experiment('churn');
    log(experiment_id, DAY, 'accuracy', 0.9);
    const source = openCatalog(new HttpService(axios.create()), {
      metricsUrl: env.METRICS_API_URL,
      thresholdsUrl: env.THRESHOLDS_API_URL,
      apiKey: 'secret',
      maxRetries: 0,
      timeoutMs: 60_000,
      maxBytes: 2 ** 20,
      backoffMs: 0,
      breakMs: 0,
    });
    const overrides = new Map<InjectionToken, unknown>([
      [WAIT_MS, 0],
      [CATALOG_SOURCE, source],
    ]);
    const pipeline = await open({ env, overrides });
    await pipeline.run('bootstrap');

    const begin = now;
    let tooEarly = 0;
    let unknown: string | undefined;
    proxy.decide = async () => {
      if (now >= begin + 40 * MINUTE) return undefined;
      now += MINUTE / 2;
      const runs = unknown ? await pipeline.rows<{ run_id: string }>('runs', '2026/03/10', 'run_id') : [];
      if (runs.some(({ run_id }) => run_id === unknown)) tooEarly++;
      return { answer: { status: 503, body: '<html>down</html>' } };
    };
    log(experiment_id, MINUTE, 'accuracy', 0.6);
    expect((await pipeline.run('delta')).status).toBe('done');
    expect(await statuses(pipeline, '2026/03/10')).toEqual(['critical']);
    const { store } = pipeline.resources;
    expect(await readCatalogState(store)).toMatchObject({
      last_success: NOW,
      last_error: { code: 'catalog_busy', message: expect.stringContaining('503') },
    });

    unknown = log(experiment_id, MINUTE, 'f1', 0.4);
    const record = await pipeline.run('delta');
    expect(record).toMatchObject({ status: 'done', error: null });
    expect(now).toBeGreaterThanOrEqual(begin + 40 * MINUTE);
    expect(tooEarly).toBe(0);
    expect(proxy.requests.length).toBeGreaterThan(80);
    expect(await statuses(pipeline, '2026/03/10')).toEqual(['critical', 'critical']);
    expect((await readCatalogState(store)).last_error).toBeNull();

    const calm = await open({ env });
    await calm.run('bootstrap');
    expect(await pipeline.digests()).toEqual(await calm.digests());
  });
});
