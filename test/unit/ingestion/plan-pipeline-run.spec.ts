import { addDays, dayOf } from '../../../src/domain/time.js';
import { type PlanInputs, planPipelineRun } from '../../../src/ingestion/plan-pipeline-run.js';
import type { Plan } from '../../../src/pipeline/stage-contracts.js';
import type { StoredExperiment } from '../../../src/state/experiments.js';

const at = (text: string): number => Date.parse(text);
const NOW = at('2026-03-10T15:30:00Z');
const HOUR = 3_600_000;

const experiment = (rest: Partial<StoredExperiment> = {}): StoredExperiment => ({
  name: 'churn',
  lifecycle_stage: 'active',
  tags: {},
  listed: true,
  observed_at: 0,
  swept: true,
  ...rest,
});
const inputs = (rest: Partial<PlanInputs> = {}): PlanInputs => ({
  kind: 'delta',
  window: null,
  now: NOW,
  experiments: { 1: experiment() },
  watermarks: { 1: NOW - 5 * 60_000 },
  listsOnce: false,
  openMlflowRuns: [],
  neverEndedTimes: {},
  dirty: { days: [], quarantine_days: [], keys: [] },
  storedDays: [],
  settings: {
    lookbackHoursDelta: 1,
    lookbackHoursBackup: 6,
    lookbackDaysHistorical: 30,
    experimentInclude: [],
    experimentExclude: [],
    pageSize: 100,
  },
  ...rest,
});
const plan = (rest: Partial<PlanInputs> = {}): Plan => planPipelineRun(inputs(rest));
const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 19);
/** `<id> <from> <to>`, with `>` for an open end and `*` if it also searches for runs that started before. */
const shown = ({ slices }: Plan): string[] =>
  slices.map(
    ({ id, from, to, open_end, last }) =>
      `${id} ${iso(from)} ${iso(to)}${open_end ? '>' : ''}${last ? '*' : ''}`,
  );
const many = <T>(n: number, value: T): Record<string, T> =>
  Object.fromEntries(Array.from({ length: n }, (_, i) => [String(i), value]));

describe('the window of a delta', () => {
  it.each([
    ['the watermark less the lookback', { 1: NOW - 5 * 60_000 }, NOW - 5 * 60_000 - HOUR],
    ['an old watermark, after an outage', { 1: NOW - 50 * HOUR }, NOW - 51 * HOUR],
    // The clock was set back: runs since the true end of the last window are read again.
    ['now, if the watermark is later', { 1: NOW + 5 * HOUR }, NOW - HOUR],
    ['the start of the historical window, without a watermark', {}, at('2026-02-08T00:00:00Z')],
  ])('starts at %s', (_, watermarks, from) => {
    const made = plan({ watermarks });
    expect([made.from, made.to]).toEqual([from, NOW]);
    expect(made.chunks).toMatchObject([{ experiment_ids: ['1'], from, sweep: false }]);
  });

  it('is split at midnight; only the last slice is open-ended and searches for runs that started before', () => {
    expect(
      shown(plan({ now: at('2026-03-10T00:20:00Z'), watermarks: { 1: at('2026-03-10T00:15:00Z') } })),
    ).toEqual([
      'c0-20260309 2026-03-09T23:15:00 2026-03-10T00:00:00',
      'c0-20260310 2026-03-10T00:00:00 2026-03-10T00:20:00>*',
    ]);
  });

  it('has no slice of the next day if it ends at midnight', () => {
    const midnight = at('2026-03-10T00:00:00Z');
    expect(shown(plan({ now: midnight, watermarks: { 1: midnight } }))).toEqual([
      'c0-20260309 2026-03-09T23:00:00 2026-03-10T00:00:00>*',
    ]);
  });

  it('starts earlier for a backup', () => {
    expect(plan({ kind: 'backup' }).from).toBe(NOW - 5 * 60_000 - 6 * HOUR);
  });
});

