import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { TagWritebackService } from '../../../src/gate/tag-writeback.service.js';
import { type OpenService, openService } from '../../support/open-service.js';

const NOW = Date.parse('2026-03-10T15:30:00Z');
const DAY = 86_400_000;
let mlflow: TrackingServer;
let service: OpenService;

beforeEach(async () => {
  mlflow = await TrackingServer.start(() => NOW);
});
afterEach(async () => {
  await service.close();
  await mlflow.close();
});

const open = async (env: Readonly<Record<string, string>>) => {
  service = await openService({
    trackingUri: mlflow.uri,
    clock: () => NOW,
    scheduled: true,
    env: { ROLES: 'scheduler', ...env },
  });
};
/** A run of an experiment with a value of `accuracy`. */
const trained = (experiment_id: string, value: number, changes: object = {}) =>
  mlflow.run({
    experiment_id,
    start_time: NOW - DAY,
    metrics: [{ key: 'accuracy', value, step: 0, timestamp: NOW }],
    ...changes,
  });
const verdictTags = () => mlflow.models.versions.map(({ tags }) => tags['monitor.verdict']);
const writes = () => mlflow.requests.filter(({ path }) => /set-tag|log|update|create|delete/.test(path));

describe('TAG_WRITEBACK=model-version', () => {
  it('writes the verdict on new versions, and again only when it changes', async () => {
    const { experiment_id } = mlflow.experiment('churn');
    const excluded = mlflow.experiment('scratch').experiment_id;
    const failing = trained(experiment_id, 0.1);
    const running = trained(experiment_id, 0.1, { status: 'RUNNING', end_time: null });
    for (const run of [
      trained(experiment_id, 0.9),
      failing,
      trained(experiment_id, Number.NaN),
      running,
      trained(excluded, 0.9),
    ]) {
      mlflow.models.create('churn', run.run_id, NOW);
    }
    mlflow.models.create('churn', null, NOW);
    mlflow.models.create('churn', 'gone', NOW);
    mlflow.models.create('churn', failing.run_id, NOW - 8 * DAY);
    await open({ TAG_WRITEBACK: 'model-version', EXPERIMENT_EXCLUDE: 'scratch', REEVALUATE_DAYS: '7' });
    const tags = service.app.get(TagWritebackService, { strict: false });
    expect(await tags.write(NOW)).toHaveLength(3);
    const first = [
      'pass',
      'fail',
      'not_enough_evidence',
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ];
    expect(verdictTags()).toEqual(first);
    expect(await tags.write(NOW)).toEqual([]);
    expect(writes()).toHaveLength(3);
    Object.assign(running, { status: 'FINISHED', end_time: NOW });
    failing.metrics[0] = { key: 'accuracy', value: 0.8, step: 1, timestamp: NOW };
    expect(await tags.write(NOW)).toEqual([
      { name: 'churn', version: '2', verdict: 'pass' },
      { name: 'churn', version: '4', verdict: 'fail' },
    ]);
    expect(writes().every(({ path }) => path === 'model-versions/set-tag')).toBe(true);
  });

  it('goes on after an error, once per delta period', async () => {
    const { experiment_id } = mlflow.experiment('churn');
    mlflow.models.create('churn', trained(experiment_id, 0.9).run_id, NOW);
    await open({ TAG_WRITEBACK: 'model-version' });
    const tags = service.app.get(TagWritebackService, { strict: false });
    mlflow.intercept = ({ path }) =>
      path === 'model-versions/set-tag'
        ? { status: 403, body: '{"error_code": "PERMISSION_DENIED", "message": "no"}' }
        : undefined;
    await tags.tick();
    expect([verdictTags(), writes().length]).toEqual([[undefined], 1]);
    mlflow.intercept = undefined;
    await tags.tick();
    expect(verdictTags()).toEqual([undefined]);
    expect(await tags.write(NOW)).toHaveLength(1);
    expect(verdictTags()).toEqual(['pass']);
  });

  it('is off by default', async () => {
    await open({});
    expect(() => service.app.get(TagWritebackService, { strict: false })).toThrow();
  });
});
