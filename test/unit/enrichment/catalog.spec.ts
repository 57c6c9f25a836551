import { parseList } from '../../../src/enrichment/catalog.js';
import { waitAsked } from '../../../src/enrichment/catalog-client.js';
import { batchUrl } from '../../../src/enrichment/catalog-source.js';
import { metricMetadataSchema, thresholdRowSchema } from '../../../src/pipeline/rulebook.js';

const metrics = (document: unknown, demanded = false) =>
  parseList(document, 'metrics', metricMetadataSchema, demanded);
const thresholds = (document: unknown) => parseList(document, 'thresholds', thresholdRowSchema, true);
const NOW = Date.parse('2026-03-10T12:00:00Z');

describe('an answer of the catalog', () => {
  it('is read plain and inside a response', () => {
    const rows = [{ metric_name: 'accuracy', display_name: ' ', higher_is_better: true }];
    const read = [
      {
        metric_name: 'accuracy',
        display_name: null,
        description: null,
        unit: null,
        category: null,
        higher_is_better: true,
      },
    ];
    expect(metrics({ metrics: rows }).rows).toEqual(read);
    expect(metrics({ response: { metrics: rows } }).rows).toEqual(read);
  });

  it('is read item by item: a bad one is refused and named, the good ones serve', () => {
    const { rows, refused } = thresholds({
      thresholds: [
        { metric_name: 'a', critical_threshold: 0.7, experiment_id: 7, updated_at: '2026-03-01' },
        { metric_name: 'b', critical_threshold: '0.7', experiment_id: '1' },
        { metric_name: 'c', updated_at: 'yesterday' },
        { critical_threshold: 1 },
        'd',
      ],
    });
    expect(rows.map(({ metric_name, experiment_id }) => [metric_name, experiment_id])).toEqual([['a', '7']]);
    expect(
      refused.map(({ index, metric_name, experiment_id }) => [index, metric_name, experiment_id]),
    ).toEqual([
      [1, 'b', '1'],
      [2, 'c', null],
      [3, null, null],
      [4, null, null],
    ]);
    expect(refused[0]?.problem).toMatch(/critical_threshold/);
  });

  it.each([
    ['another list', { thresholds: [] }],
    ['an error with status 200', { error: 'try again' }],
    ['a list that is none', { metrics: { metric_name: 'a' } }],
    ['a list of answers', [{ metrics: [] }]],
    ['null', null],
    ['a response without it', { response: { thresholds: [] } }],
  ])('is none if it is %s: nobody said that there are no rows', (_, document) => {
    expect(() => metrics(document, true)).toThrow();
  });

  it('may leave out a list in a file', () => {
    expect(metrics({ thresholds: [] })).toEqual({ rows: [], refused: [] });
  });
});

describe('the address of an API', () => {
  it.each([
    ['https://host/api', 'https://host/api/metrics/batch'],
    ['https://host/api/', 'https://host/api/metrics/batch'],
    ['https://host', 'https://host/metrics/batch'],
    ['https://host/api/metrics', 'https://host/api/metrics/batch'],
    ['https://host/api/metrics/', 'https://host/api/metrics/batch'],
    ['https://host/api/mymetrics', 'https://host/api/mymetrics/metrics/batch'],
    ['https://host/metrics?tenant=7', 'https://host/metrics/batch?tenant=7'],
    ['https://host/thresholds', 'https://host/thresholds/metrics/batch'],
  ])('%s is asked at %s', (address, url) => {
    expect(batchUrl(address, 'metrics')).toBe(url);
  });

  it('ends in thresholds for thresholds', () => {
    expect(batchUrl('http://host/v1/thresholds', 'thresholds')).toBe('http://host/v1/thresholds/batch');
  });
});

describe('Retry-After', () => {
  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Tue, 10 Mar 2026 12:01:30 GMT', 90_000],
    ['Tue, 10 Mar 2026 11:00:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%p asks for %p ms', (header, ms) => {
    expect(waitAsked(header, NOW)).toBe(ms);
  });
});
