import { WORKER_OPTIONS } from '../../../src/queue/worker-options.js';

it('a job survives 20 killed workers and 25 starts', () => {
  expect(WORKER_OPTIONS).toEqual({ maxStalledCount: 20, maxStartedAttempts: 25 });
});
