import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { Duck } from '../../../src/storage/duck.js';
import { CatalogServer } from '../../support/catalog-server.js';
import { type Ended, runHere, runProgram } from '../../support/command.js';
import { type OpenService, openService } from '../../support/open-service.js';
import { describeRedis } from '../../support/redis-server.js';
import { describeS3 } from '../../support/s3-server.js';

Logger.overrideLogger(false);
const DAY = 86_400_000;
const FIRST = Date.parse('2026-02-01T12:00:00Z');
const WEEK = ['--from', '2026-02-01', '--to', '2026-02-07'];
let mlflow: TrackingServer;
let folder: string;
let env: Record<string, string>;

beforeEach(async () => {
  mlflow = await TrackingServer.start();
  folder = await mkdtemp(join(tmpdir(), 'commands-'));
  env = { MLFLOW_TRACKING_URI: mlflow.uri, STORAGE_DIR: join(folder, 'store'), MAX_RETRIES: '0' };
  const { experiment_id } = mlflow.experiment('churn');
  for (let i = 0; i < 140; i++) {
    const start_time = FIRST + (i % 7) * DAY + i;
    const metric = (key: string, value: number) => ({ key, value, step: 0, timestamp: start_time });
    mlflow.run({
      experiment_id,
      start_time,
      metrics: [
        metric('accuracy', i === 3 ? Number.NaN : 0.9 + (i % 50) / 1000),
        metric('entropy', i),
        ...(i < 7 ? [metric('rare_loss', i)] : []),
      ],
    });
  }
});
afterEach(async () => {
  await mlflow.close();
  await rm(folder, { recursive: true, force: true });
});

type More = Readonly<Record<string, string>>;

/** Runs a command to its end, with these settings and no others. */
const command = (args: readonly string[], more: More = {}): Promise<Ended> =>
  runHere(args, { env: { ...env, ...more }, cwd: folder });

/** The same as a process of its own, where that is the point: each costs a second or more of CPU. */
const program = (args: readonly string[]): Promise<Ended> => runProgram(args, { env, cwd: folder });

/** A service that holds the week. */
async function serviceWithHistory(): Promise<OpenService> {
  const service = await openService({ trackingUri: mlflow.uri, catalog: null, http: true, env });
  await service.request('POST', '/api/v1/admin/backfills', {
    body: { from: '2026-02-01', to: '2026-02-07' },
  });
  expect((await service.finished('backfill-1')).status).toBe('done');
  return service;
}

async function statuses(metric: string): Promise<Record<string, number>> {
  const duck = await Duck.open(join(folder, 'store'), { temp: join(folder, 'temp') });
  const rows = await duck.session((session) =>
    session.rows<{ status: string; runs: number }>(
      'SELECT status, count(*)::INTEGER AS runs FROM read_parquet($files) WHERE metric_name = $metric GROUP BY status',
      { files: [join(folder, 'store/enriched_metrics/**/*.parquet')], metric },
    ),
  );
  duck.close();
  return Object.fromEntries(rows.map(({ status, runs }) => [status, runs]));
}

