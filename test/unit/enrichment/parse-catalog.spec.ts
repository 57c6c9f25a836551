import { resolve } from 'node:path';
import { parse } from 'yaml';
import { batchUrl, pathOfFileUrl } from '../../../src/enrichment/catalog-source.js';
import { MAX_ROWS, parseCatalog, parseCatalogSteps } from '../../../src/enrichment/parse-catalog.js';

describe('a catalog', () => {
  it('is parsed row by row; blank and missing fields are null', () => {
    const { metadata, thresholds, rejectedRows } = parseCatalog({
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
    expect(rejectedRows).toEqual([]);
    expect(metadata).toEqual([
      {
        metric_name: 'accuracy',
        display_name: null,
        description: null,
        unit: '%',
        category: null,
        higher_is_better: true,
        min: null,
        max: null,
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
    ['a `response` around them', { response: { metrics: [{ metric_name: 'a' }] } }, 1, 0],
    ['other fields', { version: 3, metrics: [{ metric_name: 'a' }] }, 1, 0],
  ])('may have %s', (_, document, metrics, thresholds) => {
    const parsed = parseCatalog(document);
    expect([parsed.metadata.length, parsed.thresholds.length]).toEqual([metrics, thresholds]);
  });

  it.each([
    ['nothing', null],
    ['a text', 'accuracy'],
    ['a list', [{ metric_name: 'accuracy' }]],
    ['no list', { metrics: { accuracy: {} } }],
    // Read as an empty catalog, it would remove all thresholds.
    ['an error', { error: 'not authorized' }],
    ['an empty object', {}],
    ['an empty response', { response: {} }],
  ])('that is %s is rejected as a whole', (_, document) => {
    expect(() => parseCatalog(document)).toThrow('expected an object with a list `metrics` or `thresholds`');
  });

  it('with invalid items loses only these, and reports why', () => {
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
    const { thresholds, rejectedRows } = parseCatalog({ thresholds: [good, ...bad, good] });
    expect(thresholds).toHaveLength(2);
    expect(rejectedRows.map(({ list, index }) => `${list} ${index}`)).toEqual(
      bad.map((_, i) => `thresholds ${i + 1}`),
    );
    expect(rejectedRows.slice(0, 7).map(({ problem }) => problem.split(':')[0])).toEqual([
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
    'rejects %j as a time',
    (updated_at) => {
      const { thresholds, rejectedRows } = parseCatalog({
        thresholds: [{ metric_name: 'a', updated_at }],
      });
      expect(thresholds).toEqual([]);
      expect(rejectedRows).toMatchObject([
        { list: 'thresholds', index: 0, problem: 'updated_at: not a time' },
      ]);
    },
  );

  it.each([
    ['2026-03-10T12:00+02:00', '2026-03-10T10:00:00.000Z'],
    ['2026-03-10t12:00:00.1234567z', '2026-03-10T12:00:00.1234567Z'],
  ])('converts the time %s to the format that every reader parses: %s', (updated_at, expected) => {
    expect(parseCatalog({ thresholds: [{ metric_name: 'a', updated_at }] }).thresholds[0]?.updated_at).toBe(
      expected,
    );
  });

  it('reads the least and the largest value of a metric, and rejects them in the wrong order', () => {
    const { metadata, rejectedRows } = parseCatalog({
      metrics: [
        { metric_name: 'a', min: 0, max: 1 },
        { metric_name: 'b', min: 0 },
        { metric_name: 'c', min: 5, max: 5 },
        { metric_name: 'd', min: 1, max: 0 },
        { metric_name: 'e', max: '1' },
      ],
    });
    expect(metadata.map(({ metric_name, min, max }) => [metric_name, min, max])).toEqual([
      ['a', 0, 1],
      ['b', 0, null],
      ['c', 5, 5],
    ]);
    expect(rejectedRows.map(({ metric_name, problem }) => [metric_name, problem])).toEqual([
      ['d', 'min: is greater than max'],
      ['e', expect.stringMatching(/^max: /)],
    ]);
  });

  it('rejects metadata with a wrong type', () => {
    const { metadata, rejectedRows } = parseCatalog({
      metrics: [
        { metric_name: 'a', higher_is_better: 'yes' },
        { metric_name: 'b', unit: 5 },
        { metric_name: 'c' },
      ],
    });
    expect(metadata.map(({ metric_name }) => metric_name)).toEqual(['c']);
    expect(rejectedRows.map(({ list, index }) => `${list} ${index}`)).toEqual(['metrics 0', 'metrics 1']);
  });
});

describe('the path of a catalog file', () => {
  it.each([
    ['file:./catalog.yaml', resolve('catalog.yaml')],
    ['file:catalog.yaml', resolve('catalog.yaml')],
    ['file:/etc/catalog.yaml', '/etc/catalog.yaml'],
    ['file:///etc/my%20catalog.yaml', '/etc/my catalog.yaml'],
  ])('of %s is %s', (url, path) => {
    expect(pathOfFileUrl(url)).toBe(path);
  });
});

describe('the response of an API', () => {
  it.each([
    ['another list', { thresholds: [] }],
    ['an error with status 200', { error: 'try again' }],
    ['an object in place of the list', { metrics: { metric_name: 'a' } }],
    ['no list', { metrics: null }],
    ['a response without it', { response: { thresholds: [] } }],
  ])('that is %s is invalid: only an empty list means that there are no rows', (_, document) => {
    expect(() => parseCatalog(document, 'metrics')).toThrow('expected an object with a list `metrics`');
  });

  it('may be inside `response`', () => {
    for (const document of [{ metrics: [] }, { response: { metrics: [] } }]) {
      expect(parseCatalog(document, 'metrics')).toEqual({ metadata: [], thresholds: [], rejectedRows: [] });
    }
  });

  it('identifies a rejected row if its names are valid', () => {
    const { rejectedRows } = parseCatalog({
      thresholds: [
        { metric_name: 'b', critical_threshold: '0.7', experiment_id: 1 },
        { metric_name: 'c', updated_at: 'yesterday' },
        { critical_threshold: 1 },
        'd',
      ],
    });
    expect(rejectedRows.map(({ metric_name, experiment_id }) => [metric_name, experiment_id])).toEqual([
      ['b', '1'],
      ['c', null],
      [null, null],
      [null, null],
    ]);
  });
});

describe('the URL of an API', () => {
  it.each([
    ['https://host/api', 'https://host/api/metrics/batch'],
    ['https://host/api/', 'https://host/api/metrics/batch'],
    ['https://host', 'https://host/metrics/batch'],
    ['https://host/api/metrics', 'https://host/api/metrics/batch'],
    ['https://host/api/metrics/', 'https://host/api/metrics/batch'],
    ['https://host/api/mymetrics', 'https://host/api/mymetrics/metrics/batch'],
    ['https://host/thresholds', 'https://host/thresholds/metrics/batch'],
  ])('of the base URL %s is %s', (baseUrl, url) => {
    expect(batchUrl(baseUrl, 'metrics')).toBe(url);
  });

  it('ends in /thresholds/batch for thresholds', () => {
    expect(batchUrl('http://host/v1/thresholds', 'thresholds')).toBe('http://host/v1/thresholds/batch');
  });
});

describe('a long list', () => {
  it('may be interrupted at every row', () => {
    const metrics = Array.from({ length: 1_000 }, (_, i) => ({ metric_name: `metric ${i}` }));
    expect([...parseCatalogSteps({ metrics })].length).toBeGreaterThanOrEqual(1_000);
  });

  it('is not read above the limit, which the error names', () => {
    const thresholds = new Array(MAX_ROWS + 1).fill({ metric_name: 'a' });
    expect(() => parseCatalog({ thresholds })).toThrow(
      'the list `thresholds` has 200001 rows; at most 200000 are read',
    );
  });
});
