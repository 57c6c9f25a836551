import type { MetricMetadata, ThresholdRow } from '../../../src/domain/model.js';
import {
  chooseThreshold,
  createRuleResolver,
  indexByExperiment,
  resolveRule,
} from '../../../src/domain/rule.js';

/** A row with an `updated_by` that identifies it. */
const row = (updated_by: string, rest: Partial<ThresholdRow> = {}): ThresholdRow => ({
  metric_name: 'accuracy',
  experiment_id: null,
  critical_threshold: null,
  warning_threshold: null,
  updated_at: null,
  updated_by,
  ...rest,
});
const described = (rest: Partial<MetricMetadata> = {}): MetricMetadata => ({
  metric_name: 'accuracy',
  display_name: null,
  description: null,
  unit: null,
  category: null,
  higher_is_better: null,
  min: null,
  max: null,
  ...rest,
});
const chosen = (rows: readonly ThresholdRow[], higherIsBetter: boolean | null = true, metric = 'accuracy') =>
  chooseThreshold(metric, '7', higherIsBetter, indexByExperiment(rows))?.updated_by ?? null;

const NEW = '2026-03-10T12:00:00Z';
const OLD = '2026-03-09T12:00:00Z';

describe('the threshold row that applies', () => {
  it.each([
    ['is null without rows', [], null],
    ['is null if all rows are of other metrics', [row('other', { metric_name: 'loss' })], null],
    ['is null if all rows are of another experiment', [row('other', { experiment_id: '8' })], null],
    [
      'of the experiment takes precedence over a platform-wide one, even by a pattern',
      [
        row('platform', { updated_at: NEW }),
        row('own', { metric_name: '*', experiment_id: '7', updated_at: OLD }),
      ],
      'own',
    ],
    ['with a blank experiment is platform-wide', [row('blank', { experiment_id: ' ' })], 'blank'],
    [
      'with the exact name takes precedence over any pattern',
      [row('exact', { updated_at: OLD }), row('pattern', { metric_name: 'accurac?', updated_at: NEW })],
      'exact',
    ],
    [
      'with the longest pattern takes precedence over a shorter one',
      [
        row('short', { metric_name: '*y', updated_at: NEW }),
        row('long', { metric_name: 'acc*y', updated_at: OLD }),
      ],
      'long',
    ],
    [
      'has the alphabetically first of equally long patterns',
      [row('second', { metric_name: 'b*', updated_at: NEW }), row('first', { metric_name: 'a*' })],
      'first',
    ],
    ['is null if the pattern does not match', [row('pattern', { metric_name: 'Acc*' })], null],
    [
      'is the newest',
      [row('new', { updated_at: NEW }), row('old', { updated_at: OLD, critical_threshold: 0.9 })],
      'new',
    ],
    [
      'is the newest by the instant, not by the text',
      [row('later', { updated_at: '2026-03-10T08:00:00-05:00' }), row('earlier', { updated_at: NEW })],
      'later',
    ],
    [
      'is the newest by all digits of its time',
      [
        row('later', { updated_at: '2026-03-10T12:00:00.1234562Z' }),
        row('earlier', { updated_at: '2026-03-10T12:00:00.12345615Z' }),
      ],
      'later',
    ],
    [
      'with a time takes precedence over one without',
      [row('dated', { updated_at: OLD }), row('undated')],
      'dated',
    ],
    [
      'with an invalid time counts as one without',
      [row('dated', { updated_at: OLD }), row('no', { updated_at: '?' })],
      'dated',
    ],
    ['is the last in the response if rows are equal', [row('first'), row('second'), row('third')], 'third'],
    [
      'is the last in the response if rows differ only in the notation of the time',
      [row('first', { updated_at: NEW }), row('second', { updated_at: '2026-03-10T14:00+02:00' })],
      'second',
    ],
    [
      'may have null for both limits',
      [row('limits', { updated_at: OLD, critical_threshold: 1 }), row('none', { updated_at: NEW })],
      'none',
    ],
  ])('%s', (_, rows, expected) => {
    expect(chosen(rows)).toBe(expected);
  });

  const limits = (name: string, critical_threshold: number | null, warning_threshold: number | null) =>
    row(name, { critical_threshold, warning_threshold, updated_at: NEW });
  it.each([
    [true, limits('stricter', 0.8, null), limits('looser', 0.7, 0.9)],
    [false, limits('stricter', 400, null), limits('looser', 500, 100)],
    [null, limits('stricter', 0.8, null), limits('looser', 0.7, 0.9)],
    [true, limits('stricter', 0.7, 0.9), limits('looser', 0.7, 0.8)],
    [false, limits('stricter', 500, 100), limits('looser', 500, 250)],
    [null, limits('stricter', 0.7, 0.9), limits('looser', 0.7, 0.8)],
    // null is the loosest limit, even compared with one that every value passes.
    [true, limits('stricter', -1e300, null), limits('looser', null, 0.99)],
    [false, limits('stricter', 1e300, null), limits('looser', null, 0.01)],
    [true, limits('stricter', 0.7, 0), limits('looser', 0.7, null)],
    [false, limits('stricter', null, 1e300), limits('looser', null, null)],
  ])(
    'is the stricter one if names and times are equal (higher is better: %j)',
    (direction, stricter, looser) => {
      expect(chosen([stricter, looser], direction)).toBe('stricter');
      expect(chosen([looser, stricter], direction)).toBe('stricter');
    },
  );

  it('is used as a whole: a null limit is not filled from another row', () => {
    const rows = [
      row('platform', { critical_threshold: 0.7, warning_threshold: 0.8 }),
      row('own', { experiment_id: '7', critical_threshold: 0.9 }),
    ];
    const rule = resolveRule('accuracy', '7', [], rows);
    expect(rule).toMatchObject({
      critical_threshold: 0.9,
      warning_threshold: null,
      threshold_source: 'experiment',
    });
    expect(resolveRule('accuracy', '8', [], rows)).toMatchObject({
      critical_threshold: 0.7,
      warning_threshold: 0.8,
      threshold_source: 'platform',
    });
  });
});

