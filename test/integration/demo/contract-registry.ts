import { type ContractClient, codeOf, INVALID_PARAMETER } from './contract-client.js';

const ABSENT = [404, 'RESOURCE_DOES_NOT_EXIST'];

interface VersionJson {
  readonly name: string;
  readonly version: string;
  readonly run_id?: string;
  readonly tags?: { key: string; value: string }[];
}

export function describeRegistry(client: ContractClient): void {
  const get = (path: string, query: Record<string, string>) =>
    client.send('GET', `${path}?${new URLSearchParams(query)}`);
  const version = async (path: string, query: Record<string, string>): Promise<VersionJson> => {
    const { status, text } = await get(path, query);
    expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
    return JSON.parse(text).model_version;
  };
  const search = async (query: Record<string, string>): Promise<VersionJson[]> => {
    const { status, text } = await get('model-versions/search', query);
    expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
    return JSON.parse(text).model_versions ?? [];
  };

  describe('the model registry', () => {
    let run: string;
    beforeAll(async () => {
      const experiment = await client.subject().experiment('registered');
      run = await client.subject().run(experiment, { name: 'trained', start: 1, end: 2, status: 'FINISHED' });
      await client.subject().modelVersion('churn', run);
      await client.subject().modelVersion('churn', null);
      await client.subject().modelVersion("o'brien", run);
      await client.subject().setAlias('churn', 'champion', '1');
    });

    it('returns a version with its run; a version without a run has an empty id or none', async () => {
      expect(await version('model-versions/get', { name: 'churn', version: '1' })).toMatchObject({
        name: 'churn',
        version: '1',
        run_id: run,
      });
      const { run_id } = await version('model-versions/get', { name: 'churn', version: '2' });
      expect(run_id || null).toBeNull();
    });

    it('finds a version by its alias; `latest` is the newest', async () => {
      const find = (alias: string) => version('registered-models/alias', { name: 'churn', alias });
      expect(await find('champion')).toMatchObject({ version: '1', run_id: run });
      expect(await find('latest')).toMatchObject({ version: '2' });
    });

    it('finds the newest version of a name, also of one with a quote', async () => {
      const newest = (filter: string) =>
        search({ filter, max_results: '1', order_by: 'version_number DESC' });
      expect((await newest("name = 'churn'")).map((each) => each.version)).toEqual(['2']);
      expect((await newest('name = "o\'brien"')).map((each) => each.name)).toEqual(["o'brien"]);
      expect(await newest("name = 'nothing'")).toEqual([]);
    });

    it('moves an alias', async () => {
      const move = (to: string) =>
        client.post('registered-models/alias', { name: 'churn', alias: 'moved', version: to });
      for (const to of ['1', '2']) {
        expect((await move(to)).text).toBe('{}');
        expect(await version('registered-models/alias', { name: 'churn', alias: 'moved' })).toMatchObject({
          version: to,
        });
      }
      expect(codeOf(await move('9'))).toEqual(ABSENT);
    });

    it('finds all versions, the newest change first, in pages; a tag is no change', async () => {
      const query = { max_results: '2', order_by: 'last_updated_timestamp DESC' };
      const page = async (token = '') => {
        const { text } = await get('model-versions/search', {
          ...query,
          ...(token ? { page_token: token } : {}),
        });
        return JSON.parse(text) as { model_versions: VersionTimes[]; next_page_token?: string };
      };
      interface VersionTimes extends VersionJson {
        readonly last_updated_timestamp: number;
      }
      const all = async () => {
        const found: VersionTimes[] = [];
        let token: string | undefined;
        do {
          const { model_versions, next_page_token } = await page(token);
          found.push(...model_versions);
          token = next_page_token;
        } while (token);
        return found;
      };
      const before = await all();
      expect(before.map(({ name, version: number }) => `${name} ${number}`).sort()).toEqual([
        'churn 1',
        'churn 2',
        "o'brien 1",
      ]);
      const times = before.map(({ last_updated_timestamp }) => Number(last_updated_timestamp));
      expect(times).toEqual([...times].sort((a, b) => b - a));
      const tag = { name: 'churn', version: '1', key: 'monitor.verdict', value: 'pass' };
      expect((await client.post('model-versions/set-tag', tag)).text).toBe('{}');
      const after = await all();
      expect(after.map(({ last_updated_timestamp }) => Number(last_updated_timestamp))).toEqual(times);
      const tagged = after.find(({ name, version: number }) => name === 'churn' && number === '1');
      expect(tagged?.tags).toEqual([{ key: 'monitor.verdict', value: 'pass' }]);
      expect(codeOf(await client.post('model-versions/set-tag', { ...tag, version: '9' }))).toEqual(ABSENT);
    });

    it('is 404 for an unknown version or model, and 400 for an unknown alias', async () => {
      expect(codeOf(await get('model-versions/get', { name: 'churn', version: '9' }))).toEqual(ABSENT);
      expect(codeOf(await get('model-versions/get', { name: 'nothing', version: '1' }))).toEqual(ABSENT);
      expect(codeOf(await get('registered-models/alias', { name: 'nothing', alias: 'x' }))).toEqual(ABSENT);
      expect(codeOf(await get('registered-models/alias', { name: 'churn', alias: 'x' }))).toEqual(
        INVALID_PARAMETER,
      );
    });
  });
}
