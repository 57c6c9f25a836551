import type { FakeRun } from '../../src/demo/fakes.js';
import { TrackingServer } from '../../src/demo/tracking-server.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Times of the tracking server's clock, ms: when the store was filled, when a delta is interrupted, and 50 minutes later,
 * which is less than the tolerated clock skew.
 */
export const TIMES = {
  filled: Date.parse('2026-03-10T12:10:00Z'),
  interrupted: Date.parse('2026-03-10T15:31:00Z'),
  later: Date.parse('2026-03-10T16:21:00Z'),
} as const;
export type Time = keyof typeof TIMES;
/** The number of the delta that is due at each time. */
export const DELTAS = { filled: 1, interrupted: 2, later: 3 } as const satisfies Record<Time, number>;

const VALUES = [0.65, 0.75, 0.8, 0.9, Number.NaN, 0.1 + 0.2];
const metrics = (n: number, timestamp: number): FakeRun['metrics'] => [
  { key: 'accuracy', value: VALUES[n % VALUES.length] ?? 0, step: n, timestamp },
  { key: 'loss', value: n / 7, step: n, timestamp },
];

/** A tracking server with a fixed time, and the runs of that time. */
export class MlflowHistory {
  private time: Time = 'filled';
  private readonly experiments: readonly string[];

  private constructor(private readonly server: TrackingServer) {
    this.experiments = ['churn', 'fraud'].map((name) => server.experiment(name).experiment_id);
  }

  static async start(time: Time): Promise<MlflowHistory> {
    let clock = (): number => TIMES[time];
    const history = new MlflowHistory(await TrackingServer.start(() => clock()));
    clock = () => TIMES[history.time];
    history.moveTo(time);
    return history;
  }

  get uri(): string {
    return this.server.uri;
  }

  /** Sets the time and the runs of that time: old ones of three days, new ones, two long ones that end, an unreadable one. */
  moveTo(time: Time): void {
    this.time = time;
    this.server.runs.clear();
    const now = TIMES[time];
    for (let n = 0; n < 36; n++) this.run(`old${n}`, n, TIMES.filled - 2 * DAY + n * 83 * MINUTE);
    // Some started and ended long before the lookback of the next delta.
    for (let n = 0; TIMES.filled + (n * 37 + 2) * MINUTE <= now; n++) {
      this.run(`new${n}`, n, TIMES.filled + (n * 37 + 1) * MINUTE);
    }
    const start = TIMES.filled - 20 * HOUR;
    for (const [n, end] of [TIMES.filled + HOUR, TIMES.later - 10 * MINUTE].entries()) {
      const ended = end <= now;
      this.run(`long${n}`, n, start, {
        end_time: ended ? end : null,
        status: ended ? 'FINISHED' : 'RUNNING',
        metrics: metrics(n + (ended ? 1 : 0), start),
      });
    }
    if (TIMES.interrupted <= now) {
      this.run('broken', 0, TIMES.filled + 50 * MINUTE, { status: 'BROKEN' as 'FAILED' });
    }
  }

  close(): Promise<void> {
    return this.server.close();
  }

  private run(run_id: string, n: number, start_time: number, rest: Partial<FakeRun> = {}): void {
    this.server.run({
      run_id,
      experiment_id: this.experiments[n % 2] ?? '',
      start_time,
      metrics: metrics(n, start_time),
      tags: { application: `app-${n % 3}` },
      ...rest,
    });
  }
}
