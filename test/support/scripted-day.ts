import type { FakeExperiment, FakeRequest, FakeResponse, FakeRun } from '../../src/demo/fakes.js';
import { SeededRandom } from '../../src/demo/seeded-random.js';
import { TrackingServer } from '../../src/demo/tracking-server.js';

const MINUTE = 60_000;

export interface DayOptions {
  /** Equal seeds give equal days. */
  readonly seed: number;
  readonly runs: number;
  /** When the first run can start and when the last change can happen, ms. */
  readonly from: number;
  readonly to: number;
}

/** What happens to a run after it ended, or is wrong with its times. Of each kind there are equally many runs. */
const KINDS = [
  'plain',
  'resumed',
  'late metrics',
  'plain',
  'edited tags',
  'deleted',
  'restored',
  'plain',
  'purged',
  'clock behind',
  'clock ahead',
  'plain',
  'no start',
  'unreadable',
  'mended',
] as const;
/** Deltas see these, because their times are right, or new, or the runs have not ended. */
const SEEN: ReadonlySet<(typeof KINDS)[number]> = new Set([
  'plain',
  'resumed',
  'clock ahead',
  'no start',
  'unreadable',
]);
const VALUES = [0.65, 0.75, 0.9, Number.NaN, 0.1 + 0.2] as const;
const OUTAGES = ['busy', 'cut', 'denied'] as const;

/**
 * A day of changes on a tracking server, in simulated time. Changes happen also while a pipeline run reads: each request takes up to
 * 3 s. The server's clock is up to 8 minutes ahead or behind, and is set several times.
 */
export class ScriptedDay {
  /** Runs that changed in ways that MLflow cannot be asked for: a sweep finds these changes. */
  readonly unseen = new Set<string>();
  private readonly random: SeededRandom;
  private readonly events: { readonly at: number; readonly apply: () => void }[] = [];
  private readonly experiments: FakeExperiment[] = [];
  private now: number;
  /** Of the server's clock, ms. */
  private skew = 0;
  private outage: { readonly how: (typeof OUTAGES)[number]; requestsLeft: number } | undefined;

  private constructor(
    private readonly options: DayOptions,
    readonly mlflow: TrackingServer,
  ) {
    this.random = new SeededRandom('scripted day', options.seed);
    this.now = options.from;
    for (const name of ['churn', 'fraud', 'prices', 'tests']) this.experiments.push(mlflow.experiment(name));
    for (let i = 0; i < options.runs; i++) this.scheduleRun(i);
    this.scheduleExperiments();
    this.scheduleServerClock();
    this.events.sort((a, b) => a.at - b.at);
    mlflow.intercept = (request) => this.respond(request);
  }

  static async start(options: DayOptions): Promise<ScriptedDay> {
    let day: ScriptedDay | undefined;
    const mlflow = await TrackingServer.start(() => (day ? day.now + day.skew : options.from));
    day = new ScriptedDay(options, mlflow);
    return day;
  }

  /** The clock of the service, ms. */
  readonly clock = (): number => this.now;

  get isOver(): boolean {
    return this.now >= this.options.to;
  }

  /** Lets so many simulated minutes pass. */
  pass(minutes: number): void {
    this.advance(Math.floor(minutes * MINUTE));
  }

  /** The time to the next delta, minutes. One in four deltas meets an outage, which begins at one of its first requests. */
  nextDelta(from: number, to: number): number {
    const { random } = this;
    const requestsLeft = random.integer(0, 8);
    const how = random.pick(OUTAGES);
    this.outage = random.next() < 0.25 ? { how, requestsLeft } : undefined;
    return random.between(from, to);
  }

  /** Ends all outages, and sets the server's clock right. */
  end(): void {
    this.pass(1);
    this.outage = undefined;
    this.skew = 0;
    this.mlflow.hidden.clear();
    this.mlflow.intercept = undefined;
  }

  private advance(ms: number): void {
    this.now += ms;
    while (this.events[0] && this.events[0].at <= this.now) this.events.shift()?.apply();
  }

  private respond({ path, body }: FakeRequest): FakeResponse | undefined {
    this.advance(this.random.integer(0, 3_000));
    const { outage } = this;
    if (!outage || outage.requestsLeft-- > 0) return undefined;
    if (outage.how === 'busy') return { status: 503, body: 'busy' };
    if (outage.how === 'cut') return { status: 200, body: '{"runs": [{"info": {}}]}', cut: true };
    const [, denied] = this.experiments;
    const ids = path === 'runs/search' ? (body.experiment_ids as string[]) : [];
    if (!denied || !ids.includes(denied.experiment_id)) return undefined;
    return { status: 403, body: '{"error_code": "PERMISSION_DENIED", "message": "no"}' };
  }

  /** At a time within the day; later changes do not happen. */
  private at(time: number, apply: () => void): void {
    if (time < this.options.to) this.events.push({ at: time, apply });
  }

