import { loadSettings, mlflowOptions, pageSizeOf, queueBackendOf } from '../../../src/config/settings.js';

const MLFLOW_TRACKING_URI = 'http://localhost:5000';
const load = (env: Record<string, string> = {}) => loadSettings({ MLFLOW_TRACKING_URI, ...env });

describe('settings', () => {
  it('need nothing but the tracking server, and say so', () => {
    expect(load().DELTA_SCHEDULE_MINUTES).toBe(5);
    expect(() => loadSettings({ MLFLOW_TRACKING_URI: ' ' })).toThrow(/MLFLOW_TRACKING_URI is missing.*http:/);
  });

  it('names every wrong variable, what it got and what it expects', () => {
    expect(() => load({ PORT: '99999', LOG_LEVEL: 'loud' })).toThrow(
      /PORT is "99999"; it expects a whole number[\s\S]*LOG_LEVEL is "loud"; it expects one of error/,
    );
  });

  it('never shows a secret, nor the password of an address', () => {
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
    [{ BATCH_SIZE: '10', MAX_RESULTS_PER_PAGE: '20' }, 'two names of one setting'],
    [{ QUEUE_BACKEND: 'redis' }, 'REDIS_URL beside it'],
    [{ NODE_ENV: 'production' }, 'QUEUE_BACKEND=embedded'],
    [{ S3_BUCKET: 'bucket' }, 'comes with a later version'],
    [{ METRICS_API_URL: 'ftp://catalog' }, 'an address such as https://'],
    [{ METRICS_API_URL: 'https://user:pass@catalog' }, 'the key goes into API_KEY'],
  ])('refuses %j', (env, message) => {
    expect(() => load(env)).toThrow(message);
  });

  it('bounds the pages of all kinds by a page size that was chosen', () => {
    expect(pageSizeOf('delta', load())).toBe(100);
    expect(pageSizeOf('historical', load())).toBe(1000);
    expect(pageSizeOf('historical', load({ MAX_RESULTS_PER_PAGE: '50' }))).toBe(50);
    expect(pageSizeOf('delta', load({ MAX_RESULTS_PER_PAGE: '50' }))).toBe(50);
  });

  it.each([
    ['98.9', 98.9],
    ['0.000001', 0.000001],
    ['100', 100],
  ])('takes %s percent as the decimal number it is', (text, value) => {
    expect(load({ PASS_RATE_PERCENT: text }).PASS_RATE_PERCENT).toBe(value);
  });

  it.each(['100.1', '-1', '1e1', '0.0000001', '12,5', '5 %', 'NaN', '.5'])('refuses %s percent', (text) => {
    expect(() => load({ PASS_RATE_PERCENT: text })).toThrow(
      `PASS_RATE_PERCENT is "${text}"; it expects a number of percent from 0 to 100, with at most 6 decimals`,
    );
  });

  it('takes Redis where it has its address, and credentials from the address of MLflow', () => {
    expect(queueBackendOf(load())).toBe('embedded');
    expect(queueBackendOf(load({ REDIS_URL: 'redis://localhost' }))).toBe('redis');
    const options = mlflowOptions(load({ MLFLOW_TRACKING_URI: 'https://me:s%40crt@host/path/' }));
    expect(options).toMatchObject({ uri: 'https://host/path', username: 'me', password: 's@crt' });
  });
});
