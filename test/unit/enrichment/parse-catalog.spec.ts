import { resolve } from 'node:path';
import { parse } from 'yaml';
import { parseRetryAfter } from '../../../src/enrichment/catalog-client.js';
import { batchUrl, pathOfFileUrl } from '../../../src/enrichment/catalog-source.js';
import { parseCatalog } from '../../../src/enrichment/parse-catalog.js';

const NOW = Date.parse('2026-03-10T12:00:00Z');

describe('a catalog', () => {
  it('is read row by row; what is blank or missing is absent', () => {
    const {
      metadata,
      thresholds,
      rejectedRows: refused,
    } = parseCatalog({
      metrics: [
        { metric_name: 'accuracy', display_name: ' ', unit: '%', higher_is_better: true, owner: 'ada' },
      ],
      thresholds: [
        { metric_name: 'accuracy', experiment_id: '', critical_threshold: 0.7, updated_at: ' ' },
        {
          metric_name: '*_ms',
          experiment_id: 7,
          warning_threshold: 250,
          updated_at: '2026-03-10',
          updated_by: 'ada',
        },
      ],
    });
    expect(refused).toEqual([]);
    expect(metadata).toEqual([
      {
        metric_name: 'accuracy',
        display_name: null,
        description: null,
        unit: '%',
        category: null,
        higher_is_better: true,
      },
    ]);
    expect(thresholds).toEqual([
      {
        metric_name: 'accuracy',
        experiment_id: null,
        critical_threshold: 0.7,
        warning_threshold: null,
        updated_at: null,
        updated_by: null,
      },
      {
        metric_name: '*_ms',
        experiment_id: '7',
        critical_threshold: null,
        warning_threshold: 250,
        updated_at: '2026-03-10T00:00:00.000Z',
        updated_by: 'ada',
      },
    ]);
  });

  it.each([
    ['both lists', { metrics: [{ metric_name: 'a' }], thresholds: [{ metric_name: 'a' }] }, 1, 1],
    ['metrics only', { metrics: [{ metric_name: 'a' }] }, 1, 0],
    ['thresholds only', { thresholds: [{ metric_name: 'a' }] }, 0, 1],
    ['empty lists', { metrics: [], thresholds: [] }, 0, 0],
    ['a list without items in YAML', parse('metrics:\nthresholds:\n  - metric_name: a\n'), 0, 1],
    ['a response around them', { response: { metrics: [{ metric_name: 'a' }] } }, 1, 0],
    ['more beside them', { version: 3, metrics: [{ metric_name: 'a' }] }, 1, 0],
  ])('may have %s', (_, document, metrics, thresholds) => {
    const parsed = parseCatalog(document);
    expect([parsed.metadata.length, parsed.thresholds.length]).toEqual([metrics, thresholds]);
  });

  it.each([
    ['nothing', null],
    ['a text', 'accuracy'],
    ['a list', [{ metric_name: 'accuracy' }]],
    ['no list', { metrics: { accuracy: {} } }],
    // Taken for an empty catalog, it would take all thresholds away.
    ['an error', { error: 'not authorized' }],
    ['an empty object', {}],
    ['an empty response', { response: {} }],
  ])('that is %s is refused whole, in words', (_, document) => {
    expect(() => parseCatalog(document)).toThrow('it is no object with a list `metrics` or `thresholds`');
  });

  it('with a bad item loses this item only, and names it', () => {
    const good = { metric_name: 'accuracy', critical_threshold: 0.7 };
    const bad = [
      { critical_threshold: 1 },
      { metric_name: ' ' },
      { metric_name: 'a', critical_threshold: '0.7' },
      { metric_name: 'a', critical_threshold: Number.NaN },
      { metric_name: 'a', warning_threshold: Number.POSITIVE_INFINITY },
      { metric_name: 'a', experiment_id: 1.5 },
      { metric_name: 'a', updated_at: 'yesterday' },
      'accuracy',
      null,
    ];
    const { thresholds, rejectedRows: refused } = parseCatalog({ thresholds: [good, ...bad, good] });
    expect(thresholds).toHaveLength(2);
    expect(refused.map(({ list, index }) => `${list} ${index}`)).toEqual(
      bad.map((_, i) => `thresholds ${i + 1}`),
    );
    expect(refused.slice(0, 7).map(({ problem }) => problem.split(':')[0])).toEqual([
      'metric_name',
      'metric_name',
      'critical_threshold',
      'critical_threshold',
      'warning_threshold',
      'experiment_id',
      'updated_at',
    ]);
  });

  it.each(['Tue, 10 Mar 2026 12:00:00 GMT', '2026-02-30', '1773144000000', '2026-03-10T12:00:00+99:00', '5'])(
    'refuses %j as a time',
    (updated_at) => {
      const { thresholds, rejectedRows: refused } = parseCatalog({
        thresholds: [{ metric_name: 'a', updated_at }],
      });
      expect(thresholds).toEqual([]);
      expect(refused).toMatchObject([{ list: 'thresholds', index: 0, problem: 'updated_at: not a time' }]);
    },
  );

  it.each([
    ['2026-03-10T12:00+02:00', '2026-03-10T10:00:00.000Z'],
    ['2026-03-10t12:00:00.1234567z', '2026-03-10T12:00:00.1234567Z'],
  ])('writes the time %s in the one form that every reader takes: %s', (updated_at, expected) => {
    expect(parseCatalog({ thresholds: [{ metric_name: 'a', updated_at }] }).thresholds[0]?.updated_at).toBe(
      expected,
    );
  });

  it('refuses metadata that would be misread', () => {
    const { metadata, rejectedRows: refused } = parseCatalog({
      metrics: [
        { metric_name: 'a', higher_is_better: 'yes' },
        { metric_name: 'b', unit: 5 },
        { metric_name: 'c' },
      ],
    });
    expect(metadata.map(({ metric_name }) => metric_name)).toEqual(['c']);
    expect(refused.map(({ list, index }) => `${list} ${index}`)).toEqual(['metrics 0', 'metrics 1']);
  });
});