  /** MLflow changes runs only while they are not deleted. */
  private change(time: number, runId: string, changes: Partial<FakeRun>): void {
    this.at(time, () => {
      const run = this.mlflow.runs.get(runId);
      if (run?.lifecycle_stage === 'active') Object.assign(run, changes);
    });
  }

  private scheduleRun(i: number): void {
    const { random, mlflow } = this;
    const { from, to } = this.options;
    const kind = KINDS[i % KINDS.length] ?? 'plain';
    const run_id = `run${String(i).padStart(4, '0')}`;
    const experiment = random.pick(this.experiments as [FakeExperiment, ...FakeExperiment[]]);
    const start = Math.floor(random.between(from, to));
    const end = start + Math.floor(random.pick([1, 5, 20, 60, 180]) * MINUTE * random.between(0.5, 1.5));
    const late = end + random.integer(1, 120) * MINUTE;
    const later = late + random.integer(1, 60) * MINUTE;
    const metrics = (timestamp: number, keys = ['accuracy']) =>
      keys.map((key) => ({ key, value: random.pick(VALUES), step: 0, timestamp }));
    // The machine of the run sends its own times.
    const behind = kind === 'clock behind' ? random.integer(1, 90) * MINUTE : 0;
    const ahead = kind === 'clock ahead' ? random.integer(1, 4) * MINUTE : 0;
    const shift = ahead - behind;
    const isBroken = kind === 'unreadable' || kind === 'mended';
    const start_time = kind === 'no start' ? null : isBroken ? start * 1_000 : start + shift;
    const tags: Record<string, string> = random.next() < 0.5 ? { application: random.pick(['a', 'b']) } : {};
    const created = { run_id, experiment_id: experiment.experiment_id, start_time, end_time: null };
    const first = metrics(start);
    this.at(start, () => {
      // MLflow creates no runs in a deleted experiment.
      if (experiment.lifecycle_stage === 'deleted') return;
      mlflow.run({ ...created, status: 'RUNNING', metrics: first, params: { depth: `${i % 5}` }, tags });
    });
    const status = random.pick<FakeRun['status']>(['FINISHED', 'FINISHED', 'FAILED', 'KILLED']);
    this.change(end, run_id, { status, end_time: end + shift, metrics: metrics(end, ['accuracy', 'loss']) });
    if (!SEEN.has(kind)) this.unseen.add(run_id);
    if (kind === 'resumed') {
      // It keeps its end until it ends again.
      this.change(late, run_id, { status: 'RUNNING' });
      this.change(later, run_id, { status: 'FINISHED', end_time: later, metrics: metrics(later) });
    } else if (kind === 'late metrics')
      this.change(late, run_id, { metrics: metrics(late, ['accuracy', 'f1']) });
    else if (kind === 'edited tags') this.change(late, run_id, { tags: { application: 'c', note: 'moved' } });
    else if (kind === 'purged') this.at(late, () => mlflow.runs.delete(run_id));
    else if (kind === 'mended') this.change(late, run_id, { start_time: start, end_time: end });
    else if (kind === 'deleted' || kind === 'restored') {
      // Some are deleted before they end.
      const deleted = random.next() < 0.3 ? (start + end) / 2 : late;
      this.change(deleted, run_id, { lifecycle_stage: 'deleted' });
      if (kind === 'restored') this.at(later, () => this.restore(({ run_id: id }) => id === run_id));
    }
  }

  private restore(isMeant: (run: FakeRun) => boolean): void {
    for (const run of this.mlflow.runs.values()) if (isMeant(run)) run.lifecycle_stage = 'active';
  }

  /** One experiment gets another name, one cannot be read for an hour, and one is deleted and, on half of the days, restored. */
  private scheduleExperiments(): void {
    const { random, mlflow } = this;
    const [, hidden, renamed, deleted] = this.experiments;
    if (!hidden || !renamed || !deleted) return;
    const id = hidden.experiment_id;
    const hiddenAt = this.share(0.1, 0.9);
    this.at(hiddenAt, () => mlflow.hidden.add(id));
    this.at(hiddenAt + 60 * MINUTE, () => mlflow.hidden.delete(id));
    this.at(this.share(0, 1), () => {
      renamed.name = 'prices of today';
    });
    this.at(this.share(0.4, 0.7), () => mlflow.deleteExperiment(deleted.experiment_id));
    if (random.next() < 0.5) return;
    this.at(this.share(0.7, 1), () => {
      deleted.lifecycle_stage = 'active';
      // All of them, whoever deleted them (`SqlAlchemyStore.restore_experiment` of MLflow 3.17).
      this.restore(({ experiment_id }) => experiment_id === deleted.experiment_id);
    });
  }

  private scheduleServerClock(): void {
    for (let i = 0; i < 3; i++) {
      const skew = this.random.integer(-8, 8) * MINUTE;
      this.at(this.share(0, 1), () => {
        this.skew = skew;
      });
    }
  }

  /** A time after a share of the day. */
  private share(from: number, to: number): number {
    const { from: begin, to: end } = this.options;
    return Math.floor(begin + (end - begin) * this.random.between(from, to));
  }
}
