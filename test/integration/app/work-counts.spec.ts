import type { AlertEvaluator } from '../../../src/alerts/alert-evaluator.js';
import { loadAlerts } from '../../../src/alerts/load-alerts.js';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import type { PipelineKind } from '../../../src/domain/model.js';
import { AlertChain } from '../../../src/state/alerts/evaluations.js';
import { type OpenService, openService } from '../../support/open-service.js';
import { rounds } from '../../support/rounds.js';
import { WorkCounter, type WorkCounts } from '../../support/work-counts.js';
import { evaluatorOf } from '../alerts/alert-scenario.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-03-10T15:30:00Z');
/** Runs per hour of the last ten days, but for the last two hours. */
const RUNS_PER_HOUR = 4;
const RUNS = (10 * 24 - 2) * RUNS_PER_HOUR;
const METRICS = 5;
/** A delta that read each of these days would need several hundred requests more. */
const NEVER_ENDED = rounds(60, 200);
/** The days of these runs are stored one by one. */
const TIME_LIMIT_MS = 600_000;

/** A running service whose store has ten days, and the tracking server that they came from. */
class Scenario {
  /** Clock of both, ms. */
  private now = NOW;
  private readonly counter = new WorkCounter();
  private readonly opened: (() => Promise<void> | void)[] = [];
  private mlflow!: TrackingServer;
  private service!: OpenService;
  private evaluator: AlertEvaluator | undefined;

  /** @param neverEnded runs that started on so many days before the ten, one a day, and have not ended */
  async open(neverEnded = 0): Promise<void> {
    this.mlflow = await TrackingServer.start(() => this.now);
    this.opened.push(() => this.mlflow.close());
    const { experiment_id } = this.mlflow.experiment('churn');
    for (let i = 0; i < RUNS; i++) this.addRun(experiment_id, NOW - 2 * HOUR - (i * HOUR) / RUNS_PER_HOUR);
    for (let i = 0; i < neverEnded; i++) {
      const start_time = NOW - (15 + i) * DAY;
      this.mlflow.run({ experiment_id, start_time, status: 'RUNNING', end_time: null });
    }
    const clock = () => this.now;
    const { wrapStore } = this.counter;
    this.service = await openService({ trackingUri: this.mlflow.uri, clock, wrapStore });
    this.opened.push(() => this.service.close());
    this.counter.start();
    this.opened.push(() => this.counter.stop());
    await this.run('bootstrap');
    // The first delta also sweeps the stored days, and the second is the first that starts as all later ones.
    await this.run('delta');
    await this.run('delta');
  }

  /** Executes a pipeline run. @returns what it cost */
  async run(kind: PipelineKind, minutesLater = 5): Promise<WorkCounts> {
    this.now += minutesLater * MINUTE;
    const { result, counts } = await this.counter.measure(() => this.service.run(kind));
    expect(result).toMatchObject({ status: 'done', error: null });
    return counts;
  }

  /** Evaluates alerts after a delta. @returns what the evaluation cost */
  async evaluate(): Promise<WorkCounts> {
    const evaluator = this.evaluator ?? evaluatorOf(this.service, () => this.now);
    this.evaluator = evaluator;
    await this.run('delta');
    return (await this.counter.measure(() => evaluator.evaluateData())).counts;
  }

  /** What the second request of a page for the alerts costs. */
  async askForAlerts(): Promise<WorkCounts> {
    const { store } = this.service.resources;
    const chain = new AlertChain(store);
    const known = new Map();
    const ask = () => loadAlerts(store, chain, this.now, known);
    await ask();
    return (await this.counter.measure(ask)).counts;
  }

  /** Adds a run of a second. */
  addRun(experiment_id = '1', start_time = this.now): void {
    const metrics = Array.from({ length: METRICS }, (_, i) => ({
      key: i === 0 ? 'accuracy' : `metric_${i}`,
      value: 0.9,
      step: 0,
      timestamp: start_time,
    }));
    this.mlflow.run({ experiment_id, start_time, end_time: start_time + 1_000, metrics });
  }

  async close(): Promise<void> {
    for (const close of this.opened.splice(0).reverse()) await close();
  }
}

/** The numbers of `counts` that exceed a limit. */
function beyond(counts: WorkCounts, limits: WorkCounts): string[] {
  return (['requests', 'dayRequests', 'rows', 'parses'] as const)
    .filter((name) => counts[name] > limits[name])
    .map((name) => `${counts[name]} ${name}, at most ${limits[name]}`);
}