describe('the path of a catalog', () => {
  it.each([
    ['file:./catalog.yaml', resolve('catalog.yaml')],
    ['file:catalog.yaml', resolve('catalog.yaml')],
    ['file:/etc/catalog.yaml', '/etc/catalog.yaml'],
    ['file:///etc/my%20catalog.yaml', '/etc/my catalog.yaml'],
  ])('of %s is %s', (url, path) => {
    expect(pathOfFileUrl(url)).toBe(path);
  });
});

describe('the answer of an API', () => {
  it.each([
    ['another list', { thresholds: [] }],
    ['an error with status 200', { error: 'try again' }],
    ['a list that is none', { metrics: { metric_name: 'a' } }],
    ['no list', { metrics: null }],
    ['a response without it', { response: { thresholds: [] } }],
  ])('is none if it is %s: nobody said that there are no rows', (_, document) => {
    expect(() => parseCatalog(document, 'metrics')).toThrow('it is no object with a list `metrics`');
  });

  it('is read plain and inside a response', () => {
    for (const answer of [{ metrics: [] }, { response: { metrics: [] } }]) {
      expect(parseCatalog(answer, 'metrics')).toEqual({ metadata: [], thresholds: [], rejectedRows: [] });
    }
  });

  it('names the rows that it would have been, where that can be read', () => {
    const { rejectedRows: refused } = parseCatalog({
      thresholds: [
        { metric_name: 'b', critical_threshold: '0.7', experiment_id: 1 },
        { metric_name: 'c', updated_at: 'yesterday' },
        { critical_threshold: 1 },
        'd',
      ],
    });
    expect(refused.map(({ metric_name, experiment_id }) => [metric_name, experiment_id])).toEqual([
      ['b', '1'],
      ['c', null],
      [null, null],
      [null, null],
    ]);
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
    expect(parseRetryAfter(header, NOW)).toBe(ms);
  });
});
