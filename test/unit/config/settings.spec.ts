import {
  domainSettings,
  loadSettings,
  mlflowOptions,
  pageSizeOf,
  queueBackendOf,
  s3Options,
} from '../../../src/config/settings.js';

const MLFLOW_TRACKING_URI = 'http://localhost:5000';
const load = (env: Record<string, string> = {}) => loadSettings({ MLFLOW_TRACKING_URI, ...env });

describe('loadSettings', () => {
  it('requires only the tracking server, and reports if it is missing', () => {
    expect(load().DELTA_SCHEDULE_MINUTES).toBe(5);
    expect(() => loadSettings({ MLFLOW_TRACKING_URI: ' ' })).toThrow(/MLFLOW_TRACKING_URI is missing.*http:/);
  });

  it('reports every wrong variable with its value and the expected form', () => {
    expect(() => load({ PORT: '99999', LOG_LEVEL: 'loud' })).toThrow(
      /PORT is "99999": expected a whole number[\s\S]*LOG_LEVEL is "loud": expected one of error/,
    );
  });

  it('never prints a secret or the password of a URL', () => {
    const message = (env: Record<string, string>): string => {
      try {
        load(env);
        return '';
      } catch (error) {
        return String(error);
      }
    };
    expect(message({ MLFLOW_TRACKING_PASSWORD: 'hunter2' })).toContain('MLFLOW_TRACKING_USERNAME');
    expect(message({ MLFLOW_TRACKING_PASSWORD: 'hunter2' })).not.toContain('hunter2');
    expect(message({ REDIS_URL: 'http://me:hunter2@host' })).toContain('REDIS_URL is "http://***@host"');
  });

  it.each([
    [{ BATCH_SIZE: '10', MAX_RESULTS_PER_PAGE: '20' }, 'set only one of the two'],
    [{ QUEUE_BACKEND: 'redis' }, 'set REDIS_URL too'],
    [{ NODE_ENV: 'production' }, 'QUEUE_BACKEND=embedded'],
    [{ MLFLOW_TRACKING_URI: 'http://mlflow/?token=x' }, 'without query'],
    [{ MLFLOW_UI_URL: 'https://me:pw@mlflow' }, 'without query, user name and password'],
    [{ METRICS_API_URL: 'ftp://catalog' }, 'a URL such as https://'],
    [{ METRICS_API_URL: 'https://user:pass@catalog' }, 'its key goes into API_KEY'],
    [{ S3_BUCKET: 's3://bucket/path' }, 'without s3://'],
    [{ S3_ENDPOINT: 'http://me:hunter2@localhost:9000' }, '"http://***@localhost:9000": set S3_BUCKET too'],
    // The keys of a bucket are in AWS_…: these would not be used.
    [{ S3_BUCKET: 'b', S3_ENDPOINT: 'http://me:pw@localhost:9000' }, 'without query, user name and password'],
    [
      { S3_BUCKET: 'b', S3_ENDPOINT: 'http://localhost:9000?key=pw' },
      'without query, user name and password',
    ],
    [{ S3_BUCKET: 'bucket', S3_SSE: 'AES256', S3_SSE_KMS_KEY_ID: 'key' }, 'set S3_SSE=aws:kms'],
  ])('rejects %j', (env, message) => {
    expect(() => load(env)).toThrow(message);
  });

  it.each([
    ['', false, []],
    ['0', false, []],
    ['TRUE', true, []],
    ['hpo/*, sweep ?', false, ['hpo/*', 'sweep ?']],
  ])('counts child runs by COUNT_NESTED_RUNS=%j', (value, count_nested_runs, count_nested_of) => {
    const settings = domainSettings(load(value === '' ? {} : { COUNT_NESTED_RUNS: value }));
    expect(settings).toMatchObject({ count_nested_runs, count_nested_of });
  });

  it('stores data in the folder unless a bucket is set', () => {
    expect(s3Options(load({ S3_PREFIX: 'team' }))).toBeUndefined();
    const env = { S3_BUCKET: 'my-metrics', S3_PREFIX: 'team', TIMEOUT: '5', S3_SSE: 'aws:kms' };
    expect(s3Options(load(env))).toMatchObject({
      bucket: 'my-metrics',
      prefix: 'team',
      sse: 'aws:kms',
      maxRetries: 5,
      timeoutMs: 5_000,
      checksumMode: 'WHEN_SUPPORTED',
    });
  });

  it.each([
    [{}, 100, 1000],
    [{ BATCH_SIZE: '50' }, 50, 50],
    [{ MAX_RESULTS_PER_PAGE: '50' }, 50, 50],
    [{ BATCH_SIZE: '50', MAX_RESULTS_PER_PAGE: '50' }, 50, 50],
    // If set, it is an upper limit of the other kinds, never a lower one.
    [{ BATCH_SIZE: '5000' }, 5000, 1000],
    [{ BATCH_SIZE: '100', HISTORICAL_BATCH_SIZE: '2000' }, 100, 100],
    [{ BATCH_SIZE: '5000', HISTORICAL_BATCH_SIZE: '2000' }, 5000, 2000],
    [{ HISTORICAL_BATCH_SIZE: '20' }, 100, 20],
  ])(
    'with %j fetches %d runs per page in delta and backup runs, and %d in other runs',
    (env, recent, past) => {
      const settings = load(env);
      for (const kind of ['delta', 'backup'] as const) expect(pageSizeOf(kind, settings)).toBe(recent);
      for (const kind of ['historical', 'bootstrap', 'backfill'] as const) {
        expect(pageSizeOf(kind, settings)).toBe(past);
      }
    },
  );

  it.each([
    [{}, { maxRetries: 5, timeoutSeconds: 60, backoffSeconds: 2, concurrency: 2 }],
    [
      { MAX_RETRIES: '1', TIMEOUT: '7' },
      { maxRetries: 1, timeoutSeconds: 7 },
    ],
    [
      {
        MAX_RETRIES: '1',
        TIMEOUT: '7',
        MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
        MLFLOW_HTTP_REQUEST_TIMEOUT: '9',
      },
      { maxRetries: 0, timeoutSeconds: 9 },
    ],
    [{ MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR: '0.5' }, { backoffSeconds: 0.5 }],
    [
      {
        MLFLOW_TRACKING_URI: 'http://a:b@host',
        MLFLOW_TRACKING_USERNAME: 'c',
        MLFLOW_TRACKING_PASSWORD: 'd',
      },
      { uri: 'http://host', username: 'c', password: 'd' },
    ],
  ])('with %j calls MLflow with %j: its own variables take precedence over general ones', (env, options) => {
    expect(mlflowOptions(load(env))).toMatchObject(options);
  });

  it.each([
    ['98.9', 98.9],
    ['0.000001', 0.000001],
    ['100', 100],
  ])('reads %s percent as a decimal number', (text, value) => {
    expect(load({ PASS_RATE_PERCENT: text }).PASS_RATE_PERCENT).toBe(value);
  });

  it.each(['100.1', '-1', '1e1', '0.0000001', '12,5', '5 %', 'NaN', '.5'])('rejects %s percent', (text) => {
    expect(() => load({ PASS_RATE_PERCENT: text })).toThrow(
      `PASS_RATE_PERCENT is "${text}": expected a percentage from 0 to 100 with at most 6 decimals`,
    );
  });

  it('uses Redis if its URL is set, and reads MLflow credentials from the tracking URI', () => {
    expect(queueBackendOf(load())).toBe('embedded');
    expect(queueBackendOf(load({ REDIS_URL: 'redis://localhost' }))).toBe('redis');
    const options = mlflowOptions(load({ MLFLOW_TRACKING_URI: 'https://me:s%40crt@host/path/' }));
    expect(options).toMatchObject({ uri: 'https://host/path', username: 'me', password: 's@crt' });
  });
});
