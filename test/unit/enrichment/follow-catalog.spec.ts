import { withoutSecrets } from '../../../src/config/settings.js';
import type { CatalogSourceOptions } from '../../../src/enrichment/catalog-source.js';
import { followCatalog } from '../../../src/enrichment/follow-catalog.js';

const OWN: CatalogSourceOptions = {
  metricsUrl: 'https://me:secret@ours/metrics?key=secret',
  thresholdsUrl: 'https://ours/thresholds',
  apiKey: 'key',
  maxRetries: 0,
  timeoutMs: 1,
};
const STORED = { metrics_api_url: 'https://ours/metrics', thresholds_api_url: 'https://ours/thresholds' };

/** The options with which the catalog of each read was opened. */
async function opened(...stored: Partial<{ [K in keyof typeof STORED]: string | null }>[]) {
  const options: CatalogSourceOptions[] = [];
  let rules: typeof STORED = STORED;
  const source = followCatalog(
    OWN,
    async () => rules,
    (given) => {
      options.push(given);
      return {
        queriedLists: { metrics: given.metricsUrl !== undefined, thresholds: false },
        read: async () => ({ metadata: [], thresholds: [], rejectedRows: [] }),
      };
    },
  );
  for (const each of stored) {
    rules = { ...STORED, ...each } as typeof STORED;
    await source.read([]);
  }
  return { options, queriedLists: source.queriedLists };
}

describe('the catalog of the scheduler that started last', () => {
  it('is read with the own credentials of this process if the URLs are equal', async () => {
    expect((await opened({})).options).toEqual([OWN]);
  });

  it('replaces another one, and is opened once', async () => {
    const { options } = await opened(
      { thresholds_api_url: 'https://ours/other' },
      { thresholds_api_url: 'https://ours/other' },
    );
    expect(options).toEqual([OWN, { ...OWN, thresholdsUrl: 'https://ours/other' }]);
  });

  it('does not get the API key of this process on another host', async () => {
    const { options } = await opened({ thresholds_api_url: 'https://theirs/thresholds' });
    expect(options[1]).toEqual({ ...OWN, thresholdsUrl: 'https://theirs/thresholds', apiKey: undefined });
  });

  it('may be none', async () => {
    const { options, queriedLists } = await opened({ metrics_api_url: null });
    expect(options[1]?.metricsUrl).toBeUndefined();
    expect(queriedLists.metrics).toBe(false);
  });
});

it('a stored URL has no user, password or query', () => {
  expect(withoutSecrets('https://me:secret@ours/metrics?key=secret#x')).toBe('https://ours/metrics');
  expect(withoutSecrets('file:./catalog.yaml')).toBe('file:./catalog.yaml');
});