describe('the metadata that applies', () => {
  const unitOf = (rows: readonly MetricMetadata[], name = 'accuracy') =>
    resolveRule(name, '7', rows, []).unit;
  it.each([
    ['is null without rows', [], null],
    [
      'has the exact name',
      [described({ unit: 'exact' }), described({ metric_name: '*', unit: 'pattern' })],
      'exact',
    ],
    [
      'has the longest pattern',
      [described({ metric_name: '*racy', unit: 'long' }), described({ metric_name: 'acc*', unit: 'short' })],
      'long',
    ],
    [
      'has the alphabetically first of equally long patterns',
      [described({ metric_name: 'acc*', unit: 'second' }), described({ metric_name: '*acy', unit: 'first' })],
      'first',
    ],
    [
      'is the last in the response if names are equal',
      [described({ unit: 'first' }), described({ unit: 'last' })],
      'last',
    ],
    ['is null if the name is blank', [described({ metric_name: ' ', unit: 'blank' })], null],
  ])('%s', (_, rows, unit) => {
    expect(unitOf(rows)).toBe(unit);
  });

  it('measures patterns in code points, not UTF-16 units', () => {
    const rows = [
      described({ metric_name: '*😀😀', unit: 'three' }),
      described({ metric_name: '*a??', unit: 'four' }),
    ];
    expect(unitOf(rows, 'xa😀😀')).toBe('four');
  });

  it.each([
    [
      { display_name: 'Accuracy', unit: '%' },
      { display_name: 'Accuracy', unit: '%' },
    ],
    [
      { display_name: ' ', unit: '', description: '\t', category: ' ' },
      { display_name: 'accuracy', unit: null, description: null, category: null },
    ],
    [{}, { display_name: 'accuracy', unit: null }],
  ])('%j is normalized to %j', (metadata, expected) => {
    expect(resolveRule('accuracy', '7', [described(metadata)], [])).toMatchObject(expected);
  });
});

