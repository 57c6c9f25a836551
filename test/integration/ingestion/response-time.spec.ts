import { HttpService } from '@nestjs/axios';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { HttpMlflowClient } from '../../../src/ingestion/mlflow-client.js';

const NOON = Date.parse('2026-03-10T12:00:00Z');
const HOUR = 3_600_000;
const realNow = Date.now;
let mlflow: TrackingServer;
beforeEach(async () => {
  mlflow = await TrackingServer.start(() => NOON);
});
afterEach(async () => {
  Date.now = realNow;
  await mlflow.close();
});

describe('the time of a response', () => {
  it.each([
    ['back', -HOUR, 0],
    ['forward', HOUR, HOUR],
  ])(
    'begins no later than its request, also if the local clock is set %s meanwhile',
    async (_, by, atLeast) => {
      mlflow.intercept = () => {
        Date.now = () => realNow() + by;
        return undefined;
      };
      const client = new HttpMlflowClient(new HttpService(), {
        uri: mlflow.uri,
        insecureTls: false,
        maxRetries: 0,
        backoffSeconds: 0,
        timeoutSeconds: 10,
        concurrency: 1,
        maxPageBytes: 1e6,
      });
      const { date, began } = await client.listExperiments();
      expect(date).toBe(NOON);
      expect(date - began).toBeGreaterThanOrEqual(atLeast);
      expect(Number.isInteger(began)).toBe(true);
    },
  );
});
