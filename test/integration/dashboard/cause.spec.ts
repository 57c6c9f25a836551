import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { type PlatformCurrent, platformCurrentSchema } from '../../../src/dashboard/contract.js';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import type { PipelineKind } from '../../../src/domain/model.js';
import { RulebookSync } from '../../../src/enrichment/rulebook-sync.js';
import type { PipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { DuckSession } from '../../../src/storage/duck.js';
import { type OpenService, openService } from '../../support/open-service.js';

Logger.overrideLogger(false);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse('2026-03-10T15:30:00Z');
const CATALOG = {
  metrics: [{ metric_name: 'accuracy', higher_is_better: true, unit: '%' }],
  thresholds: [{ metric_name: 'accuracy', critical_threshold: 70, warning_threshold: 80 }],
};
const iso = (ms: number) => new Date(ms).toISOString();

let mlflow: TrackingServer;
let service: OpenService;
let now: number;
let experiments: Map<string, string>;
beforeEach(async () => {
  now = START;
  experiments = new Map();
  mlflow = await TrackingServer.start(() => now);
});
afterEach(async () => {
  await service.close();
  await mlflow.close();
});

const start = async (env: Record<string, string> = {}) => {
  service = await openService({
    http: true,
    trackingUri: mlflow.uri,
    catalog: CATALOG,
    clock: () => now,
    env,
  });
};
function log(application: string, start_time: number, accuracy: number): string {
  const experiment_id = experiments.get(application) ?? mlflow.experiment(application).experiment_id;
  experiments.set(application, experiment_id);
  const metrics = [{ key: 'accuracy', value: accuracy, step: 0, timestamp: start_time }];
  const run_name = `${application} at ${iso(start_time)}`;
  return mlflow.run({ experiment_id, start_time, metrics, run_name }).run_id;
}
const current = async (): Promise<PlatformCurrent> => {
  const response = await fetch(`${service.url}/api/v1/platform/current`);
  return platformCurrentSchema.strict().parse(await response.json());
};
const writeCatalog = (catalog: object) =>
  writeFile(
    service.resources.settings.THRESHOLDS_API_URL?.replace('file:', '') ?? '',
    JSON.stringify(catalog),
  );
/** The next end of a pipeline run that the service starts itself. */
const ended = async (kind: PipelineKind): Promise<PipelineRun> => {
  for (;;) {
    const [record]: PipelineRun[] = await once(service.engine.events, 'finished');
    if (record?.kind === kind) return record;
  }
};
const rows = async (dataset: string, day: string, columns: string) => {
  const { store, duck } = service.resources;
  const file = (await store.fetch(`${dataset}/${day}/part-0.parquet`))?.file ?? '';
  return duck.session((session) => session.rows(`SELECT ${columns} FROM read_parquet($file)`, { file }));
};
/** A metric in an explanation, judged by the thresholds of `CATALOG` unless `more` overrides them. */
const judged = (run_id: string | undefined, value: number, status: string, more: object = {}) => ({
  run_id,
  value,
  status,
  higher_is_better: true,
  critical_threshold: 70,
  warning_threshold: 80,
  threshold_updated_at: null,
  threshold_updated_by: null,
  ...more,
});

describe('why an application needs attention', () => {
  it('names the same cause as the explanation of the first run: a value, a threshold, late data', async () => {
    for (let hour = 30; hour > 0; hour--) {
      log('fallen', START - hour * HOUR, hour > 2 ? 95 : 60);
      log('strict', START - hour * HOUR, 85);
      log('tardy', START - hour * HOUR, 95);
    }
    await start({ CATALOG_CACHE_TTL_SECONDS: '0' });
    await service.run('bootstrap');
    // The bootstrap observes everything hours after its end; that is not late.
    expect((await current()).needs_attention).toMatchObject([{ application: 'fallen', cause: 'new_value' }]);

    now += 10 * MINUTE;
    await service.run('delta');
    // The delta above read MLflow after the end of these runs, and MLflow did not return them.
    const late = log('tardy', START - 40 * MINUTE, 61);
    log('tardy', START - 20 * MINUTE, 62);
    now += 10 * MINUTE;
    await service.run('delta');
    const stricter = {
      ...CATALOG.thresholds[0],
      experiment_id: experiments.get('strict'),
      critical_threshold: 88,
      warning_threshold: 90,
      updated_at: iso(now),
      updated_by: 'ops',
    };
    now += MINUTE;
    const reevaluated = ended('reevaluation');
    await writeCatalog({ ...CATALOG, thresholds: [...CATALOG.thresholds, stricter] });
    await service.app.get(RulebookSync).refresh();
    expect((await reevaluated).status).toBe('done');

    const { needs_attention } = await current();
    const explained = await Promise.all(
      needs_attention.map(async ({ application, cause, why, explanation }) => ({
        application,
        cause,
        why,
        facts: await (await fetch(service.url + explanation)).json(),
      })),
    );
    const firstOf = (application: string, hour: number) =>
      [...mlflow.runs.values()].find(
        ({ run_name }) => run_name === `${application} at ${iso(START - hour * HOUR)}`,
      )?.run_id;
    expect(explained).toEqual([
      {
        application: 'strict',
        cause: 'new_threshold',
        why: 'The limit was tightened from 70 % to 88 % by ops on 10 Mar at 15:50 UTC.',
        facts: {
          cause: 'new_threshold',
          at: iso(now),
          ended_at: iso(START - 30 * HOUR + MINUTE),
          current: judged(firstOf('strict', 30), 85, 'critical', {
            critical_threshold: 88,
            warning_threshold: 90,
            threshold_updated_at: '2026-03-10T15:50:00.000000Z',
            threshold_updated_by: 'ops',
          }),
          previous: judged(firstOf('strict', 30), 85, 'healthy'),
        },
      },
      {
        application: 'tardy',
        cause: 'late_data',
        why: 'The first unhealthy run ended on 10 Mar at 14:51 UTC but was first seen 59 min later. The metric fell from 95 % to 62 %.',
        facts: {
          cause: 'late_data',
          at: iso(START + 20 * MINUTE),
          ended_at: iso(START - 39 * MINUTE),
          current: judged(late, 61, 'critical'),
          previous: judged(firstOf('tardy', 1), 95, 'healthy'),
        },
      },
      {
        application: 'fallen',
        cause: 'new_value',
        why: 'The metric fell from 95 % to 60 %.',
        facts: {
          cause: 'new_value',
          at: iso(START),
          ended_at: iso(START - 2 * HOUR + MINUTE),
          current: judged(firstOf('fallen', 2), 60, 'critical'),
          previous: judged(firstOf('fallen', 3), 95, 'healthy'),
        },
      },
    ]);
    const changes = await rows('threshold_changes', '2026/03/10', 'updated_by, runs_changed');
    expect(changes).toEqual([{ updated_by: 'ops', runs_changed: 30 }]);
  });

  it('queries only the first run of each incident, once per day', async () => {
    for (const application of ['a', 'b', 'c']) {
      for (let hour = 100; hour > 0; hour--) log(application, START - hour * HOUR, hour > 3 ? 95 : 60);
    }
    await start();
    const queries = jest.spyOn(DuckSession.prototype, 'rows');
    await service.run('bootstrap');
    queries.mockClear();
    now += HOUR;
    expect((await current()).needs_attention.map(({ cause }) => cause)).toEqual(Array(3).fill('new_value'));
    const parametersOf = (pattern: RegExp) =>
      queries.mock.calls.flatMap(([statement, parameters]) => (pattern.test(statement) ? [parameters] : []));
    expect(parametersOf(/runs \$run_ids\[i\]/)).toMatchObject([{ metrics: Array(3).fill('accuracy') }]);
    // The previous runs are in the series, which is read anyway.
    expect(parametersOf(/before the run/)).toHaveLength(0);
    queries.mockRestore();
  });
});
