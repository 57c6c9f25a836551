import { Logger } from '@nestjs/common';
import { platformCurrentSchema } from '../../../src/dashboard/contract.js';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { RulebookSync } from '../../../src/enrichment/rulebook-sync.js';
import { CatalogServer } from '../../support/catalog-server.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { type OpenService, openService } from '../../support/open-service.js';

Logger.overrideLogger(false);
const MINUTE = 60_000;
const START = Date.parse('2026-11-12T11:02:00Z');

let now: number;
let mlflow: TrackingServer;
let catalog: CatalogServer;
let proxy: FaultProxy;
let service: OpenService;
beforeEach(async () => {
  now = START;
  mlflow = await TrackingServer.start(() => now);
  catalog = await CatalogServer.start();
  catalog.thresholds = [{ metric_name: 'accuracy', critical_threshold: 0.7, warning_threshold: 0.8 }];
  proxy = await FaultProxy.start(catalog.url);
  const url = `${proxy.url}/api`;
  service = await openService({
    http: true,
    trackingUri: mlflow.uri,
    catalog: {},
    clock: () => now,
    env: { METRICS_API_URL: url, THRESHOLDS_API_URL: url, CATALOG_CACHE_TTL_SECONDS: '0' },
  });
});
afterEach(async () => {
  await service.close();
  await proxy.close();
  await catalog.close();
  await mlflow.close();
});

const rulebookSync = () => service.app.get(RulebookSync);
const catalogFields = async () => {
  const response = await fetch(`${service.url}/api/v1/platform/current`);
  const { catalog_outage, catalog_refused } = platformCurrentSchema.parse(await response.json());
  return { catalog_outage, catalog_refused };
};
const failCatalog = (failing: boolean) => {
  proxy.decide = failing ? () => ({ answer: { status: 503, body: '<html>down</html>' } }) : () => undefined;
};
/** Moves the clock and makes the next request refresh the view. */
const advance = (ms: number) => {
  now += ms;
  service.engine.events.emit('progress', 'delta-1', 1, 2);
};

it('shows since when the catalog is unavailable, and whether runs wait for it', async () => {
  const { experiment_id } = mlflow.experiment('churn');
  const metrics = [{ key: 'accuracy', value: 0.6, step: 0, timestamp: START }];
  mlflow.run({ experiment_id, start_time: START - 5 * MINUTE, metrics });
  await service.run('delta');
  expect(await catalogFields()).toEqual({ catalog_outage: null, catalog_refused: 0 });

  failCatalog(true);
  advance(MINUTE);
  await rulebookSync().refresh();
  const outage = {
    as_of: '2026-11-12T11:02:00.000Z',
    reason: 'the catalog is unavailable (HTTP 503)',
    waiting: false,
  };
  expect(await catalogFields()).toEqual({ catalog_outage: outage, catalog_refused: 0 });

  advance(MINUTE);
  const unknown = () => ({ metrics: ['accuracy', 'f1'], experiments: [experiment_id] });
  await expect(rulebookSync().rulebookFor(unknown)).rejects.toMatchObject({ code: 'catalog_awaited' });
  expect(await catalogFields()).toEqual({ catalog_outage: { ...outage, waiting: true }, catalog_refused: 0 });

  failCatalog(false);
  catalog.thresholds.push(
    { metric_name: 'f1', critical_threshold: 'high', warning_threshold: 1 },
    { metric_name: 'accuracy', experiment_id, warning_threshold: 'low' },
  );
  advance(MINUTE);
  await rulebookSync().rulebookFor(unknown);
  expect(await catalogFields()).toEqual({ catalog_outage: null, catalog_refused: 2 });
});
