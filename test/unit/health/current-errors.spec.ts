import { currentErrorsSchema, describeErrors } from '../../../src/health/current-errors.js';

const error = (code: string, upstream: string, advice: string | null = null) => ({
  code,
  upstream,
  experiment_id: null,
  stage: 'fetch',
  message: 'no\u001b[2J answer',
  advice,
  attempt: 2,
  count: 12,
  first: 0,
  last: 60_000,
});

it('describes errors with what to do, by code or else by upstream, and without control characters', () => {
  const errors = describeErrors([
    error('experiment_refused', 'mlflow'),
    error('mlflow_unreachable', 'mlflow'),
    error('catalog_refused', 'catalog'),
    error('store_failed', 'store'),
    error('unexpected', 'service'),
    error('mlflow_unreachable', 'mlflow', 'Start the tracking server'),
    error('queue_unreachable', 'queue'),
    error('alert_not_delivered', 'alerts'),
  ]);
  expect(currentErrorsSchema.parse({ errors })).toEqual({ errors });
  expect(errors[0]).toMatchObject({
    message: String.raw`no\u001b[2J answer`,
    count: 12,
    first: '1970-01-01T00:00:00.000Z',
    last: '1970-01-01T00:01:00.000Z',
  });
  expect(errors.map(({ what_to_do }) => what_to_do)).toEqual([
    expect.stringContaining('Let the account of the service read the experiment'),
    expect.stringContaining('once MLflow responds'),
    expect.stringContaining('the stored thresholds apply'),
    expect.stringContaining('once the store responds'),
    expect.stringContaining('LOG_LEVEL=debug'),
    'Start the tracking server. Reading continues by itself once MLflow responds.',
    expect.stringContaining('once Redis responds'),
    expect.stringContaining('mlflow-monitor alerts test'),
  ]);
});