describe('mlflow-monitor backfill', () => {
  it('runs in its own process to the end', async () => {
    const { code, out } = await program(['backfill', ...WEEK]);
    expect(out).toContain('backfill-1 done: 140 runs, 287 metrics, 0 quarantined');
    expect(out).toContain('backfill-1: 23 of 23 steps');
    expect(code).toBe(0);
    expect(await statuses('entropy')).toEqual({ unmonitored: 140 });
  });

  it('says no before anything is done', async () => {
    const future = await command(['backfill', '--from', '2026-02-01', '--to', '2099-01-01']);
    const wrong = await program(['backfill', '--from', '2026-02-30', '--to', '2026-03-01']);
    expect([future.code, future.err]).toEqual([1, expect.stringContaining('2099-01-01 is in the future')]);
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('a day such as 2026-03-31')]);
    const none = await command(['backfill', ...WEEK, '--url', 'http://127.0.0.1:9', '--token-file', 'none']);
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('It cannot be read (ENOENT)')]);
    expect(none.err).not.toContain('at ');
  });

  it('exits with 1 when the run fails, and says where', async () => {
    mlflow.intercept = () => ({ status: 401, body: '{}' });
    const { code, err } = await command(['backfill', ...WEEK]);
    expect(err).toContain('backfill-1 failed');
    expect(err).toContain('all.plan: MLflow responded to experiments/search with 401');
    expect(code).toBe(1);
  });

  it('beside a running service names the other way, which works, also with a token', async () => {
    const file = join(folder, 'tokens');
    await writeFile(file, createHash('sha256').update('right').digest('hex'));
    const service = await openService({
      trackingUri: mlflow.uri,
      catalog: null,
      http: true,
      env: { ...env, ADMIN_TOKEN_SHA256_FILE: file, HOST: '0.0.0.0' },
    });
    try {
      const there = [...WEEK, '--url', `http://127.0.0.1:${service.port}/`];
      const future = ['--from', '2026-02-01', '--to', '2099-01-01', ...there.slice(4)];
      const alone = await program(['backfill', ...WEEK]);
      const without = await command(['backfill', ...there]);
      const wrong = await command(['backfill', ...there], { ADMIN_TOKEN: 'wrong' });
      const refused = await command(['backfill', ...future], { ADMIN_TOKEN: 'right' });
      expect(alone.code).toBe(1);
      expect(alone.err).toContain(`in use by process ${process.pid}`);
      expect(alone.err).toContain('--url http://127.0.0.1:3000');
      expect([without.code, without.err]).toEqual([1, expect.stringContaining('Set ADMIN_TOKEN')]);
      expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('in the future')]);
      expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('401')]);
      const right = await command(['backfill', ...there], { ADMIN_TOKEN: 'right', MLFLOW_TRACKING_URI: '' });
      expect(right.out).toContain('backfill-1 done: 7 of 7 days');
      expect(right.code).toBe(0);
      const tokenFile = join(folder, 'token');
      await writeFile(tokenFile, 'right\n');
      const day = ['--from', '2026-02-01', '--to', '2026-02-01', ...there.slice(4)];
      const again = await command(['backfill', ...day, '--token-file', tokenFile]);
      expect([again.code, again.out]).toEqual([0, expect.stringContaining('backfill-2 done: 1 of 1 days')]);
    } finally {
      await service.close();
    }
    expect(await statuses('entropy')).toEqual({ unmonitored: 140 });
  });
});

describe('mlflow-monitor suggest', () => {
  it('writes a catalog that judges as it said', async () => {
    await (await serviceWithHistory()).close();
    const { code, out } = await command(['suggest', '--out', 'thresholds.yaml']);
    expect(out).toContain('thresholds.yaml: thresholds for 1 of 3 metrics.');
    expect(code).toBe(0);
    const text = await readFile(join(folder, 'thresholds.yaml'), 'utf8');
    expect(text).toContain('# Thresholds suggested from 140 runs of 2026-02-01 to 2026-02-07.');
    // 139 valid values, 0.9 to 0.949, each of the first 40 thousandths three times (one of them NaN) and the others twice:
    // the quantiles 0.01 and 0.05 lie at the sorted places 1.38 and 6.9.
    expect(text).toContain('accuracy: 139 values, 1 invalid, 0.9 to 0.949, median 0.923.');
    expect(text).toContain('{ metric_name: accuracy, critical_threshold: 0.9, warning_threshold: 0.902 }');
    expect(text).toContain('Marks 0 critical (0.0 %), 6 warning (4.3 %).');
    expect(text).toMatch(/# entropy: 140 values, 0 to 139, median 69.5. Which way is better\?/);
    expect(text).toMatch(/# rare_loss: 7 values, .* Too few/);

    const catalog = { METRICS_API_URL: 'file:thresholds.yaml', THRESHOLDS_API_URL: 'file:thresholds.yaml' };
    expect((await command(['validate'], catalog)).out).toMatch(/ok +Catalog +1 metrics, 1 thresholds/);
    expect((await command(['backfill', ...WEEK], catalog)).code).toBe(0);
    expect(await statuses('accuracy')).toEqual({ healthy: 133, warning: 6, invalid: 1 });
  });

  it('reads beside a running service, and never writes over a file', async () => {
    await writeFile(join(folder, 'mine.yaml'), 'mine');
    const service = await serviceWithHistory();
    const refused = await command(['suggest', '--out', 'mine.yaml']);
    const shown = await command(['suggest']);
    await service.close();
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('mine.yaml is there already')]);
    expect(await readFile(join(folder, 'mine.yaml'), 'utf8')).toBe('mine');
    expect([shown.code, shown.out]).toEqual([0, expect.stringContaining('metric_name: accuracy')]);
  });

  it('says so where nothing is stored', async () => {
    const { code, err } = await command(['suggest'], { STORAGE_DIR: join(folder, 'empty') });
    expect([code, err]).toEqual([1, expect.stringContaining('There is no history')]);
  });
});

