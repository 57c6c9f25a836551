import { TrackingServer } from '../../src/demo/tracking-server.js';
import { readWatermarks } from '../../src/state/watermarks.js';
import { type OpenService, openService } from '../support/open-service.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOON = Date.parse('2026-03-10T12:00:00Z');
const TODAY = { from: Date.parse('2026-03-10T00:00:00Z'), to: Date.parse('2026-03-11T00:00:00Z') };
const DENIED = { status: 403, body: '{"error_code": "PERMISSION_DENIED", "message": "no"}' };

let mlflow: TrackingServer;
let pipeline: OpenService;
/** Clock of both service and tracking server, ms. */
let now = NOON;

beforeEach(async () => {
  now = NOON;
  mlflow = await TrackingServer.start(() => now);
  pipeline = await openService({ trackingUri: mlflow.uri, clock: () => now, env: { BATCH_SIZE: '2' } });
});
afterEach(async () => {
  await pipeline.close();
  await mlflow.close();
});

const published = async (): Promise<string[]> => {
  const rows = await pipeline.rows<{ run_id: string }>('runs', '2026/03/10', 'run_id');
  return rows.map(({ run_id }) => run_id).sort();
};

async function delta(): Promise<void> {
  expect(await pipeline.run('delta')).toMatchObject({ status: 'done', error: null });
}

describe('a run deleted between two pages of equal start times', () => {
  it.each([1, 2, 3])('does not hide other runs (deleted before search %i)', async (before) => {
    const { experiment_id } = mlflow.experiment('churn');
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    for (const run_id of names) mlflow.run({ run_id, experiment_id, start_time: NOON - HOUR });
    let searches = 0;
    mlflow.intercept = ({ path }) => {
      if (path === 'runs/search' && searches++ === before) mlflow.runs.delete('a');
      return undefined;
    };
    expect(await pipeline.run('backfill', TODAY)).toMatchObject({ status: 'done', error: null });
    expect((await published()).filter((id) => id !== 'a')).toEqual(names.slice(1));
    now += MINUTE;
    await pipeline.run('backfill', TODAY);
    expect(await published()).toEqual(names.slice(1));
  });
});

describe('an unreadable experiment', () => {
  let good: string;
  let lost: string;
  /** Step n, 3 h after the previous one: each experiment gets a run that has started and ended, and a delta reads them. */
  const nextStep = async (n: number): Promise<void> => {
    now = NOON + n * 3 * HOUR;
    mlflow.run({ run_id: `good${n}`, experiment_id: good, start_time: now - 2 * HOUR, end_time: now });
    mlflow.run({ run_id: `lost${n}`, experiment_id: lost, start_time: now - 2 * HOUR, end_time: now - HOUR });
    await delta();
  };

  beforeEach(async () => {
    good = mlflow.experiment('good').experiment_id;
    lost = mlflow.experiment('lost').experiment_id;
    await nextStep(0);
  });

  const includesLost = (experimentIds: unknown) => (experimentIds as string[] | undefined)?.includes(lost);
  it.each<[string, () => void, () => void]>([
    [
      'denied',
      () => {
        mlflow.intercept = ({ path, body }) =>
          path === 'runs/search' && includesLost(body.experiment_ids) ? DENIED : undefined;
      },
      () => {
        mlflow.intercept = undefined;
      },
    ],
    ['hidden', () => mlflow.hidden.add(lost), () => mlflow.hidden.delete(lost)],
    [
      'hidden while it is read',
      () => {
        mlflow.intercept = ({ path }) => {
          if (path === 'runs/search') mlflow.hidden.add(lost);
          return undefined;
        };
      },
      () => {
        mlflow.intercept = undefined;
        mlflow.hidden.delete(lost);
      },
    ],
  ])('(%s) keeps its watermark and its runs for hours, then catches up', async (_, hide, restore) => {
    const { store } = pipeline.resources;
    const before = await readWatermarks(store);
    expect(before).toMatchObject({ [good]: NOON, [lost]: NOON });
    hide();
    await nextStep(1);
    // Visible again for the next plan: an experiment hidden during a delta was in the plan of that delta.
    mlflow.hidden.delete(lost);
    hide();
    await nextStep(2);
    expect(await readWatermarks(store)).toMatchObject({ [good]: now, [lost]: NOON });
    expect(await published()).toEqual(['good0', 'good1', 'good2', 'lost0']);
    restore();
    now += MINUTE;
    await delta();
    expect(await readWatermarks(store)).toMatchObject({ [good]: now, [lost]: now });
    expect(await published()).toEqual(['good0', 'good1', 'good2', 'lost0', 'lost1', 'lost2']);
  });
});