/** Store requests of a delta on a store where nothing changes, and of one that asks for runs that never ended, as one an hour does. */
async function requestsOfDeltas(scenario: Scenario): Promise<{ usual: number; hourly: number }> {
  const usual = await scenario.run('delta');
  const hourly = await scenario.run('delta', 61);
  return { usual: usual.requests, hourly: hourly.requests };
}

describe('the work of a pipeline run', () => {
  const scenario = new Scenario();
  beforeAll(() => scenario.open());
  afterAll(() => scenario.close());

  // Up to ten requests more or less depend on how often the engine looks for due stages.
  it('is the record and the jobs alone for a delta that finds nothing: no object of a day is requested', async () => {
    const counts = await scenario.run('delta');
    // A delta has 6 jobs with some 15 requests each: markers, attempts, documents, and puts the head of `_latest.json`. Its 4 searches return a page without runs each.
    expect(beyond(counts, { requests: 100, dayRequests: 0, rows: 0, parses: 4 })).toEqual([]);
  });

  it('is one day and those that its aggregates need for a delta with one new run', async () => {
    scenario.addRun();
    const counts = await scenario.run('delta');
    // The runs of the day and the 7 before it, the sums of the 7, the metrics of the day and the one before it, the tails of the
    // day before it, and the objects that are published. One page has a run, and is parsed once more. 2 jobs more than for
    // nothing: the forecasts of the day, and its aggregates. Each of the 3 stages that publish puts the month of `_latest.json`, and
    // the end its head.
    expect(beyond(counts, { requests: 186, dayRequests: 44, rows: 4_400, parses: 5 })).toEqual([]);
  });

  it('is a look at the facts of each day for a historical run that finds nothing', async () => {
    const counts = await scenario.run('historical');
    // 11 days with 4 jobs each, some 13 requests a job, and a listing of stored pages per day. The facts of a day are read to find runs that are gone and to compare;
    // its page is parsed to go on and to read it, and 3 searches for older runs return a page without runs each.
    const days = 11;
    const limits = { requests: 540, dayRequests: 2 * days, rows: 2 * (RUNS + 1), parses: 2 * days + 3 };
    expect(beyond(counts, limits)).toEqual([]);
  });

  it('is a few listings for a pass over all days that finds nothing', async () => {
    const counts = await scenario.run('reevaluation');
    // The listings of the datasets, the index of objects and 4 jobs, however many days are stored, and the state of the checks of
    // data quality.
    expect(beyond(counts, { requests: 126, dayRequests: 0, rows: 0, parses: 0 })).toEqual([]);
  });

  describe('alerts', () => {
    // The first evaluation also reads what later ones know.
    beforeAll(() => scenario.evaluate());

    it('are documents alone after a delta that finds nothing: no object of a day is requested', async () => {
      // The newest delta, the watermarks, the documents of the page, the policy, the mutes, and the chain.
      const limits = { requests: 30, dayRequests: 0, rows: 0, parses: 0 };
      expect(beyond(await scenario.evaluate(), limits)).toEqual([]);
    });

    it('are what the page reads, and the runs of the week before, after a delta with one new run', async () => {
      scenario.addRun();
      // Local copies of the days that have not changed are read again: the runs of 7 days, and the metrics of 2.
      const limits = { requests: 30, dayRequests: 1, rows: 6_600, parses: 0 };
      expect(beyond(await scenario.evaluate(), limits)).toEqual([]);
    });

    it('are a few documents for each open page that asks for them again', async () => {
      // The policy, the mutes, the outbox, the next evaluation, and the listings of deliveries and evaluations.
      const limits = { requests: 6, dayRequests: 0, rows: 0, parses: 0 };
      expect(beyond(await scenario.askForAlerts(), limits)).toEqual([]);
    });
  });

  it(
    'does not depend on runs that never ended and lie on many other days, but for one look at their facts an hour',
    async () => {
      const without = await requestsOfDeltas(scenario);
      // Only one service can be counted at a time.
      await scenario.close();
      const other = new Scenario();
      try {
        await other.open(NEVER_ENDED);
        const withThem = await requestsOfDeltas(other);
        expect(withThem.usual).toBeLessThanOrEqual(1.2 * without.usual);
        expect(withThem.usual).toBeGreaterThanOrEqual(0.8 * without.usual);
        // The facts of each day are compared with the response; no day is judged or published.
        expect(withThem.hourly).toBeLessThanOrEqual(1.2 * without.hourly + NEVER_ENDED);
      } finally {
        await other.close();
      }
    },
    TIME_LIMIT_MS,
  );
});
