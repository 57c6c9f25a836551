import { MS_PER_DAY, MS_PER_HOUR } from '../domain/time.js';
import { type ApplicationSpec, MARKETS } from './applications.js';
import { type Scenario, type Span, within } from './scenario.js';
import { SeededRandom } from './seeded-random.js';

/** After `founded` the company runs this many times faster, so that a viewer of the demo sees new runs. */
const LIVE_SPEEDUP = 17;
/** Nightly jobs start at 01:30 UTC. */
const NIGHTLY_OFFSET_MS = 1.5 * MS_PER_HOUR;
const MAX_DELAY_MS = 600_000;
const WEEKEND_SHARE = 0.65;
/** Applications with more runs per day than this have fewer runs on weekends. */
const WEEKEND_MIN_RUNS_PER_DAY = 10;

/** A run on the schedule of an application. */
export interface ScheduledRun {
  readonly spec: ApplicationSpec;
  /** The run id and all random values of the run derive from this name. */
  readonly name: string;
  /** ms */
  readonly start: number;
  readonly market: string;
  /** The generator that has drawn the start; it draws the run's other values next. */
  readonly random: SeededRandom;
  /** Whether the run starts after `founded`. */
  readonly live: boolean;
}

/** The runs of an application that start within a span. */
export function scheduledRuns(scenario: Scenario, spec: ApplicationSpec, span: Span): ScheduledRun[] {
  const runs =
    spec.schedule === 'nightly'
      ? nightlyRuns(scenario, spec, span)
      : spreadRuns(scenario, spec, spec.schedule, span);
  return runs.filter(
    ({ start }) => within(start, span) && start >= scenario.begins && !within(start, scenario.outage),
  );
}

function nightlyRuns(scenario: Scenario, spec: ApplicationSpec, { from, to }: Span): ScheduledRun[] {
  const { seed, begins, stopped } = scenario;
  const runs: ScheduledRun[] = [];
  const first = Math.max(0, Math.floor((from - begins) / MS_PER_DAY) - 1);
  for (let night = first; begins + night * MS_PER_DAY < to; night++) {
    for (const [i, market] of MARKETS.entries()) {
      const name = `${spec.name}/night-${night}/${market}`;
      const random = new SeededRandom(seed, name);
      const delay = random.between(0, MAX_DELAY_MS);
      const start = Math.round(begins + night * MS_PER_DAY + NIGHTLY_OFFSET_MS + i * MS_PER_HOUR + delay);
      const hasStopped = stopped.application === spec.name && start >= stopped.from;
      if (!hasStopped) runs.push({ spec, name, start, market, random, live: false });
    }
  }
  return runs;
}

/** One run at a random time in each interval. */
function spreadRuns(
  { seed, begins, founded }: Scenario,
  spec: ApplicationSpec,
  runsPerDay: number,
  { from, to }: Span,
): ScheduledRun[] {
  const runs: ScheduledRun[] = [];
  const interval = MS_PER_DAY / runsPerDay;
  const phases = [
    { live: false, begin: begins, end: founded, interval },
    { live: true, begin: founded, end: Infinity, interval: interval / LIVE_SPEEDUP },
  ];
  for (const { live, begin, end, interval } of phases) {
    const last = Math.min(to, end);
    for (let k = Math.max(0, Math.floor((from - begin) / interval) - 1); begin + k * interval < last; k++) {
      const name = `${spec.name}/${live ? 'live' : 'run'}-${k}`;
      const random = new SeededRandom(seed, name);
      const start = Math.round(begin + (k + random.next()) * interval);
      const isWeekend = runsPerDay > WEEKEND_MIN_RUNS_PER_DAY && [0, 6].includes(new Date(start).getUTCDay());
      if (start >= end || (!live && isWeekend && random.next() > WEEKEND_SHARE)) continue;
      runs.push({ spec, name, start, market: random.pick(MARKETS), random, live });
    }
  }
  return runs;
}
