import fc from 'fast-check';
import type { MetricMetadata, ThresholdRow } from '../../../src/domain/model.js';
import { matches, passes } from '../../../src/domain/pattern.js';
import {
  createFilter,
  firstMatch,
  indexPatterns,
  patternsMatchingAny,
} from '../../../src/domain/pattern-index.js';
import { createRuleResolver, ruleResolverSteps } from '../../../src/domain/rule.js';
import { finish } from '../../../src/domain/steps.js';
import { rowsThatApply } from '../../support/models/rule-choice.js';

/** Includes halves of surrogate pairs, which MLflow rejects and a catalog may contain. */
const UNITS = ['a', 'b', '_', '\u{1F600}', '\u{1F601}', '\ud83d', '\ude00', 'ﬀ'];
const text = (units: string[], maxLength: number) =>
  fc.array(fc.constantFrom(...units), { maxLength }).map((parts) => parts.join(''));
const repeated = fc.constantFrom('training_metric_', '_of_the_model', 'abcdefgh', '');
const name = fc.tuple(repeated, text(UNITS, 6), repeated).map((parts) => parts.join(''));
const pattern = fc
  .tuple(
    text(['*', '?', ...UNITS], 3),
    repeated,
    text(['*', '?', ...UNITS], 5),
    repeated,
    text(['*', '?', 'a'], 2),
  )
  .map((parts) => parts.join(''));
const patterns = fc.array(pattern, { maxLength: 25 });
const names = fc.array(name, { maxLength: 8 });

describe('an index of patterns', () => {
  it('finds the first pattern that matches, as trying all of them does', () => {
    fc.assert(
      fc.property(patterns, names, (list, all) => {
        const index = finish(indexPatterns(list));
        for (const each of all) {
          const place = list.findIndex((one) => matches(one, each));
          expect(firstMatch(index, each)).toBe(place < 0 ? undefined : place);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds the patterns that match any of the names', () => {
    fc.assert(
      fc.property(patterns, names, (list, all) => {
        const matching = list.filter((one) => all.some((each) => matches(one, each)));
        expect(finish(patternsMatchingAny(list, all))).toEqual(new Set(matching));
      }),
      { numRuns: 500 },
    );
  });

  it('filters names by include and exclude patterns', () => {
    fc.assert(
      fc.property(patterns, patterns, names, (include, exclude, all) => {
        const filter = finish(createFilter(include, exclude));
        for (const each of all) expect(filter(each)).toBe(passes(each, include, exclude));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['beginnings', (i: number) => `training_${i}_*`],
    ['ends', (i: number) => `*_${i}_loss`],
    ['parts', (i: number) => `*_${i}_*`],
    ['ends after a common beginning', (i: number) => `metric_*_${i}`],
    ['beginnings before a common end', (i: number) => `a${i}_*_loss`],
    ['middles between wildcards', (i: number) => `*metric_*_${i}_*`],
  ])('tries few of 5,000 patterns with different %s', (_, patternOf) => {
    const index = finish(indexPatterns(Array.from({ length: 5_000 }, (_, i) => patternOf(i))));
    const tried = Array.from({ length: 100 }, (_, i) =>
      index.candidates(`training_${i * 50}_metric_x_${i * 50}_loss`),
    );
    expect(Math.max(...tried.map(({ length }) => length))).toBeLessThan(200);
  });
});

describe('rules', () => {
  const limit = fc.constantFrom(null, 1, 2);
  const metricName = fc.oneof(pattern, name, fc.constant(' '));
  const metadata = fc
    .array(fc.tuple(metricName, fc.constantFrom(true, false, null)), { maxLength: 12 })
    .map((rows) =>
      rows.map(
        ([metric_name, higher_is_better], i): MetricMetadata => ({
          metric_name,
          display_name: `row ${i}`,
          description: null,
          unit: null,
          category: null,
          higher_is_better,
          min: null,
          max: null,
        }),
      ),
    );
  const thresholds = fc
    .array(fc.tuple(metricName, fc.constantFrom(null, '7', '8', ' '), limit, limit), { maxLength: 12 })
    .map((rows) =>
      rows.map(
        ([metric_name, experiment_id, critical_threshold, warning_threshold], i): ThresholdRow => ({
          metric_name,
          experiment_id,
          critical_threshold,
          warning_threshold,
          updated_at: null,
          updated_by: `row ${i}`,
        }),
      ),
    );

  it('are those that trying every pattern gives', () => {
    fc.assert(
      fc.property(metadata, thresholds, names, (described, limits, all) => {
        const resolve = createRuleResolver(described, limits);
        for (const each of all) {
          for (const experiment of ['7', '9']) {
            const rows = rowsThatApply(each, experiment, described, limits);
            const expected =
              each.trim() === '' ? undefined : createRuleResolver(rows.metadata, rows.thresholds);
            if (expected) expect(resolve(each, experiment)).toEqual(expected(each, experiment));
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('are indexed with pauses', () => {
    const rows = Array.from({ length: 1_000 }, (_, i) => ({
      metric_name: `a${i}*`,
      experiment_id: null,
      critical_threshold: 1,
      warning_threshold: 2,
      updated_at: null,
      updated_by: null,
    }));
    expect([...ruleResolverSteps([], rows)].length).toBeGreaterThanOrEqual(rows.length);
  });
});
