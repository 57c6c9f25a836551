import { parse } from 'yaml';
import { type SuggestedMetric, suggestionsFile } from '../../../src/cli/suggest/suggestions-file.js';
import type { Rule } from '../../../src/domain/model.js';
import { resolveRule } from '../../../src/domain/rule.js';
import { guessDirection } from '../../../src/domain/suggest/guess-direction.js';
import {
  levelsDiffer,
  type MetricHistory,
  suggestLimits,
} from '../../../src/domain/suggest/suggest-limits.js';
import { chooseThresholds } from '../../../src/domain/suggest/suggestion.js';
import { parseCatalog } from '../../../src/enrichment/parse-catalog.js';

const history = (metric_name: string, change: Partial<MetricHistory> = {}): MetricHistory => ({
  metric_name,
  values: 1000,
  invalid: 0,
  min: 0.1,
  q01: 0.6123,
  q05: 0.7057,
  median: 0.9,
  q95: 0.96789,
  q99: 0.98123,
  max: 1,
  mad: 0.02,
  ...change,
});
const choose = (of: MetricHistory, rule: Rule): SuggestedMetric => ({
  ...chooseThresholds(of, rule.higher_is_better),
  rule,
  applications: [],
});
const noRule = (metric: string) => resolveRule(metric, '', [], []);

describe('the direction guessed from a name', () => {
  it.each(['accuracy', 'val_acc', 'macroF1', 'f1-score', 'test/roc_auc', 'recall@10', 'hits10', 'R2', 'mAP'])(
    '%s: higher is better',
    (name) => {
      expect(guessDirection(name)).toBe(true);
    },
  );

  it.each(['val_loss', 'trainLoss', 'rmse', 'p95_latency_ms', 'error_rate', 'WER', 'log_loss', 'psi.age'])(
    '%s: lower is better',
    (name) => {
      expect(guessDirection(name)).toBe(false);
    },
  );

  it.each(['epoch', 'learning_rate', 'accuracy_loss', 'entropy', 'closeness', 'map_loss_x', ''])(
    '%s: unknown',
    (name) => {
      expect(guessDirection(name)).toBeNull();
    },
  );
});

describe('suggested limits', () => {
  it('leave out the worst 1 % and the worst 5 %, rounded away from the median', () => {
    expect(suggestLimits(history('x'), true)).toEqual({ critical: 0.612, warning: 0.705 });
    expect(suggestLimits(history('x'), false)).toEqual({ critical: 0.9813, warning: 0.9679 });
  });

  it('are rounded relative to the spread of the values, whatever their size', () => {
    const big = { q01: 1_234_567, q05: 1_300_001, median: 2_000_000, q95: 2_500_001, q99: 2_987_654 };
    expect(suggestLimits(history('x', big), false)).toEqual({ critical: 2_988_000, warning: 2_501_000 });
    expect(suggestLimits(history('x', big), true)).toEqual({ critical: 1_234_000, warning: 1_300_000 });
    const near = { q01: 0.998512, q05: 0.999123, median: 0.9999 };
    expect(suggestLimits(history('x', near), true)).toEqual({ critical: 0.99851, warning: 0.999123 });
    const tiny = { q95: 3.14159e-9, q99: 5.4321e-9, median: 1e-9 };
    expect(suggestLimits(history('x', tiny), false)).toEqual({ critical: 5.44e-9, warning: 3.15e-9 });
    const below = { q01: -5.4321, q05: -2.2222, median: -1 };
    expect(suggestLimits(history('x', below), true)).toEqual({ critical: -5.44, warning: -2.23 });
    expect(suggestLimits(history('x', { q95: 0, q99: 0, median: -3 }), false).warning).toBe(0);
  });

  it('can be 5 and 3 robust standard deviations from the median, whatever is beyond them', () => {
    // 1.4826 · 0.02 = 0.029652
    expect(suggestLimits(history('x'), true, 'mad')).toEqual({ critical: 0.751, warning: 0.811 });
    expect(suggestLimits(history('x'), false, 'mad')).toEqual({ critical: 1.049, warning: 0.989 });
    const outliers = history('x', { q01: -1e6, q05: -1e3, min: -1e9 });
    expect(suggestLimits(outliers, true, 'mad')).toEqual({ critical: 0.751, warning: 0.811 });
    // Without a spread, any other value would be beyond both.
    expect(suggestLimits(history('x', { mad: 0 }), true, 'mad')).toEqual(suggestLimits(history('x'), true));
  });

  it('differ for an application whose median is beyond 3 deviations of its own', () => {
    const all = { median: 0.9 };
    expect(levelsDiffer({ median: 0.99, mad: 0.02 }, all)).toBe(true);
    expect(levelsDiffer({ median: 0.98, mad: 0.02 }, all)).toBe(false);
    expect(levelsDiffer({ median: 0.81, mad: 0.02 }, all)).toBe(true);
    expect(levelsDiffer({ median: 0.9, mad: 0 }, all)).toBe(false);
  });

  it('that are equal become a single warning limit', () => {
    const constant = { q01: 1, q05: 1, median: 1, q95: 1, q99: 1 };
    expect(suggestLimits(history('x', constant), true)).toEqual({ critical: null, warning: 1 });
  });
});

