import { DATE_LAG_MS } from '../../../src/domain/merge-precedence.js';
import { type ContractClient, codeOf, INVALID_PARAMETER, sorted } from './contract-client.js';

export function describeServer(client: ContractClient): void {
  describe('a search of experiments', () => {
    const list = async (body: object) => {
      const { status, text } = await client.post('experiments/search', body);
      expect(status).toBe(200);
      return JSON.parse(text) as { experiments?: Record<string, unknown>[]; next_page_token?: string };
    };

    it('returns all fields, the newest experiment first and experiment 0 last', async () => {
      const id = await client.subject().experiment('described', { application: 'shop', owner: 'ann' });
      const { experiments = [] } = await list({ max_results: 1000, view_type: 'ALL' });
      expect(experiments.at(-1)).toMatchObject({
        experiment_id: '0',
        name: 'Default',
        lifecycle_stage: 'active',
      });
      expect('tags' in (experiments.at(-1) ?? {})).toBe(false);
      const found = experiments.find(({ experiment_id }) => experiment_id === id);
      expect(found).toMatchObject({
        name: 'described',
        lifecycle_stage: 'active',
        artifact_location: `mlflow-artifacts:/${id}`,
        creation_time: expect.any(Number),
        last_update_time: expect.any(Number),
      });
      expect(sorted(found?.tags as { key: string }[])).toEqual([
        { key: 'application', value: 'shop' },
        { key: 'owner', value: 'ann' },
      ]);
      const times = experiments.map(({ creation_time }) => Number(creation_time));
      expect(times).toEqual([...times].sort((a, b) => b - a));
    });

    it('returns deleted experiments only if the view includes them', async () => {
      const id = await client.subject().experiment('to be deleted');
      await client.subject().deleteExperiment(id);
      const has = async (view: object) =>
        (await list({ max_results: 1000, ...view })).experiments?.some(
          ({ experiment_id }) => experiment_id === id,
        );
      expect(await has({})).toBe(false);
      expect(await has({ view_type: 'ACTIVE_ONLY' })).toBe(false);
      expect(await has({ view_type: 'DELETED_ONLY' })).toBe(true);
      expect(await has({ view_type: 'ALL' })).toBe(true);
    });

    it('is paged', async () => {
      const { experiments: all = [] } = await list({ max_results: 50_000, view_type: 'ALL' });
      const paged: unknown[] = [];
      let page_token: string | undefined;
      do {
        const page: Awaited<ReturnType<typeof list>> = await list({
          max_results: 2,
          view_type: 'ALL',
          page_token,
        });
        paged.push(...(page.experiments ?? []));
        page_token = page.next_page_token;
      } while (page_token);
      expect(paged).toEqual(all);
    });

    it('requires max_results', async () => {
      for (const body of [{}, { max_results: 0 }, { max_results: -1 }, { max_results: 50_001 }]) {
        expect(codeOf(await client.post('experiments/search', body))).toEqual(INVALID_PARAMETER);
      }
      const response = await client.post('experiments/search', { max_results: 2, page_token: 'zz' });
      expect(codeOf(response)).toEqual(INVALID_PARAMETER);
    });
  });

  describe('every response', () => {
    it('is JSON with a correct length and an approximate date', async () => {
      const before = Math.floor(Date.now() / 1000) * 1000;
      const { headers, text } = await client.post('experiments/search', { max_results: 5 });
      expect(headers['content-type']).toMatch(/^application\/json/);
      expect(headers['content-length']).toBe(String(Buffer.byteLength(text)));
      const date = Date.parse(String(headers.date));
      // Uvicorn refreshes the header at intervals: a lag of 11 s was observed under load (docs/data.md).
      expect(date).toBeGreaterThanOrEqual(before - DATE_LAG_MS);
      expect(date).toBeLessThanOrEqual(Date.now());
    });

    it.each([
      [403, 'a page of another site', { Origin: 'http://evil.example' }],
      [403, 'a page with an opaque origin', { Origin: 'null' }],
      [403, 'a host name that was rebound to this machine', { Host: 'evil.example' }],
      [200, 'a page of this machine', { Origin: 'http://localhost:1234' }],
      [200, 'another port of this machine', { Host: 'localhost:99' }],
    ])('is %i for %s', async (status, _, headers) => {
      expect((await client.post('experiments/search', { max_results: 5 }, headers)).status).toBe(status);
    });

    it('allows GET requests of other sites, and is 404 for unknown paths', async () => {
      const headers = { Origin: 'http://evil.example' };
      expect((await client.send('GET', 'runs/get?run_id=abc', undefined, headers)).status).toBe(404);
      expect((await client.post('runs/nope', {})).status).toBe(404);
    });
  });
}