describe('mlflow-monitor validate', () => {
  it('finds all well, and what it belongs to', async () => {
    const { code, out } = await command(['validate']);
    expect(out).toMatch(/ok +MLFLOW_TRACKING_URI +"http/);
    expect(out).toMatch(/ok +Experiments +2 of 2 are watched/);
    expect(out).toMatch(/ok +MLflow runs +can be read/);
    expect(out).toMatch(/ok +Store +.* can be written/);
    expect(out).toContain('All is well.');
    expect(code).toBe(0);
  });

  it('names every wrong setting at once, and no secret', async () => {
    const wrong = { PORT: 'x', BATCH_SIZE: '0', MLFLOW_TRACKING_PASSWORD: 'geheim' };
    const { code, out } = await command(['validate'], wrong);
    expect(out).toMatch(/change +PORT +is "x"\n +→ it expects a whole number/);
    expect(out).toMatch(/change +BATCH_SIZE +is "0"/);
    expect(out).toContain('3 things must change.');
    expect(out).not.toContain('geheim');
    expect(code).toBe(1);
  });

  it('says of each connection what to change', async () => {
    await writeFile(join(folder, 'c.yaml'), 'thresholds: [{ metric_name: x, critical_threshold: high }]');
    await writeFile(join(folder, 'file'), '');
    const { code, out } = await command(['validate'], {
      MLFLOW_TRACKING_URI: 'http://127.0.0.1:9',
      STORAGE_DIR: join(folder, 'file'),
      REDIS_URL: 'redis://127.0.0.1:9',
      THRESHOLDS_API_URL: 'file:c.yaml',
      ADMIN_TOKEN_SHA256_FILE: 'file',
    });
    expect(out).toMatch(/change +MLflow +.*\n +→ Start the tracking server/);
    expect(out).toMatch(/change +Store +.*\n +→ Let STORAGE_DIR/);
    expect(out).toMatch(/change +Queue +.*ECONNREFUSED.*\n +→ Start Redis/);
    expect(out).toMatch(/change +Catalog +thresholds\[0\] is refused\n +→ Correct critical_threshold/);
    expect(out).toMatch(/change +Access +admin is refused: it holds no token/);
    expect(code).toBe(1);
  });

  it('asks each API of the catalog, with the key, and says which of them fails', async () => {
    const catalog = await CatalogServer.start();
    catalog.apiKey = 'right';
    catalog.thresholds = [{ metric_name: 'accuracy', critical_threshold: 'high' }];
    await writeFile(join(folder, 'c.yaml'), 'metrics: [{ metric_name: accuracy }]');
    const apis = {
      METRICS_API_URL: `${catalog.url}/api`,
      THRESHOLDS_API_URL: `${catalog.url}/api/thresholds`,
      API_KEY: 'right',
    };
    try {
      const asked = await command(['validate'], apis);
      const wrong = await command(['validate'], { ...apis, API_KEY: 'wrong' });
      const elsewhere = await command(['validate'], { ...apis, METRICS_API_URL: `${catalog.url}/nothing` });
      const mixed = await command(['validate'], { ...apis, METRICS_API_URL: 'file:c.yaml' });
      expect(asked.out).toMatch(/ok +Metrics API +http.* answers/);
      expect(asked.out).toMatch(
        /change +Thresholds API +thresholds\[0\] is refused\n +→ Correct critical_threshold/,
      );
      expect(catalog.questions).toContainEqual({
        path: '/api/thresholds/batch',
        authorization: 'Bearer right',
        body: { metrics: ['accuracy'], experiments: [expect.any(String)] },
      });
      expect(
        wrong.out.match(/change +(Metrics|Thresholds) API +.*responded with 401.*\n +→ Correct API_KEY/g),
      ).toHaveLength(2);
      expect(wrong.out).not.toContain('wrong"');
      expect(elsewhere.out).toMatch(
        /change +Metrics API +.*responded with 404.*\n +→ Correct METRICS_API_URL/,
      );
      expect(elsewhere.out).toMatch(/Thresholds API +.*thresholds\[0\] is refused/);
      expect(mixed.out).toMatch(/ok +Catalog +1 metrics\n/);
      expect([asked.code, wrong.code, elsewhere.code, mixed.code]).toEqual([1, 1, 1, 1]);
      catalog.thresholds = [];
      const well = await command(['validate'], apis);
      expect([well.code, well.out]).toEqual([0, expect.stringMatching(/ok +Thresholds API +http.* answers/)]);
    } finally {
      await catalog.close();
    }
  });

  it('tells what is right from what is not: permission, experiments, another server, an owner', async () => {
    const service = await serviceWithHistory();
    const beside = await command(['validate']);
    const none = await command(['validate'], { EXPERIMENT_INCLUDE: 'fraud*' });
    await service.close();
    expect(beside.out).toMatch(new RegExp(`note +Store +.* belongs to process ${process.pid}`));
    expect(beside.code).toBe(0);
    expect([none.code, none.out]).toEqual([
      1,
      expect.stringMatching(/change +Experiments +none of 2 passes/),
    ]);
    mlflow.intercept = ({ path }) => (path === 'runs/search' ? { status: 403, body: '{}' } : undefined);
    const denied = await command(['validate']);
    expect([denied.code, denied.out]).toEqual([1, expect.stringMatching(/→ Give its user the permission/)]);
    mlflow.intercept = undefined;
    const other = mlflow.experiments.get('0');
    if (other) other.creation_time += 1;
    const moved = await command(['validate']);
    expect([moved.code, moved.out]).toEqual([
      1,
      expect.stringMatching(/change +Store +it belongs to the tracking/),
    ]);
  });
});

describeS3('the commands with a bucket', (server) => {
  it('look at the bucket, and suggest from what lies there', async () => {
    const bucket = {
      S3_BUCKET: await server().bucket('monitor'),
      S3_ENDPOINT: server().endpoint,
      S3_FORCE_PATH_STYLE: 'true',
      AWS_REGION: 'us-east-1',
    };
    const empty = await command(['suggest'], bucket);
    expect([empty.code, empty.err]).toEqual([1, expect.stringContaining('no history in the bucket monitor')]);
    expect((await command(['backfill', ...WEEK], bucket)).code).toBe(0);
    const validated = await command(['validate'], bucket);
    const suggested = await command(['suggest'], bucket);
    const elsewhere = { ...bucket, S3_BUCKET: 'elsewhere', STORAGE_DIR: join(folder, 'other') };
    const wrong = await command(['validate'], elsewhere);
    expect(validated.out).toMatch(/ok +Store +s3:\/\/monitor can be written; of two writers one wins/);
    expect(validated.code).toBe(0);
    expect(suggested.out).toContain('accuracy: 139 values, 1 invalid');
    expect(wrong.out).toMatch(/change +Store +.*elsewhere.*\n +→ Correct the S3_/);
    expect(wrong.code).toBe(1);
  });
});

describeRedis('mlflow-monitor validate with Redis', (server) => {
  it('looks at its version and at what it does when memory is short', async () => {
    const { code, out } = await command(['validate'], { REDIS_URL: server().url });
    expect(out).toMatch(/ok +Queue +(Redis|Valkey) \d+\.\d+/);
    expect(out).toMatch(/ok +Queue memory +maxmemory-policy noeviction/);
    expect(code).toBe(0);
  });
});