describe('a suggestion', () => {
  it('prefers the direction of the catalog to that of the name', () => {
    const metadata = { metric_name: 'val_loss', display_name: null, description: null, unit: null };
    const rows = [{ ...metadata, category: null, higher_is_better: true, min: null, max: null }];
    const found = choose(history('val_loss'), resolveRule('val_loss', '', rows, []));
    expect(found).toMatchObject({ direction: 'catalog', options: [{ higher_is_better: true }] });
    expect(choose(history('val_loss'), noRule('val_loss'))).toMatchObject({
      direction: 'name',
      options: [{ higher_is_better: false }],
    });
  });

  it('has both directions if none is known, where the order of the limits distinguishes them', () => {
    const both = choose(history('entropy'), noRule('entropy'));
    expect(both.direction).toBeNull();
    expect(both.options.map((option) => option.higher_is_better)).toEqual([true, false]);
    const flat = choose(history('entropy', { q95: 0.9, q99: 0.9 }), noRule('entropy'));
    expect(flat.options.map((option) => option.higher_is_better)).toEqual([true]);
    expect(flat.direction).toBeNull();
  });

  it('is not made from too few values', () => {
    expect(choose(history('accuracy', { values: 19 }), noRule('accuracy')).options).toEqual([]);
    expect(choose(history('accuracy', { values: 20 }), noRule('accuracy')).options).toHaveLength(1);
  });
});

describe('the file of suggestions', () => {
  const file = (metrics: readonly SuggestedMetric[]) =>
    suggestionsFile(
      { runs: 1234, first_day: '2026-01-01', last_day: '2026-03-10', method: 'quantiles', metrics },
      './t.yaml',
    );
  const metrics = ['accuracy', 'val_loss', 'entropy', 'time: "x", {y}', 'no'].map((name) =>
    choose(history(name), noRule(name)),
  );

  it('is a valid catalog, without the rows that need a decision', () => {
    const { metadata, thresholds, rejectedRows } = parseCatalog(parse(file(metrics)));
    expect(rejectedRows).toEqual([]);
    expect(metadata.map((row) => [row.metric_name, row.higher_is_better])).toEqual([
      ['accuracy', true],
      ['val_loss', false],
      ['time: "x", {y}', false],
    ]);
    expect(thresholds.map((row) => [row.metric_name, row.critical_threshold, row.warning_threshold])).toEqual(
      [
        ['accuracy', 0.612, 0.705],
        ['val_loss', 0.9813, 0.9679],
        ['time: "x", {y}', 0.9813, 0.9679],
      ],
    );
  });

  it('has no control characters, and names that have some stay as they are', () => {
    const name = 'loss\u0085\u001b[2J\n- x: \u202e\u007f\u2028';
    const text = file([choose(history(name), noRule(name))]);
    // YAML 1.2, section 5.1: other parsers refuse these characters.
    expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}|\u2028/u);
    expect(parseCatalog(parse(text)).metadata).toMatchObject([{ metric_name: name }]);
  });

  it('has the right direction once a row is uncommented', () => {
    const text = file(metrics).replace(/# (- \{ metric_name: entropy, critical_threshold: 0.612)/, '$1');
    const { metadata, thresholds } = parseCatalog(parse(text));
    expect(resolveRule('entropy', '', metadata, thresholds).higher_is_better).toBe(true);
  });

  it('is a valid catalog even without suggestions', () => {
    const text = file([choose(history('accuracy', { values: 3 }), noRule('accuracy'))]);
    expect(parseCatalog(parse(text))).toEqual({ metadata: [], thresholds: [], rejectedRows: [] });
    expect(text).toContain('Too few');
  });

  it('states how many runs the limits mark, and the limits of the catalog', () => {
    const limits = { experiment_id: null, updated_at: null, updated_by: null };
    const rows = [{ ...limits, metric_name: 'accuracy', critical_threshold: null, warning_threshold: 0.8 }];
    const made = choose(history('accuracy', { invalid: 4 }), resolveRule('accuracy', '', [], rows));
    const [option] = made.options;
    if (!option) throw new Error('There is no option');
    const text = file([{ ...made, options: [{ ...option, critical: 10, warning: 38 }] }]);
    expect(text).toContain('1000 values, 4 invalid, 0.1 to 1, median 0.9.');
    expect(text).toContain('The limits mark 10 critical (1.0 %), 38 warning (3.8 %).');
    expect(text).toContain('Currently in the catalog: warning 0.8.');
  });

  it('has rows for the experiments of an application that differs, and says if there are none', () => {
    const made = choose(history('accuracy'), noRule('accuracy'));
    const own = chooseThresholds(
      history('accuracy', { median: 0.99, q01: 0.95, q05: 0.97, values: 40 }),
      true,
    );
    const of = (application: string, experiments: string[]) => ({ ...own, application, experiments });
    const text = file([{ ...made, applications: [of('fraud', ['7', '8']), of('shop', [])] }]);
    expect(parseCatalog(parse(text)).thresholds).toMatchObject([
      { metric_name: 'accuracy', experiment_id: null, critical_threshold: 0.612 },
      { metric_name: 'accuracy', experiment_id: '7', critical_threshold: 0.95, warning_threshold: 0.97 },
      { metric_name: 'accuracy', experiment_id: '8', critical_threshold: 0.95, warning_threshold: 0.97 },
    ]);
    expect(text).toContain(
      'fraud differs: 40 values, median 0.99 instead of 0.9. Limits of its own mark 0 critical',
    );
    expect(text).toContain(
      'shop differs: 40 values, median 0.99 instead of 0.9. Its experiments have runs of other',
    );
  });
});
