import { TrackingServer } from '../../src/demo/tracking-server.js';
import { openService } from '../support/open-service.js';
import { describeRedis } from '../support/redis-server.js';

const DAY = 86_400_000;
const NOW = Date.parse('2026-03-10T15:30:00Z');

function describeFlush(name: string, redisUrl: () => string | undefined): void {
  describe(`a pipeline run on ${name}`, () => {
    it('publishes the same bytes if the queue is flushed after each of its steps', async () => {
      const mlflow = await TrackingServer.start(() => NOW);
      const { experiment_id } = mlflow.experiment('churn');
      for (let i = 0; i < 40; i++) {
        mlflow.run({
          experiment_id,
          start_time: NOW - (i % 4) * DAY - i * 1_000,
          metrics: [{ key: 'accuracy', value: i / 40, step: 0, timestamp: 0 }],
        });
      }
      const url = redisUrl();
      const env = { LOOKBACK_DAYS_HISTORICAL: '4', STAGE_TRIES: '100', ...(url ? { REDIS_URL: url } : {}) };
      const options = { trackingUri: mlflow.uri, clock: () => NOW, env };
      const undisturbed = await openService(options);
      await undisturbed.run('historical');
      const digests = await undisturbed.digests();
      await undisturbed.close();

      const flushed = await openService(options);
      let flushes = 0;
      let pending = Promise.resolve();
      flushed.engine.events.on('progress', () => {
        flushes++;
        pending = pending.then(async () => {
          await flushed.resources.queue.flush();
          await flushed.engine.dispatch();
        });
      });
      const record = await flushed.run('historical');
      await pending;
      expect(record).toMatchObject({ status: 'done', summary: { runs: 40 } });
      expect(flushes).toBeGreaterThan(10);
      expect(await flushed.digests()).toEqual(digests);
      await flushed.close();
      await mlflow.close();
    });
  });
}

describeFlush('the embedded queue', () => undefined);

describeRedis('with Redis', (server) => describeFlush('Redis', () => server().url));
