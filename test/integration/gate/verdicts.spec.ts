import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { RulebookSync } from '../../../src/enrichment/rulebook-sync.js';
import type { Verdict } from '../../../src/gate/contract.js';
import { type OpenService, openService } from '../../support/open-service.js';
import { CATALOG, createHardCases, NOW } from './hard-cases.js';

let mlflow: TrackingServer;
let service: OpenService;
let now = NOW;
/** The verdicts on all hard cases, by run. */
const verdicts = new Map<string, Verdict>();

const judge = async (body: object) => service.request('POST', '/api/v1/verdicts', { body });
const verdictOf = async (body: object): Promise<Verdict> => {
  const { status, text, json } = await judge(body);
  expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
  return json as Verdict;
};

/** All published rows of a dataset, by run. */
async function published<T extends { run_id: string }>(dataset: string, columns: string): Promise<T[]> {
  const files: string[] = [];
  for await (const { key } of service.resources.store.list(`${dataset}/`)) {
    const object = await service.resources.store.fetch(key);
    if (object) files.push(object.file);
  }
  return service.resources.duck.session((session) =>
    session.rows<T>(`SELECT ${columns} FROM read_parquet($files)`, { files }),
  );
}

describe('the verdict of the gate', () => {
  // Within the suite: the shared queue is closed by a hook of the file, which must run later.
  beforeAll(async () => {
    mlflow = await TrackingServer.start(() => now);
    createHardCases(mlflow);
    service = await openService({
      trackingUri: mlflow.uri,
      clock: () => now,
      http: true,
      catalog: CATALOG,
      env: {
        LOOKBACK_DAYS_HISTORICAL: '10',
        EXPERIMENT_EXCLUDE: 'excluded/*',
        CATALOG_CACHE_TTL_SECONDS: '0',
        REEVALUATE_DAYS: '7',
      },
    });
    expect((await service.run('historical')).status).toBe('done');
    // Applies to the last 7 days only: equal runs before them keep their verdict.
    const [accuracy, ...others] = CATALOG.thresholds;
    await service.writeCatalog({
      ...CATALOG,
      thresholds: [{ ...accuracy, critical_threshold: 0.76 }, ...others],
    });
    now += 60_000;
    const reevaluated = service.nextFinished('reevaluation');
    await service.app.get(RulebookSync).refresh();
    expect((await reevaluated).status).toBe('done');
    for (const { run_id } of mlflow.runs.values()) verdicts.set(run_id, await verdictOf({ run: run_id }));
  });
  afterAll(async () => {
    await service.close();
    await mlflow.close();
  });

  it('on every run is what the service publishes, and nothing else is judged', async () => {
    interface Run {
      run_id: string;
      application: string;
      day: string;
      status: string;
      evaluated_metrics: number;
      total_metrics: number;
    }
    interface Metric {
      run_id: string;
      metric_name: string;
      status: string;
      value: number | null;
      invalid_kind: string | null;
      critical_threshold: number | null;
      warning_threshold: number | null;
      higher_is_better: boolean | null;
      threshold_source: string | null;
      threshold_updated_by: string | null;
      unit: string | null;
    }
    const runs = await published<Run>(
      'runs',
      'run_id, application, CAST(date AS VARCHAR) AS day, status, evaluated_metrics, total_metrics',
    );
    const metrics = await published<Metric>(
      'enriched_metrics',
      "run_id, ':' || metric_name AS metric_name, status, value, invalid_kind, critical_threshold, warning_threshold, higher_is_better, threshold_source, threshold_updated_by, unit",
    );
    const inOrder = (rows: Metric[]) => rows.sort((a, b) => (a.metric_name < b.metric_name ? -1 : 1));
    const expected = new Map(
      runs.map((run) => [
        run.run_id,
        {
          run,
          metrics: inOrder(
            metrics
              .filter(({ run_id }) => run_id === run.run_id)
              .map((metric) => ({ ...metric, metric_name: metric.metric_name.slice(1) })),
          ),
        },
      ]),
    );
    const judged = new Map<string, unknown>();
    for (const [run_id, verdict] of verdicts) {
      if (verdict.run?.day == null) continue;
      const { status, evaluated_metrics, total_metrics } = verdict;
      const { application, day } = verdict.run;
      judged.set(run_id, {
        run: { run_id, application, day, status, evaluated_metrics, total_metrics },
        metrics: inOrder(
          verdict.metrics.map((metric) => ({
            run_id,
            metric_name: metric.metric_name,
            status: metric.status,
            value: metric.value,
            invalid_kind: metric.invalid_kind,
            critical_threshold: metric.critical_threshold,
            warning_threshold: metric.warning_threshold,
            higher_is_better: metric.higher_is_better,
            threshold_source: metric.threshold_source,
            threshold_updated_by: metric.threshold_updated_by,
            unit: metric.unit,
          })),
        ),
      });
    }
    expect([...judged.keys()].sort()).toEqual([...expected.keys()].sort());
    expect(judged.size).toBeGreaterThan(40);
    expect(Object.fromEntries(judged)).toEqual(Object.fromEntries(expected));
  });

  it('says why a run is not judged', async () => {
    const reasons = new Map<string, string>();
    for (const verdict of verdicts.values()) {
      if (verdict.run?.day === null) reasons.set(verdict.reason, verdict.verdict);
    }
    expect(reasons).toEqual(
      new Map([
        ['The run has neither a start nor an end time.', 'not_enough_evidence'],
        ["The run cannot be read: its status is not one of MLflow's.", 'not_enough_evidence'],
        ['The run is deleted in MLflow.', 'not_enough_evidence'],
        [
          'The experiment of the run is not monitored (EXPERIMENT_INCLUDE, EXPERIMENT_EXCLUDE).',
          'not_enough_evidence',
        ],
      ]),
    );
  });

  it('on an application is that of its newest run that counts', async () => {
    const start_time = NOW + 1_000;
    const experiment_id =
      [...mlflow.experiments.values()].find(({ name }) => name === 'blank')?.experiment_id ?? '';
    const metrics = [{ key: 'accuracy', value: 0.85, step: 0, timestamp: 0 }];
    const newest = mlflow.run({ experiment_id, start_time, metrics, tags: { application: 'tagged' } });
    mlflow.run({
      experiment_id,
      start_time: start_time + 1,
      metrics,
      tags: { application: 'tagged', 'mlflow.parentRunId': 'x' },
    });
    mlflow.run({
      experiment_id,
      start_time: start_time + 2,
      metrics,
      status: 'RUNNING',
      tags: { application: 'tagged' },
    });
    const verdict = await verdictOf({ application: 'tagged' });
    expect(verdict).toMatchObject({ verdict: 'pass', run: { run_id: newest.run_id, application: 'tagged' } });
    expect(await verdictOf({ application: 'nobody' })).toMatchObject({
      verdict: 'not_enough_evidence',
      reason: 'No run of the application nobody that counts began in the last 30 days.',
      run: null,
    });
    // Its own experiments, most of whose runs are older.
    expect((await verdictOf({ application: 'fraud' })).run).toMatchObject({
      application: 'fraud',
      day: '2026-03-10',
    });
  });

  it('on a model version compares it with an alias of the model', async () => {
    const experiment_id =
      [...mlflow.experiments.values()].find(({ name }) => name === 'churn')?.experiment_id ?? '';
    const trained = (values: Record<string, number>) =>
      mlflow.run({
        experiment_id,
        start_time: NOW,
        metrics: Object.entries(values).map(([key, value]) => ({ key, value, step: 0, timestamp: 0 })),
      }).run_id;
    mlflow.models.create('churn', trained({ accuracy: 1, latency: 100, old: 1 }));
    mlflow.models.create('churn', trained({ accuracy: 0.98, latency: 100, new: 1 }));
    mlflow.models.create('churn', trained({ accuracy: 0.99, latency: 103 }));
    mlflow.models.create('churn', null);
    mlflow.models.setAlias('churn', 'champion', 1);
    const compare = (model: string, max_drop_percent = 2) =>
      verdictOf({ model, baseline: 'champion', max_drop_percent });
    const second = await compare('churn/2');
    expect(second).toMatchObject({
      verdict: 'pass',
      run: { model: { name: 'churn', version: '2' } },
      baseline: { model: { name: 'churn', version: '1' } },
      only_in_run: ['new'],
      only_in_baseline: ['old'],
    });
    const third = await compare('churn/3');
    expect([third.verdict, third.reason]).toEqual([
      'fail',
      'latency is worse than the baseline by 3 %: 103 ms after 100 ms; 2 % are allowed.',
    ]);
    expect((await compare('churn/3', 3)).verdict).toBe('pass');
    expect(await verdictOf({ model: 'churn' })).toMatchObject({
      verdict: 'not_enough_evidence',
      reason: 'Version 4 of the model churn belongs to no run.',
    });
    expect((await judge({ model: 'churn@nobody' })).json).toMatchObject({
      status: 404,
      code: 'unknown_model',
      detail: 'MLflow has no model version churn@nobody',
    });
  });

  it('is refused for an unknown run and for a request that names none or two', async () => {
    expect((await judge({ run: 'nothing' })).json).toMatchObject({ status: 404, code: 'unknown_run' });
    expect((await judge({ run: "x' OR '" })).status).toBe(400);
    expect((await judge({})).json).toMatchObject({
      status: 400,
      errors: [{ detail: 'Name exactly one of run, model and application.' }],
    });
    expect((await judge({ run: 'a', model: 'b' })).status).toBe(400);
    expect((await judge({ run: 'a', max_drop_percent: 2 })).status).toBe(400);
  });

  it('is described by OpenAPI', async () => {
    const { json } = await service.request('GET', '/docs/openapi.json');
    expect(json).toMatchObject({
      paths: {
        '/api/v1/verdicts': {
          post: {
            requestBody: {
              content: { 'application/json': { schema: { properties: { run: {}, model: {} } } } },
            },
            responses: {
              200: { content: { 'application/json': { schema: { properties: { verdict: {} } } } } },
            },
          },
        },
      },
    });
  });

  it('stores nothing', async () => {
    const before = await service.digests();
    await verdictOf({ run: 'run000000' });
    expect(await service.digests()).toEqual(before);
    for await (const { key } of service.resources.store.list('_audit/')) expect(key).toBe('');
  });
});
