import { describeLateChanges, runNotes, scopeNotes } from '../../../src/dashboard/page-notes.js';

const AT = Date.parse('2026-03-08T11:02:00Z');
const experiment = (name: string, listed = true) => ({
  name,
  listed,
  lifecycle_stage: 'active' as const,
  tags: {},
  observed_at: 0,
  swept: true,
});
const NO_DAYS = { early: [], future: [] };
const silent = (n: number) => ({
  application: 'churn',
  run_id: `${n}`,
  run_name: `train ${n}`,
  experiment_id: '1',
  time: AT,
  logged: null,
});

describe('runNotes', () => {
  it('is empty if nothing is left out', () => {
    expect(runNotes({ silent: [], later: 0 }, NO_DAYS, 0)).toEqual([]);
  });

  it('names the first runs that seem to have died, impossible days and quarantine', () => {
    const stored = { silent: [1, 2, 3, 4, 5].map(silent), later: 0 };
    expect(runNotes(stored, { ...NO_DAYS, early: ['1970-01-21'] }, 2)).toEqual([
      '5 runs have not ended and logged no metric for 24 h or more (train 1 of churn, since 8 Mar at 11:02 UTC, ' +
        'train 2 of churn, since 8 Mar at 11:02 UTC, train 3 of churn, since 8 Mar at 11:02 UTC and 2 more). ' +
        'If the processes have died, end the runs in MLflow; until then they are not counted.',
      'Runs that started on 1970-01-21 by their start_time are stored and in no status: such a time is wrong, for example seconds in place of milliseconds.',
      '2 records of MLflow cannot be read and are in quarantine, in no status: mlflow-monitor quarantine list shows them with the reasons.',
    ]);
  });
});

describe('runNotes about runs in the future', () => {
  const ahead = (later: number, future: readonly string[]) =>
    runNotes({ silent: [], later }, { ...NO_DAYS, future }, 0);

  it('names the days, and says that the time is wrong', () => {
    expect(ahead(2, ['2026-12-01'])).toEqual([
      'By their start_time, runs start in the future (later today, 2026-12-01): they are stored and in no status before that time. Such a time is wrong, for example by the clock or the time zone of the computer that logged them.',
    ]);
    expect(ahead(0, ['2026-12-01'])).toEqual([expect.stringContaining('in the future (2026-12-01): they')]);
    expect(ahead(1, [])).toEqual([expect.stringContaining('in the future (later today): they')]);
  });
});

describe('scopeNotes', () => {
  const scope = {
    experiment_include: [],
    experiment_exclude: ['dev/*'],
    metric_include: [],
    metric_exclude: ['system/*'],
  };

  it('names the excluded experiments that MLflow lists, and the patterns of metrics', () => {
    const experiments = {
      1: experiment('churn'),
      2: experiment('dev/b'),
      3: experiment('dev/a'),
      4: experiment('dev/gone', false),
    };
    expect(scopeNotes(experiments, scope)).toEqual([
      '2 experiments of MLflow are excluded by EXPERIMENT_INCLUDE and EXPERIMENT_EXCLUDE: dev/a, dev/b.',
      'Metrics like system/* are not judged (METRIC_EXCLUDE).',
    ]);
    expect(
      scopeNotes({ 1: experiment('churn') }, { ...scope, metric_exclude: [], metric_include: ['f1'] }),
    ).toEqual(['Only metrics like f1 are judged (METRIC_INCLUDE).']);
  });
});

it('says how late a change after the end of a run is shown', () => {
  expect(describeLateChanges(AT, 30)).toBe(
    'What is logged after the end of a run is shown within an hour if the run ended after 8 Mar at 11:02 UTC, else within a day if the run started in the last 30 days, else after a backfill.',
  );
  expect(describeLateChanges(null, 7)).toBe(
    'What is logged after the end of a run is shown within a day if the run started in the last 7 days, else after a backfill.',
  );
});
