import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import type { PipelineKind } from '../../../src/domain/model.js';
import { type OpenService, openService } from '../../support/open-service.js';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const HOUR = 3_600_000;
const KINDS = ['delta', 'historical', 'reevaluation'] as const;

let mlflow: TrackingServer;
let service: OpenService;
let experimentId: string;

beforeAll(async () => {
  mlflow = await TrackingServer.start(() => NOW);
  experimentId = mlflow.experiment('churn').experiment_id;
  addRun();
  mlflow.run({ experiment_id: experimentId, start_time: null, end_time: NOW - HOUR });
  service = await openService({
    trackingUri: mlflow.uri,
    clock: () => NOW,
    http: true,
    env: { LOOKBACK_DAYS_HISTORICAL: '2', ROLES: 'worker,api' },
  });
  for (const kind of KINDS) await service.run(kind);
});
afterAll(async () => {
  await service.close();
  await mlflow.close();
});

/** A run that the next pipeline run must judge. */
function addRun(): void {
  const metrics = [{ key: 'accuracy', value: 0.9, step: 0, timestamp: NOW }];
  mlflow.run({ experiment_id: experimentId, start_time: NOW - HOUR, metrics });
}
const published = async () => (await service.rows<{ run_id: string }>('runs', '2026/03/10', 'run_id')).length;
/** Whether a pipeline run of this kind ends well; its error has to name the document. */
async function works(kind: PipelineKind, key: string): Promise<boolean> {
  try {
    const { status, error } = await service.run(kind);
    if (status === 'done') return true;
    expect(error?.message).toContain(key);
  } catch (error) {
    expect(String(error)).toContain(key);
  }
  return false;
}

/** The table of docs/storage.md, "Documents that cannot be read": what stops. */
const NONE: string[] = [];
const READING = ['delta', 'historical'];
const ALL = [...READING, 'reevaluation'];
const ROWS: [document: string, stops: string[]][] = [
  ['kinds/delta', ['delta']],
  ['watermark', READING],
  ['open-runs', READING],
  ['experiments', ALL],
  ['run-times', READING],
  ['never-ended-runs', READING],
  ['ended-runs', ['delta']],
  ['quarantine/list', READING],
  ['quarantine', READING],
  ['source', READING],
  ['judging-settings', ALL],
  ['rulebook', [...ALL, 'page']],
  ['threshold-changes', ['reevaluation']],
  ['catalog', NONE],
];

describe('an invalid document', () => {
  it.each(ROWS)('%s stops only %j, and all works when it is deleted', async (name, stops) => {
    const key = `_state/${name}.json`;
    const file = join(service.folder, 'store', key);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, '{');
    addRun();
    const stopped: string[] = [];
    for (const kind of KINDS) if (!(await works(kind, key))) stopped.push(kind);
    if ((await service.request('GET', '/api/v1/platform/current')).status !== 200) stopped.push('page');
    expect(stopped).toEqual(stops);
    await rm(file);
    for (const kind of KINDS) expect((await service.run(kind)).status).toBe('done');
    expect((await service.request('GET', '/api/v1/platform/current')).status).toBe(200);
    expect(await published()).toBe(mlflow.runs.size);
  });
});

describe('a deleted document', () => {
  const state = (name: string) => join(service.folder, 'store', '_state', `${name}.json`);

  it('of the runs of a kind does not repeat their numbers', async () => {
    const before = await service.run('delta');
    await rm(state('kinds/delta'));
    const number = (id: string) => Number(id.split('-')[1]);
    expect(number((await service.run('delta')).id)).toBe(number(before.id) + 1);
  });

  it('with the rules is replaced by the current ones', async () => {
    await rm(state('rulebook'));
    addRun();
    expect((await service.run('delta')).status).toBe('done');
    const rows = await service.rows<{ status: string }>('enriched_metrics', '2026/03/10', 'DISTINCT status');
    expect(rows.map(({ status }) => status)).toEqual(['healthy']);
  });
});
