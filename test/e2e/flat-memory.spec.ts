import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TrackingServer } from '../../src/demo/tracking-server.js';
import type { PipelineKind } from '../../src/domain/model.js';
import { RulebookSync } from '../../src/enrichment/rulebook-sync.js';
import { clearRawPages } from '../../src/pipeline/clear-raw-pages.js';
import { maintain } from '../../src/pipeline/maintenance.js';
import { ACCURACY_CATALOG, type OpenService, openService } from '../support/open-service.js';
import { rounds } from '../support/rounds.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.parse('2026-03-01T00:30:00Z');
const DAYS = rounds(3, 30);
const DELTAS = rounds(1, 4);
const RUNS_PER_DELTA = 20;
/** Days until caches are filled and the first days are deleted: they do not count. */
const SETTLING_DAYS = rounds(1, 16);
/** A simulated day takes a few seconds. */
const TIME_LIMIT_MS = 1_800_000;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

interface Point {
  readonly day: number;
  /** MiB after a garbage collection. */
  readonly heap: number;
  /** Timers, sockets, files and requests that keep the process alive. */
  readonly handles: number;
}

/** The slope of the least-squares line, per day. */
function slopeOf(points: readonly Point[], value: (point: Point) => number): number {
  const mean = (pick: (point: Point) => number) =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const [day, level] = [mean((point) => point.day), mean(value)];
  const rise = points.reduce((sum, point) => sum + (point.day - day) * (value(point) - level), 0);
  return rise / points.reduce((sum, point) => sum + (point.day - day) ** 2, 0);
}

it(
  'a service runs for many days; prints how much its heap and its handles grow',
  async () => {
    let now = START;
    const mlflow = await TrackingServer.start(() => now);
    const { experiment_id } = mlflow.experiment('churn');
    const service: OpenService = await openService({
      trackingUri: mlflow.uri,
      clock: () => now,
      env: {
        LOOKBACK_DAYS_HISTORICAL: '5',
        RETENTION_DAYS:
          '_base=7,runs=14,enriched_metrics=14,metric_timeseries=14,application_summary=14,platform_summary=14,metric_forecast=14,quarantine=14,threshold_changes=14',
      },
    });
    const { store, settings } = service.resources;
    const run = async (kind: PipelineKind) =>
      expect(await service.run(kind)).toMatchObject({ status: 'done', error: null });
    const points: Point[] = [];
    try {
      for (let day = 0; day < DAYS; day++) {
        for (let delta = 0; delta < DELTAS; delta++) {
          now += Math.floor(DAY / DELTAS);
          for (let i = 0; i < RUNS_PER_DELTA; i++) {
            const start_time = now - i * 60_000;
            const metrics = ['accuracy', `loss-${day}`].map((key) => ({
              key,
              value: i,
              step: 0,
              timestamp: start_time,
            }));
            mlflow.run({ experiment_id, start_time, end_time: start_time + 1_000, metrics });
          }
          // MLflow's own old runs are not the service's memory.
          for (const [id, { start_time }] of mlflow.runs) {
            if ((start_time ?? 0) < now - 6 * DAY) mlflow.runs.delete(id);
          }
          await run('delta');
        }
        const [row] = ACCURACY_CATALOG.thresholds;
        await service.writeCatalog({ metrics: [], thresholds: [{ ...row, critical_threshold: day / DAYS }] });
        await run('historical');
        await run('reevaluation');
        await clearRawPages(store, settings.RETENTION_DAYS._raw, now);
        while (!(await maintain(store, settings.RETENTION_DAYS, now)));
        await service.app.get(RulebookSync).prune();
        mlflow.requests.length = 0;
        collectGarbage();
        const heap = process.memoryUsage().heapUsed / 2 ** 20;
        points.push({ day, heap, handles: process.getActiveResourcesInfo().length });
      }
    } finally {
      await service.close();
      await mlflow.close();
    }
    const settled = points.slice(SETTLING_DAYS);
    const heap = slopeOf(settled, (point) => point.heap);
    const handles = slopeOf(settled, (point) => point.handles);
    console.log(
      `days ${SETTLING_DAYS} to ${DAYS}: heap ${heap.toFixed(3)} MiB per day, handles ${handles.toFixed(3)} per day; ` +
        points.map((point) => `${point.heap.toFixed(1)}/${point.handles}`).join(' '),
    );
  },
  TIME_LIMIT_MS,
);
