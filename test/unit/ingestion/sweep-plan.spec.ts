import { type PlanInputs, planRun } from '../../../src/ingestion/plan-run.js';

const NOW = Date.parse('2026-03-10T15:30:00Z');
const experiment = (swept: boolean) => ({
  name: 'churn',
  lifecycle_stage: 'deleted' as const,
  tags: {},
  listed: true,
  observed_at: NOW,
  swept,
});
const inputs: PlanInputs = {
  kind: 'delta',
  window: null,
  now: NOW,
  experiments: { '1': experiment(false), '2': experiment(true) },
  watermarks: { '1': NOW - 300_000, '2': NOW - 300_000 },
  open: [],
  storedDays: ['2026-03-10', '2026-01-02', '2026-03-09'],
  settings: {
    lookbackHoursDelta: 1,
    lookbackHoursBackup: 6,
    lookbackDaysHistorical: 30,
    experimentInclude: [],
    experimentExclude: [],
    pageSize: 100,
  },
};
const spans = (chunk: number) =>
  planRun(inputs)
    .slices.filter((slice) => slice.chunk === chunk)
    .map(({ from, to, open_end, last }) => [
      new Date(from).toISOString().slice(0, 16),
      new Date(to).toISOString().slice(0, 16),
      open_end && last,
    ]);

describe('a delta after the lifecycle of an experiment changed', () => {
  const { chunks } = planRun(inputs);
  const swept = chunks.findIndex(({ sweep }) => sweep);

  it('asks that experiment for each stored day as a whole, and for no other day', () => {
    expect(chunks[swept]?.experiment_ids).toEqual(['1']);
    expect(spans(swept)).toEqual([
      ['2026-01-02T00:00', '2026-01-03T00:00', false],
      ['2026-03-09T00:00', '2026-03-10T00:00', false],
      ['2026-03-10T00:00', '2026-03-10T15:30', true],
    ]);
  });

  it('asks the others for the window alone', () => {
    expect(spans(1 - swept)).toEqual([['2026-03-10T14:25', '2026-03-10T15:30', true]]);
  });

  it('asks about what began before the window but ended in it once, and from the window on', () => {
    expect(chunks[swept]?.from).toBe(Date.parse('2026-03-10T00:00:00Z'));
    expect(planRun(inputs).slices.filter(({ chunk, last }) => chunk === swept && last)).toHaveLength(1);
  });
});
