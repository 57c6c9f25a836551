import fc from 'fast-check';
import { dataSignals } from '../../../../src/domain/alerts/data-signals.js';
import type { ApplicationMeasurement } from '../../../../src/domain/alerts/measurements.js';
import { DEFAULT_POLICY } from '../../../../src/domain/alerts/policy.js';
import { isTold } from '../../../../src/domain/alerts/transitions.js';
import { NO_RUNS } from '../../../../src/domain/light.js';
import { domainDefaults } from '../../../support/defaults.js';
import { Evaluations, MINUTE, START } from './signals.js';

const HOUR = 60 * MINUTE;
const SPAN = 24 * HOUR;
const STEP = 30 * MINUTE;

/** A run, times in ms. */
interface Run {
  readonly id: string;
  readonly start: number;
  readonly end: number;
  readonly critical: boolean;
}

const iso = (ms: number): string => new Date(ms).toISOString();
const runOf = ({ id, start }: Run) => ({
  run_id: id,
  run_name: id,
  user: null,
  experiment_id: '1',
  time: iso(start),
});
const by = (of: (run: Run) => number) => (a: Run, b: Run) => of(b) - of(a);

/** What the loader measures of an application with these runs. */
function measure(runs: readonly Run[], to: number): ApplicationMeasurement {
  const ended = runs.filter(({ end }) => end <= to);
  const spanEnd = (Math.floor(to / HOUR) + 1) * HOUR;
  const inSpan = ended.filter(({ start }) => start >= spanEnd - SPAN && start < spanEnd);
  const critical = inSpan.filter((run) => run.critical);
  const [worst] = critical.sort(by(({ start }) => start));
  const counts = {
    ...NO_RUNS,
    total: inSpan.length,
    critical: critical.length,
    healthy: inSpan.length - critical.length,
  };
  return {
    application: 'fraud',
    owner: null,
    contact: null,
    runbook: null,
    tally: {
      counts: { on_time: counts, late: NO_RUNS, new_late: NO_RUNS },
      newest: inSpan.length === 0 ? null : Math.max(...inSpan.map(({ start }) => start)),
    },
    coverage: null,
    reason: worst
      ? {
          since: worst.start,
          cause: 'new_value',
          why: null,
          limit_before: null,
          limit_changed_by: null,
          run: runOf(worst),
          metric: null,
        }
      : null,
    ended: ended
      .filter(({ end }) => end > to - SPAN)
      .sort(by(({ end }) => end))
      .map((run) => ({ ...runOf(run), status: run.critical ? 'critical' : 'healthy', arrival: 'on_time' })),
    ended_metric: null,
    last_run: null,
    running: false,
    is_current: true,
    times: [],
  };
}

/** The rules that tell, in their order, until everything is too old to matter. */
function told(runs: readonly Run[]): string[] {
  const evaluations = Evaluations.quiet();
  const end = Math.max(...runs.map((run) => run.end)) + 2 * SPAN;
  const rules: string[] = [];
  for (let to = START + STEP; to <= end; to += STEP) {
    const measured = {
      to,
      settings: domainDefaults,
      applications: [measure(runs, to)],
      all_runs: null,
      metrics: [],
      likely: [],
      quality: [],
    };
    const signals = dataSignals(measured, DEFAULT_POLICY, evaluations.newest?.incidents ?? []);
    const transitions = evaluations.next(signals, { to, periodMs: STEP });
    rules.push(
      ...transitions
        .filter((each) => each.change === 'fired' && isTold(each))
        .map(({ incident }) => incident.rule),
    );
  }
  return rules;
}

/** A run that starts within two days, minutes. */
const run = fc.record({
  start: fc.integer({ min: 1, max: 2_880 }),
  length: fc.integer({ min: 1, max: 1_800 }),
});
const placed = (
  { start, length }: { start: number; length: number },
  id: string,
  critical: boolean,
): Run => ({
  id,
  start: START + start * MINUTE,
  end: START + (start + length) * MINUTE,
  critical,
});

test('After a critical run has made its application critical, it does not alert again as the newest run when it becomes old', () => {
  fc.assert(
    fc.property(run, fc.array(run, { maxLength: 8 }), (critical, healthy) => {
      const rules = told([
        placed(critical, 'critical', true),
        ...healthy.map((each, i) => placed(each, `healthy-${i}`, false)),
      ]);
      const first = rules.findIndex((rule) => rule !== 'newest_run');
      if (first !== -1) expect(rules.slice(first)).not.toContain('newest_run');
    }),
    { numRuns: 40 },
  );
});

test('A critical run of two hours that nothing follows alerts once', () => {
  expect(told([placed({ start: 40, length: 120 }, 'critical', true)])).toEqual(['critical_runs']);
});

test('A long training that ends after the others became too old is another cause', () => {
  const runs = [
    placed({ start: 40, length: 120 }, 'first', true),
    placed({ start: 10, length: 26 * 60 }, 'training', true),
  ];
  expect(told(runs)).toEqual(['critical_runs', 'newest_run']);
});