describe('the experiments of a delta', () => {
  it('are grouped by watermark, so that one that lags is read alone', () => {
    const lagging = { ...many(3, NOW), 1: NOW - 3 * HOUR };
    const made = plan({ experiments: many(3, experiment()), watermarks: lagging });
    expect(made.chunks).toMatchObject([
      { experiment_ids: ['0', '2'], from: NOW - HOUR },
      { experiment_ids: ['1'], from: NOW - 4 * HOUR },
    ]);
    expect(made.from).toBe(NOW - 4 * HOUR);
    expect(
      made.slices
        .filter(({ last }) => last)
        .map(({ chunk }) => chunk)
        .sort(),
    ).toEqual([0, 1]);
  });

  it('are searched in chunks of 50', () => {
    const made = plan({ experiments: many(120, experiment()), watermarks: many(120, NOW) });
    expect(made.chunks.map(({ experiment_ids }) => experiment_ids.length)).toEqual([50, 50, 20]);
    expect(new Set(made.chunks.flatMap(({ experiment_ids }) => experiment_ids)).size).toBe(120);
    expect(made.slices.map(({ id }) => id)).toEqual(['c0-20260310', 'c1-20260310', 'c2-20260310']);
  });

  it('are those that are listed and in scope, including deleted ones', () => {
    const experiments = {
      1: experiment(),
      2: experiment({ listed: false }),
      3: experiment({ lifecycle_stage: 'deleted' }),
      4: experiment({ name: 'scratch/mine' }),
      5: experiment({ name: 'other' }),
    };
    const settings = {
      ...inputs().settings,
      experimentInclude: ['churn', 'scratch/*'],
      experimentExclude: ['*/mine'],
    };
    const made = plan({ experiments, watermarks: many(6, NOW), settings });
    expect(made.chunks.map(({ experiment_ids }) => experiment_ids)).toEqual([['1', '3']]);
  });

  it('lead to an empty plan if there are none', () => {
    expect(plan({ experiments: {} })).toMatchObject({ from: NOW, to: NOW, chunks: [], slices: [] });
  });

  it('are sorted by number, not by stored order', () => {
    const made = plan({ experiments: many(12, experiment()), watermarks: many(12, NOW) });
    expect(made.chunks[0]?.experiment_ids).toEqual([
      '0',
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
      '8',
      '9',
      '10',
      '11',
    ]);
  });

  it('have their open runs in the plan, and not those of others', () => {
    const run = (experiment_id: string) => ({
      run_id: `r${experiment_id}`,
      experiment_id,
      day: null,
      token: 't',
    });
    expect(plan({ openMlflowRuns: [run('1'), run('2')] }).open).toEqual([run('1')]);
  });
});

describe('an experiment whose lifecycle changed', () => {
  const storedDays = ['2026-03-10', '2026-02-01', '2026-03-09'];
  const experiments = { 1: experiment(), 2: experiment({ swept: false, lifecycle_stage: 'deleted' }) };
  const watermarks = { 1: NOW, 2: NOW };

  it('is swept over all its stored days by the next delta, in its own chunk', () => {
    const made = plan({ experiments, watermarks, storedDays });
    expect(made.chunks).toMatchObject([
      { experiment_ids: ['1'], from: NOW - HOUR, sweep: false },
      { experiment_ids: ['2'], from: NOW - HOUR, sweep: true },
    ]);
    expect(shown(made)).toEqual([
      'c1-20260201 2026-02-01T00:00:00 2026-02-02T00:00:00',
      'c1-20260309 2026-03-09T00:00:00 2026-03-10T00:00:00',
      'c0-20260310 2026-03-10T14:30:00 2026-03-10T15:30:00>*',
      'c1-20260310 2026-03-10T14:30:00 2026-03-10T15:30:00>*',
    ]);
  });

  it('has no slices for days without facts, however far apart the others are', () => {
    // A start time in seconds, read as milliseconds, lies in January 1970; a clock may also be ahead.
    const days = ['1970-01-20', '2027-01-01'];
    const swept = shown(plan({ experiments: { 2: experiments[2] }, watermarks, storedDays: days }));
    expect(swept).toEqual([
      'c0-19700120 1970-01-20T00:00:00 1970-01-21T00:00:00',
      'c0-20260310 2026-03-10T14:30:00 2026-03-10T15:30:00>*',
      'c0-20270101 2027-01-01T00:00:00 2027-01-02T00:00:00',
    ]);
  });

  it('is planned with its newest observation, as later changes are not swept', () => {
    const seen = {
      1: experiment(),
      2: { ...experiments[2], observed_at: 7 },
      3: { ...experiments[2], observed_at: 5 },
    };
    const made = plan({ experiments: seen, watermarks: { ...watermarks, 3: NOW } });
    expect(made.chunks).toMatchObject([{ observed_at: 0 }, { experiment_ids: ['2', '3'], observed_at: 7 }]);
  });

  it('is not swept by a backup', () => {
    const made = plan({ kind: 'backup', experiments, watermarks, storedDays });
    expect(made.chunks).toMatchObject([{ experiment_ids: ['1', '2'], sweep: false }]);
  });
});

