import { loadSettings } from '../../../src/config/settings.js';
import { stallTimeoutMs } from '../../../src/health/stall-timeout.js';

const stuckAfter = (env: Record<string, string>) =>
  stallTimeoutMs(loadSettings({ MLFLOW_TRACKING_URI: 'http://mlflow', ...env })) / 60_000;

describe('how long a job may stand still', () => {
  it('is twice as long as all tries of one request', () => {
    // 6 tries, each with a silence of 1 minute and a wait of 2.
    expect(stuckAfter({})).toBe(36);
    expect(stuckAfter({ MLFLOW_HTTP_REQUEST_TIMEOUT: '600', MLFLOW_HTTP_REQUEST_MAX_RETRIES: '9' })).toBe(
      240,
    );
  });

  it('is never so short that a slow disk would end it', () => {
    expect(stuckAfter({ MAX_RETRIES: '0', TIMEOUT: '1' })).toBe(30);
  });
});