describe('the direction', () => {
  const limits = (critical_threshold: number | null, warning_threshold: number | null) =>
    row('', { critical_threshold, warning_threshold });
  it.each([
    ['that of the metadata', described({ higher_is_better: true }), limits(500, 250), true],
    [
      'that of the metadata, even if it contradicts the limits',
      described({ higher_is_better: false }),
      limits(0.7, 0.8),
      false,
    ],
    ['given by the order of the limits', described(), limits(0.7, 0.8), true],
    ['given by the order of the limits', null, limits(500, 250), false],
    ['null for equal limits', null, limits(0.7, 0.7), null],
    ['null for 0 and −0', null, limits(0, -0), null],
    ['null for one limit', null, limits(0.7, null), null],
    ['null for one limit', null, limits(null, 0.7), null],
    ['null without a threshold row', described(), null, null],
  ])('is %s: %#', (_, metadata, threshold, direction) => {
    const rule = resolveRule('accuracy', '7', metadata ? [metadata] : [], threshold ? [threshold] : []);
    expect(rule.higher_is_better).toBe(direction);
  });

  it('decides which of two rows is stricter only if it comes from the metadata', () => {
    const rows = [
      row('high', { critical_threshold: 500, warning_threshold: 250 }),
      row('low', { critical_threshold: 400, warning_threshold: 200 }),
    ];
    expect(
      resolveRule('accuracy', '7', [described({ higher_is_better: false })], rows).critical_threshold,
    ).toBe(400);
    const unknown = resolveRule('accuracy', '7', [], rows);
    expect(unknown).toMatchObject({ critical_threshold: 500, higher_is_better: false });
  });
});

describe('the rule of a metric', () => {
  it('has no source without a threshold row', () => {
    expect(resolveRule('accuracy', '7', [described({ higher_is_better: true })], [])).toEqual({
      display_name: 'accuracy',
      description: null,
      unit: null,
      category: null,
      higher_is_better: true,
      critical_threshold: null,
      warning_threshold: null,
      threshold_source: null,
      threshold_updated_at: null,
      threshold_updated_by: null,
    });
  });

  it('has the values that the metric can have only if the metadata does', () => {
    expect(resolveRule('accuracy', '7', [described({ min: 0 })], [])).toMatchObject({ min_value: 0 });
    expect(Object.keys(resolveRule('accuracy', '7', [described({ min: 0 })], []))).not.toContain('max_value');
    expect(resolveRule('accuracy', '7', [described({ max: 1.5 })], [])).toMatchObject({ max_value: 1.5 });
  });

  it('names who changed the threshold and when, if the catalog says so', () => {
    const rows = [row('ada', { updated_at: NEW }), row(' ', { metric_name: 'loss', updated_at: ' ' })];
    expect(resolveRule('accuracy', '7', [], rows)).toMatchObject({
      threshold_updated_at: NEW,
      threshold_updated_by: 'ada',
    });
    expect(resolveRule('loss', '7', [], rows)).toMatchObject({
      threshold_updated_at: null,
      threshold_updated_by: null,
      threshold_source: 'platform',
    });
  });

  it('is the same from a resolver with cached results', () => {
    const rows = [row('platform'), row('own', { experiment_id: '7' }), row('loss', { metric_name: 'l*' })];
    const resolve = createRuleResolver([described({ unit: '%' })], rows);
    for (const experiment of ['7', '8', '7', '9', '8']) {
      for (const metric of ['accuracy', 'loss', 'other']) {
        expect(resolve(metric, experiment)).toEqual(
          resolveRule(metric, experiment, [described({ unit: '%' })], rows),
        );
      }
    }
  });
});