describe('whole days', () => {
  it.each(['historical', 'bootstrap'] as const)(
    'of a %s start 30 days ago, whatever the watermarks',
    (kind) => {
      const made = plan({ kind, watermarks: { 1: NOW } });
      expect(made.from).toBe(at('2026-02-08T00:00:00Z'));
      expect(made.slices).toHaveLength(31);
      expect(made.slices.filter(({ open_end, last }) => open_end || last).map(({ id }) => id)).toEqual([
        'c0-20260310',
      ]);
      for (const { from, to } of made.slices) expect(iso(from).slice(0, 10)).toBe(iso(to - 1).slice(0, 10));
    },
  );

  it('are planned oldest first for a historical run, newest first for a bootstrap', () => {
    const ids = (kind: PlanInputs['kind']) => plan({ kind }).slices.map(({ id }) => id);
    expect(ids('historical')).toEqual(ids('historical').sort());
    expect(ids('bootstrap')).toEqual(ids('historical').reverse());
  });

  it('of a backfill are the requested ones, and are not open-ended', () => {
    const window = { from: at('2026-01-05T00:00:00Z'), to: at('2026-01-07T00:00:00Z') };
    expect(shown(plan({ kind: 'backfill', window }))).toEqual([
      'c0-20260105 2026-01-05T00:00:00 2026-01-06T00:00:00',
      'c0-20260106 2026-01-06T00:00:00 2026-01-07T00:00:00*',
    ]);
  });

  it('of a backfill that includes today end now, open-ended', () => {
    const window = { from: at('2026-03-09T00:00:00Z'), to: at('2026-03-12T00:00:00Z') };
    const made = plan({ kind: 'backfill', window });
    expect(made.to).toBe(NOW);
    expect(shown(made)).toEqual([
      'c0-20260309 2026-03-09T00:00:00 2026-03-10T00:00:00',
      'c0-20260310 2026-03-10T00:00:00 2026-03-10T15:30:00>*',
    ]);
  });

  it('of many experiments are planned day by day', () => {
    const made = plan({ kind: 'historical', experiments: many(51, experiment()) });
    expect(made.slices.slice(0, 3).map(({ id }) => id)).toEqual([
      'c0-20260208',
      'c1-20260208',
      'c0-20260209',
    ]);
  });
});

describe('a reevaluation', () => {
  const storedDays = ['2026-03-01', '2026-03-10', '2026-02-01'];
  /** The first and the last day of each slice. */
  const spansOf = ({ slices }: ReturnType<typeof plan>) =>
    slices.map(({ from, to }) => [dayOf(from), dayOf(to - 1)]);

  it('looks at every stored day again, many in one slice, without a request to MLflow', () => {
    const made = plan({ kind: 'reevaluation', storedDays });
    expect(made.chunks).toEqual([]);
    expect(made.open).toEqual([]);
    expect(made.slices.map(({ id, last, open_end }) => [id, last, open_end])).toEqual([
      ['d-20260201', false, false],
    ]);
    expect(spansOf(made)).toEqual([['2026-02-01', '2026-03-10']]);
  });

  it('has at most 400 days in a slice, newest first, and none for the years without a day', () => {
    const years = Array.from({ length: 1_000 }, (_, i) => addDays('2026-03-10', -i));
    expect(
      spansOf(plan({ kind: 'reevaluation', storedDays: [...years, '1970-01-01', '0000-01-01'] })),
    ).toEqual([
      ['2025-02-04', '2026-03-10'],
      ['2024-01-01', '2025-02-03'],
      ['2023-06-15', '2023-12-31'],
      ['1970-01-01', '1970-01-01'],
      ['0000-01-01', '0000-01-01'],
    ]);
  });

  it('that publishes threshold changes has a slice per day, because all of them are judged', () => {
    const made = plan({ kind: 'reevaluation', storedDays, changes: { after: 0, through: 1 } });
    expect(made.slices.map(({ id }) => id)).toEqual(['d-20260310', 'd-20260301', 'd-20260201']);
    expect(spansOf(made).every(([first, last]) => first === last)).toBe(true);
  });

  it('of a window judges the days that start in it', () => {
    const window = { from: at('2026-03-01T00:00:00Z'), to: at('2026-03-10T00:00:00Z') };
    expect(spansOf(plan({ kind: 'reevaluation', storedDays, window }))).toEqual([
      ['2026-03-01', '2026-03-01'],
    ]);
  });
});
