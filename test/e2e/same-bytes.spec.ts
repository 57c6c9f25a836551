import { TrackingServer } from '../../src/demo/tracking-server.js';
import { type OpenService, openService } from '../support/open-service.js';
import { rounds } from '../support/rounds.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MIDNIGHT = Date.parse('2026-03-10T00:00:00Z');
const NOW = MIDNIGHT + 15.5 * HOUR;
/** The simulated days of deltas and daily historical runs; every kind of change occurs in the first 10. */
const DAYS = rounds(10, 30);
/** Each day has three pipeline runs. */
const LONGEST_MS = DAYS * 20_000;
const VALUES = [0.7, 0.65, 0.8, 0.9, 0.75, Number.NaN, 0.1 + 0.2];

const open: OpenService[] = [];
const servers: TrackingServer[] = [];
afterEach(async () => {
  for (const pipeline of open.splice(0)) await pipeline.close();
  for (const server of servers.splice(0)) await server.close();
});

async function server(clock: () => number): Promise<TrackingServer> {
  const started = await TrackingServer.start(clock);
  servers.push(started);
  return started;
}

async function pipeline(uri: string, clock: () => number, env: Record<string, string>): Promise<OpenService> {
  const opened = await openService({ trackingUri: uri, clock, env });
  open.push(opened);
  return opened;
}

/** 160 runs within 10 days; some span midnight, and more have equal start times than fit on a small page. */
function seed(mlflow: TrackingServer, order: (numbers: number[]) => number[]): void {
  const experiments = ['churn', 'fraud'].map((name) => mlflow.experiment(name).experiment_id);
  for (const i of order(Array.from({ length: 160 }, (_, n) => n))) {
    const start = Math.min(MIDNIGHT - 9 * DAY + Math.floor(i / 7) * 10 * HOUR, NOW - HOUR);
    mlflow.run({
      run_id: `run${String(i).padStart(4, '0')}`,
      experiment_id: experiments[i % 2] ?? '',
      start_time: start,
      end_time: Math.min(start + 26 * HOUR, NOW),
      status: i % 31 === 0 ? 'FAILED' : 'FINISHED',
      metrics: ['accuracy', 'loss', 'system/cpu'].map((key, n) => ({
        key,
        value: (VALUES[(i + n) % VALUES.length] ?? 0) * (n === 1 ? 1e-3 : 1),
        step: n,
        timestamp: start,
      })),
      params: { depth: `${i % 5}` },
      tags: { application: `app-${i % 3}`, ...(i % 11 === 0 ? { 'mlflow.parentRunId': 'run0001' } : {}) },
    });
  }
}

describe('equal facts and rules', () => {
  it('produce equal bytes for any order, page size, slices, pipeline runs, threads and memory', async () => {
    let now = NOW;
    const clock = () => now;
    const forward = await server(clock);
    seed(forward, (numbers) => numbers);
    const backward = await server(clock);
    seed(backward, (numbers) => numbers.reverse());

    const first = await pipeline(forward.uri, clock, { DUCKDB_THREADS: '2' });
    expect((await first.run('historical')).status).toBe('done');

    // Small pages, half the memory, recent days first, and each run is read at least twice.
    const small = { BATCH_SIZE: '3', DUCKDB_THREADS: '1', DUCKDB_MEMORY_LIMIT: '500MB' };
    const second = await pipeline(backward.uri, clock, small);
    await second.run('backfill', { from: MIDNIGHT - 4 * DAY, to: MIDNIGHT - 2 * DAY });
    await second.run('bootstrap');
    now += 60_000;
    await second.run('delta');
    await second.run('historical');

    const digests = await first.digests();
    expect(Object.keys(digests).filter((key) => !key.startsWith('_base/')).length).toBeGreaterThan(40);
    const [overMidnight] = await first.rows<{ runs: number }>(
      'runs',
      '2026/03/08',
      'count_if(start_time::DATE <> end_time::DATE)::INTEGER AS runs',
    );
    expect(overMidnight?.runs).toBeGreaterThan(0);
    expect(await second.digests()).toEqual(digests);
  });

  it(
    `produce equal bytes by ${DAYS} days of deltas and daily historical runs and by one bootstrap`,
    async () => {
      let now = MIDNIGHT - DAYS * DAY;
      const clock = () => now;
      const mlflow = await server(clock);
      const applyEvents = scheduleEvents(mlflow, now);
      const daily = await pipeline(mlflow.uri, clock, { LOOKBACK_DAYS_HISTORICAL: '4' });
      await daily.run('bootstrap');
      while (now < MIDNIGHT) {
        now += 12 * HOUR;
        applyEvents(now);
        await daily.run('delta');
        if (now % DAY === 0) await daily.run('historical');
      }
      const fresh = await pipeline(mlflow.uri, clock, { LOOKBACK_DAYS_HISTORICAL: `${DAYS + 1}` });
      await fresh.run('bootstrap');
      const digests = await fresh.digests();
      expect(Object.keys(digests).length).toBeGreaterThan(5 * DAYS);
      expect(await daily.digests()).toEqual(digests);
    },
    LONGEST_MS,
  );
});

interface Event {
  readonly at: number;
  readonly apply: () => void;
}

/**
 * A month of events on the tracking server: runs of minutes and of days, late metrics, resumed, deleted and purged runs.
 * @returns a function that applies all events up to a time
 */
function scheduleEvents(mlflow: TrackingServer, begin: number): (until: number) => void {
  const { experiment_id } = mlflow.experiment('churn');
  const events: Event[] = [];
  for (let i = 0; i < 150; i++) {
    const start = begin + HOUR + i * 4.7 * HOUR;
    const end = start + (i % 13 === 0 ? 40 * HOUR : 0.3 * HOUR);
    const metric = (value: number) => [{ key: 'accuracy', value, step: 0, timestamp: start }];
    const run = () => mlflow.runs.get(`run${i}`);
    const change = (at: number, changes: object) =>
      events.push({ at, apply: () => Object.assign(run() ?? {}, changes) });
    events.push({
      at: start,
      apply: () =>
        mlflow.run({
          run_id: `run${i}`,
          experiment_id,
          start_time: start,
          end_time: null,
          status: 'RUNNING',
          metrics: metric(0.5),
          tags: { application: `app-${i % 2}` },
        }),
    });
    change(end, { status: 'FINISHED', end_time: end, metrics: metric(VALUES[i % VALUES.length] ?? 0) });
    if (i % 7 === 1) change(end + 30 * HOUR, { metrics: metric(0.6 + i / 1_000) });
    // A resumed run keeps its end time until it ends again.
    if (i % 7 === 2) change(end + 50 * HOUR, { status: 'RUNNING' });
    if (i % 7 === 2) change(end + 60 * HOUR, { status: 'FAILED', end_time: end + 60 * HOUR });
    if (i % 17 === 3) change(end + 40 * HOUR, { lifecycle_stage: 'deleted' });
    if (i % 19 === 4) events.push({ at: end + 45 * HOUR, apply: () => mlflow.runs.delete(`run${i}`) });
  }
  events.sort((a, b) => a.at - b.at);
  return (until) => {
    while (events[0] && events[0].at <= until) events.shift()?.apply();
  };
}
