import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { finish } from '../../../src/domain/steps.js';
import { type DayScope, inputsDigest, scopeOfDay } from '../../../src/enrichment/day-scope.js';
import { parseCatalog } from '../../../src/enrichment/parse-catalog.js';
import type { StoredExperiment } from '../../../src/state/experiments.js';
import { domainDefaults } from '../../support/defaults.js';

const experiment = (name: string, rest: Partial<StoredExperiment> = {}): StoredExperiment => ({
  name,
  lifecycle_stage: 'active',
  tags: {},
  listed: true,
  observed_at: 0,
  swept: true,
  ...rest,
});
/** @param logged experiments of the day's runs, and their metrics as `<experiment>/<metric>` */
const scope = (
  logged: readonly string[],
  known: Record<string, StoredExperiment>,
  settings: Partial<typeof domainDefaults> = {},
  thresholds: object[] = [],
) => {
  const byExperiment = new Map<string, string[]>();
  for (const text of logged) {
    const [id = ''] = text.split('/', 1);
    const metrics = byExperiment.get(id) ?? [];
    byExperiment.set(id, text.includes('/') ? [...metrics, text.slice(id.length + 1)] : metrics);
  }
  const { metadata, thresholds: rows } = parseCatalog({ thresholds });
  return finish(
    scopeOfDay([...byExperiment], known, {
      metadata,
      thresholds: rows,
      settings: { ...domainDefaults, ...settings },
    }),
  );
};

describe('experiments in the scope of a day', () => {
  it('have a name and the tag that names their application', () => {
    const known = {
      1: experiment('churn', { tags: { application: 'crm', team: 'a' } }),
      2: experiment('fraud'),
    };
    expect(scope(['1', '2'], known).experiments).toEqual([
      { experiment_id: '1', name: 'churn', tag: 'crm' },
      { experiment_id: '2', name: 'fraud', tag: null },
    ]);
    expect(scope(['1'], known, { application_tag: 'team' }).experiments[0]?.tag).toBe('a');
  });

  it('have the choice for their child runs: the tag, else a pattern of the name', () => {
    const known = {
      1: experiment('hpo/a'),
      2: experiment('hpo/b', { tags: { 'monitor.nested': 'ignore' } }),
      3: experiment('train', { tags: { 'monitor.nested': 'count' } }),
      4: experiment('other', { tags: { 'monitor.nested': 'Count' } }),
    };
    const choices = (count_nested_of: readonly string[] | null) =>
      scope(['1', '2', '3', '4', '5'], known, { count_nested_of }).experiments.map(
        (each) => 'nested' in each && each.nested,
      );
    expect(choices(['hpo/*', '5'])).toEqual(['count', 'ignore', 'count', false, 'count']);
    expect(choices([])).toEqual([false, 'ignore', 'count', false, false]);
    // Rules before version 3: their scope, and with it their digest, has no such key.
    expect(choices(null)).toEqual([false, false, false, false, false]);
  });

  it('have null instead of a blank name or tag', () => {
    const known = { 1: experiment(' ', { tags: { application: '\t' } }) };
    expect(scope(['1'], known).experiments).toEqual([{ experiment_id: '1', name: null, tag: null }]);
  });

  it('include those that were never listed or are hidden now', () => {
    const known = { 2: experiment('fraud', { listed: false }) };
    expect(scope(['1', '2'], known).experiments).toEqual([
      { experiment_id: '1', name: null, tag: null },
      { experiment_id: '2', name: 'fraud', tag: null },
    ]);
  });

  it.each([
    ['deleted', experiment('churn', { lifecycle_stage: 'deleted' }), {}],
    ['excluded', experiment('churn'), { experiment_exclude: ['ch*'] }],
    ['not included', experiment('churn'), { experiment_include: ['fraud'] }],
  ])('exclude one that is %s, with all its metrics', (_, known, settings) => {
    const result = scope(['1', '1/accuracy', '1/system/cpu'], { 1: known }, settings);
    expect(result).toEqual({ experiments: [], rules: [], excluded: [] });
  });

  it('are matched by id if they were never listed', () => {
    expect(scope(['1', '2'], {}, { experiment_include: ['2'] }).experiments).toMatchObject([
      { experiment_id: '2' },
    ]);
  });
});

describe('metrics in the scope of a day', () => {
  const known = { 1: experiment('churn'), 2: experiment('fraud') };

  it('have the rule that applies to them', () => {
    const thresholds = [
      { metric_name: 'accuracy', critical_threshold: 0.7, warning_threshold: 0.8 },
      { metric_name: 'acc*', experiment_id: '2', critical_threshold: 0.9 },
    ];
    const { rules } = scope(['1/accuracy', '1/loss', '2/accuracy'], known, {}, thresholds);
    expect(rules).toMatchObject([
      { experiment_id: '1', metric_name: 'accuracy', critical_threshold: 0.7, threshold_source: 'platform' },
      { experiment_id: '1', metric_name: 'loss', threshold_source: null },
      {
        experiment_id: '2',
        metric_name: 'accuracy',
        critical_threshold: 0.9,
        threshold_source: 'experiment',
      },
    ]);
  });

  it('exclude the others by name, once and sorted', () => {
    const { rules, excluded } = scope(
      ['1/system/gpu', '1/accuracy', '2/system/gpu', '2/system/cpu', '2/loss'],
      known,
      { metric_include: ['system/*', 'accuracy'] },
    );
    expect(rules.map(({ metric_name }) => metric_name)).toEqual(['accuracy']);
    expect(excluded).toEqual(['loss', 'system/cpu', 'system/gpu']);
  });

  it('are empty on a day without runs', () => {
    expect(finish(scopeOfDay([], known, { metadata: [], thresholds: [], settings: domainDefaults }))).toEqual(
      {
        experiments: [],
        rules: [],
        excluded: [],
      },
    );
  });
});

describe('a day with many metrics', () => {
  const names = Array.from({ length: 3_000 }, (_, i) => `metric_${i}`);
  const pairs = [['1', names]] as const;
  const rules = { metadata: [], thresholds: [], settings: domainDefaults };
  /** How often a computation lets its caller do something else. */
  const pauses = (steps: Generator<void, unknown, void>) => [...steps].length;

  it('may be interrupted at every metric', () => {
    expect(pauses(scopeOfDay(pairs, {}, rules))).toBeGreaterThanOrEqual(names.length);
  });

  it('is hashed in pieces', () => {
    const scope = finish(scopeOfDay(pairs, {}, rules));
    expect(pauses(inputsDigest('content', scope, domainDefaults))).toBeGreaterThanOrEqual(names.length / 100);
  });
});

it('the digest of the inputs is that of their JSON text', () => {
  const list = fc.array(fc.record({ metric_name: fc.string({ unit: 'binary' }), limit: fc.double() }), {
    maxLength: 120,
  });
  const scopes = fc.record({ experiments: list, rules: list, excluded: fc.array(fc.string()) });
  fc.assert(
    fc.property(scopes, fc.option(fc.string(), { nil: undefined }), (any, base) => {
      const { experiments, rules, excluded } = any as unknown as DayScope;
      const text = JSON.stringify({ base, experiments, rules, excluded, settings: domainDefaults });
      expect(finish(inputsDigest(base, { experiments, rules, excluded }, domainDefaults))).toBe(
        createHash('sha256').update(text).digest('hex'),
      );
    }),
  );
});
