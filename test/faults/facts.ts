import { type FakeRun, TrackingServer } from '../../src/demo/tracking-server.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The tracking server's clock, ms: when the store was filled, when a delta is struck, and 50 minutes later, which is less than clocks may differ. */
export const TIMES = {
  filled: Date.parse('2026-03-10T12:10:00Z'),
  struck: Date.parse('2026-03-10T15:31:00Z'),
  later: Date.parse('2026-03-10T16:21:00Z'),
} as const;
export type Time = keyof typeof TIMES;
/** A delta that is due at a time has read everything before. */
export const DELTAS = { filled: 1, struck: 2, later: 3 } as const satisfies Record<Time, number>;

const VALUES = [0.65, 0.75, 0.8, 0.9, Number.NaN, 0.1 + 0.2];
const metrics = (n: number, timestamp: number): FakeRun['metrics'] => [
  { key: 'accuracy', value: VALUES[n % VALUES.length] ?? 0, step: n, timestamp },
  { key: 'loss', value: n / 7, step: n, timestamp },
];

/**
 * A tracking server with what is known at that time: runs of three days; one that ends, one that is changed and one that
 * is deleted between two times; new ones; one that cannot be read.
 */
export async function trackingServer(time: Time): Promise<TrackingServer> {
  const now = TIMES[time];
  const server = await TrackingServer.start(() => now);
  const ids = ['churn', 'fraud'].map((name) => server.experiment(name).experiment_id);
  const experiment = (n: number): string => ids[n % 2] ?? '';
  const tags = (n: number) => ({ application: `app-${n % 3}` });
  for (let n = 0; n < 36; n++) {
    const start_time = TIMES.filled - 2 * DAY + n * 83 * MINUTE;
    server.run({
      run_id: `old${n}`,
      experiment_id: experiment(n),
      start_time,
      metrics: metrics(n, start_time),
      tags: tags(n),
    });
  }
  // Every hour and more often: some began and ended long before the lookback of the delta that comes after.
  for (let n = 0; TIMES.filled + n * 37 * MINUTE < now; n++) {
    const start_time = TIMES.filled + (n * 37 + 1) * MINUTE;
    server.run({
      run_id: `new${n}`,
      experiment_id: experiment(n),
      start_time,
      metrics: metrics(n, start_time),
      tags: tags(n),
    });
  }
  const began = TIMES.filled - 20 * HOUR;
  for (const [n, end] of [TIMES.filled + HOUR, TIMES.later - 10 * MINUTE].entries()) {
    const ended = end <= now;
    server.run({
      run_id: `long${n}`,
      experiment_id: experiment(n),
      start_time: began,
      end_time: ended ? end : null,
      status: ended ? 'FINISHED' : 'RUNNING',
      metrics: metrics(n + (ended ? 1 : 0), began),
      tags: tags(n),
    });
  }
  if (now >= TIMES.struck) {
    const start_time = TIMES.filled + 50 * MINUTE;
    server.run({
      run_id: 'broken',
      experiment_id: experiment(0),
      start_time,
      status: 'BROKEN' as 'FAILED',
    });
  }
  return server;
}
