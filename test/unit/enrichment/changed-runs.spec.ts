import { finish } from '../../../src/domain/steps.js';
import { pairsOf } from '../../../src/enrichment/changed-runs.js';
import { rulesOn, updateRulebook } from '../../../src/state/rulebook.js';
import { rulebookBefore, thresholdChanges } from '../../../src/state/threshold-changes.js';
import { domainDefaults } from '../../support/defaults.js';

const row = (metric_name: string, critical_threshold: number, experiment_id: string | null = null) => ({
  metric_name,
  experiment_id,
  critical_threshold,
  warning_threshold: null,
  updated_at: null,
  updated_by: null,
});
const AT = Date.parse('2026-03-10T12:00:00Z');
const DAY = '2026-03-10';

/** The metrics that the changes between two responses affect, as `experiment/metric ← name/experiment of the change`. */
function affected(before: ReturnType<typeof row>[], after: ReturnType<typeof row>[], metrics: string[]) {
  const book = [before, after].reduce(
    (known: Parameters<typeof updateRulebook>[0], thresholds) =>
      updateRulebook(known, { metadata: [], thresholds }, domainDefaults, { at: AT, from: '2026-03-03' }),
    undefined,
  );
  if (!book) throw new Error('No book');
  const changes = thresholdChanges(book, { after: 0, through: AT });
  const rules = ['1', '7'].flatMap((experiment_id) =>
    metrics.map((metric_name) => ({ experiment_id, metric_name })),
  );
  return finish(pairsOf(changes, rules, rulesOn(rulebookBefore(book, AT), DAY), rulesOn(book, DAY))).map(
    ({ change, experiment_id, metric_name }) =>
      `${experiment_id}/${metric_name} ← ${changes[change]?.metric_name}/${changes[change]?.experiment_id}`,
  );
}

describe('pairsOf', () => {
  it('skips an experiment that has its own row', () => {
    expect(affected([row('a', 1), row('a', 5, '7')], [row('a', 2), row('a', 5, '7')], ['a', 'b'])).toEqual([
      '1/a ← a/null',
    ]);
  });

  it('finds the metrics of a pattern, except those with their own row', () => {
    expect(
      affected([row('*_ms', 1), row('b_ms', 1)], [row('*_ms', 2), row('b_ms', 1)], ['a_ms', 'b_ms']),
    ).toEqual(['1/a_ms ← *_ms/null', '7/a_ms ← *_ms/null']);
  });

  it('finds metrics whose rule came from a removed row, or comes from an added one', () => {
    expect(affected([row('a', 1), row('a', 5, '7')], [row('a', 1)], ['a'])).toEqual(['7/a ← a/7']);
    expect(affected([row('a', 1)], [row('a', 1), row('a', 5, '7')], ['a'])).toEqual(['7/a ← a/7']);
  });
});
