import { loadSettings } from '../../../src/config/settings.js';
import { stallTimeoutMs } from '../../../src/health/stall-timeout.js';

const minutes = (env: Record<string, string>) =>
  stallTimeoutMs(loadSettings({ MLFLOW_TRACKING_URI: 'http://mlflow', ...env })) / 60_000;

describe('stallTimeoutMs', () => {
  it('is twice the time of all attempts of one request', () => {
    // 6 attempts, each with a timeout of 1 minute and a wait of 2, and 10 minutes of `Retry-After`.
    expect(minutes({})).toBe(56);
    expect(minutes({ MLFLOW_HTTP_REQUEST_TIMEOUT: '600', MLFLOW_HTTP_REQUEST_MAX_RETRIES: '9' })).toBe(260);
  });

  it('is at least 30 minutes, so that a slow disk does not count as a stall', () => {
    expect(minutes({ MAX_RETRIES: '0', TIMEOUT: '1' })).toBe(30);
  });
});
