import { HttpService } from '@nestjs/axios';
import type { InjectionToken } from '@nestjs/common';
import axios from 'axios';
import { openCatalog } from '../../src/enrichment/catalog-source.js';
import { CATALOG_SOURCE } from '../../src/enrichment/parse-catalog.js';
import { WAIT_MS } from '../../src/pipeline/engine.js';
import { readCatalogState } from '../../src/state/catalog-state.js';
import { CatalogServer } from '../support/catalog-server.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { CatalogFixture, DAY, MINUTE, NO_CATALOG_CACHE, NOW, statuses } from './catalog-fixture.js';

let fixture: CatalogFixture;
beforeEach(async () => {
  fixture = await CatalogFixture.start();
});
afterEach(() => fixture.close());

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
    fixture.onClose(
      () => catalog.close(),
      () => proxy.close(),
    );
    const url = `${proxy.url}/api`;
    env = { ...NO_CATALOG_CACHE, METRICS_API_URL: url, THRESHOLDS_API_URL: url, API_KEY: 'secret' };
  });

  it('has the same effect as a file with the same rows; new metrics and experiments are requested as they appear', async () => {
    const [churn, fraud] = ['churn', 'fraud'].map((name) => fixture.mlflow.experiment(name).experiment_id);
    if (!churn || !fraud) throw new Error('Two experiments are expected');
    catalog.thresholds.push({
      metric_name: 'accuracy',
      experiment_id: fraud,
      critical_threshold: 0.95,
      warning_threshold: 0.97,
    });
    fixture.log(churn, MINUTE, 'accuracy', 0.9);
    fixture.log(churn, DAY, 'f1', 0.4);
    fixture.log(fraud, 2 * DAY, 'accuracy', 0.9);
    fixture.log(churn, 2 * DAY, 'unknown', 1);
    const remote = await fixture.open({ env });
    await remote.run('bootstrap');
    expect(await statuses(remote, '2026/03/08')).toEqual(['unmonitored', 'critical']);
    const file = await fixture.open();
    const { metrics, thresholds } = catalog;
    await file.writeCatalog({ metrics, thresholds });
    await file.run('bootstrap');
    expect(await remote.digests()).toEqual(await file.digests());
  });

  it('can be unavailable for 40 minutes: known metrics are evaluated, new ones wait and are then evaluated correctly', async () => {
    const { experiment_id } = fixture.mlflow.experiment('churn');
    fixture.log(experiment_id, DAY, 'accuracy', 0.9);
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
    const pipeline = await fixture.open({ env, overrides });
    await pipeline.run('bootstrap');

    const begin = fixture.now;
    let publishedTooEarly = 0;
    let unknown: string | undefined;
    proxy.decide = async () => {
      if (fixture.now >= begin + 40 * MINUTE) return undefined;
      fixture.advance(MINUTE / 2);
      const runs = unknown ? await pipeline.rows<{ run_id: string }>('runs', '2026/03/10', 'run_id') : [];
      if (runs.some(({ run_id }) => run_id === unknown)) publishedTooEarly++;
      return { answer: { status: 503, body: '<html>down</html>' } };
    };
    fixture.log(experiment_id, MINUTE, 'accuracy', 0.6);
    expect((await pipeline.run('delta')).status).toBe('done');
    expect(await statuses(pipeline, '2026/03/10')).toEqual(['critical']);
    const { store } = pipeline.resources;
    expect(await readCatalogState(store)).toMatchObject({
      last_success: NOW,
      last_error: { code: 'catalog_busy', message: expect.stringContaining('503') },
    });

    unknown = fixture.log(experiment_id, MINUTE, 'f1', 0.4);
    const record = await pipeline.run('delta');
    expect(record).toMatchObject({ status: 'done', error: null });
    expect(fixture.now).toBeGreaterThanOrEqual(begin + 40 * MINUTE);
    expect(publishedTooEarly).toBe(0);
    expect(proxy.requests.length).toBeGreaterThan(80);
    expect(await statuses(pipeline, '2026/03/10')).toEqual(['critical', 'critical']);
    expect((await readCatalogState(store)).last_error).toBeNull();

    const undisturbed = await fixture.open({ env });
    await undisturbed.run('bootstrap');
    expect(await pipeline.digests()).toEqual(await undisturbed.digests());
  });
});
