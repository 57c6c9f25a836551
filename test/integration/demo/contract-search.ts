import { firstRunOf } from '../../../src/ingestion/page-limit.js';
import {
  type ContractClient,
  codeOf,
  IN_START_ORDER,
  INVALID_PARAMETER,
  type NewRun,
  type RunJson,
} from './contract-client.js';

export function describeSearch(client: ContractClient): void {
  describe('a search of runs', () => {
    let here: string;
    let there: string;
    let deleted: string;
    const ids = new Map<string, string>();
    beforeAll(async () => {
      here = await client.subject().experiment('here');
      there = await client.subject().experiment('there');
      deleted = await client.subject().experiment('deleted');
      const runs: [string, NewRun][] = [
        [here, { name: 'first', start: 1000, end: 2000, status: 'FINISHED' }],
        [here, { name: 'running', start: 3000, status: 'RUNNING' }],
        [here, { name: 'failed', start: 2000, end: 2500, status: 'FAILED' }],
        [here, { name: 'killed', start: 4000, end: 4500, status: 'KILLED' }],
        [here, { name: 'scheduled', start: 500, status: 'SCHEDULED' }],
        [here, { name: 'no start', end: 1500, status: 'FINISHED' }],
        [there, { name: 'elsewhere', start: 1500, end: 1600, status: 'FINISHED' }],
        [deleted, { name: 'with its experiment', start: 1500, end: 1600, status: 'FINISHED' }],
      ];
      for (const [experiment, run] of runs) ids.set(run.name, await client.subject().run(experiment, run));
      await client.subject().deleteRun(ids.get('killed') ?? '');
      await client.subject().deleteExperiment(deleted);
    });
    const inOrder = (filter: string) =>
      client.names({ experiment_ids: [here], filter, order_by: IN_START_ORDER });
    const all = ['no start', 'scheduled', 'first', 'failed', 'running', 'killed'];

    it('sorts by descending start by default', async () => {
      expect(await client.names({ experiment_ids: [here] })).toEqual([...all].reverse());
      expect(await inOrder('')).toEqual(all);
      expect(await client.names({ experiment_ids: [here], order_by: ['start_time'] })).toEqual(all);
      expect(
        await client.names({ experiment_ids: [here], order_by: ['attributes.start_time desc'] }),
      ).toEqual([...all].reverse());
    });

    it('sorts runs without an end last in both directions, then by descending start', async () => {
      const ended = ['no start', 'first', 'failed', 'killed'];
      const byEnd = (direction: string) =>
        client.names({ experiment_ids: [here], order_by: [`attributes.end_time ${direction}`] });
      expect(await byEnd('ASC')).toEqual([...ended, 'running', 'scheduled']);
      expect(await byEnd('DESC')).toEqual([...[...ended].reverse(), 'running', 'scheduled']);
    });

    it('sorts equal starts by id', async () => {
      const experiment = await client.subject().experiment('equal starts');
      const equal: string[] = [];
      for (const name of ['x', 'y', 'z', 'u', 'v', 'w']) {
        equal.push(await client.subject().run(experiment, { name, start: 77, end: 78, status: 'FINISHED' }));
      }
      for (const direction of ['ASC', 'DESC']) {
        const { runs } = await client.search({
          experiment_ids: [experiment],
          order_by: [`attributes.start_time ${direction}`],
        });
        expect(runs.map(({ info }) => info.run_id)).toEqual([...equal].sort());
      }
    });

    it('compares tags, whose names may be in backticks; case counts', async () => {
      const experiment = await client.subject().experiment('tagged');
      const tags = { application: 'shop', 'team-name': "o'brien" };
      await client.subject().run(experiment, { name: 'tagged', start: 1, tags });
      await client.subject().run(experiment, { name: 'other', start: 2, tags: { application: 'Shop' } });
      const find = (filter: string) => client.names({ experiment_ids: [experiment], filter });
      expect(await find("tags.application = 'shop'")).toEqual(['tagged']);
      expect(await find("attributes.start_time >= 1 AND tags.`application` = 'shop'")).toEqual(['tagged']);
      expect(await find('tags.`team-name` = "o\'brien"')).toEqual(['tagged']);
      expect(await find("tags.`mlflow.runName` = 'other'")).toEqual(['other']);
      expect(await find("tags.`nothing` = 'shop'")).toEqual([]);
    });

    it('compares times; a comparison with a missing end is false', async () => {
      expect(await inOrder('attributes.start_time >= 2000')).toEqual(['failed', 'running', 'killed']);
      expect(await inOrder('attributes.start_time > 2000')).toEqual(['running', 'killed']);
      expect(await inOrder('attributes.start_time < 1000')).toEqual(['no start', 'scheduled']);
      expect(await inOrder('attributes.start_time <= 1000.5')).toEqual(['no start', 'scheduled', 'first']);
      expect(await inOrder('start_time = 0')).toEqual(['no start']);
      expect(await inOrder('attributes.start_time >= -5')).toEqual(all);
      expect(await inOrder('attributes.end_time >= 0')).toEqual(['no start', 'first', 'failed', 'killed']);
      expect(await inOrder('attributes.end_time < 2500')).toEqual(['no start', 'first']);
      expect(await inOrder('attributes.end_time != 2000')).toEqual(['no start', 'failed', 'killed']);
    });

    it('compares status and id exactly', async () => {
      expect(await inOrder("attributes.status = 'RUNNING'")).toEqual(['running']);
      expect(await inOrder('attributes.status = "SCHEDULED"')).toEqual(['scheduled']);
      expect(await inOrder("attributes.status = 'running'")).toEqual([]);
      expect(await inOrder("attributes.status != 'FINISHED'")).toEqual([
        'scheduled',
        'failed',
        'running',
        'killed',
      ]);
      expect(await inOrder(`run_id = '${ids.get('first')}'`)).toEqual(['first']);
    });

    it('combines comparisons with AND', async () => {
      const filter =
        "attributes.start_time < 4000 AND attributes.status = 'RUNNING' AND attributes.start_time >= 3000";
      expect(await inOrder(filter)).toEqual(['running']);
      expect(await inOrder('attributes.start_time>=1000 and attributes.end_time<2500')).toEqual(['first']);
    });

    it('accepts a list of ids', async () => {
      const [first, killed] = [ids.get('first'), ids.get('killed')];
      expect(await inOrder(`attributes.run_id IN ('${first}')`)).toEqual(['first']);
      expect(await inOrder(`attributes.run_id in ('${killed}', 'unknown','${first}')`)).toEqual([
        'first',
        'killed',
      ]);
      expect(await inOrder("attributes.run_id IN ('unknown')")).toEqual([]);
      const many = Array.from({ length: 100 }, (_, i) => `'${String(i).padStart(32, '0')}'`).join(',');
      expect(await inOrder(`attributes.run_id IN (${many},'${first}')`)).toEqual(['first']);
    });

    it('excludes ids, with an offset that stays valid', async () => {
      const [first, running] = [ids.get('first'), ids.get('running')];
      expect(await inOrder(`attributes.run_id != '${first}'`)).toEqual(
        all.filter((name) => name !== 'first'),
      );
      const filter = `attributes.start_time >= 1000 AND attributes.run_id != '${first}' AND attributes.run_id != '${running}'`;
      expect(await inOrder(filter)).toEqual(['failed', 'killed']);
      const unknown = Array.from({ length: 200 }, (_, i) => `attributes.run_id != '${i}'`).join(' AND ');
      expect(await inOrder(unknown)).toEqual(all);
    });

    // The service reads the first run of a page that it has cut off.
    it('writes `info` first, complete before the data of the run', async () => {
      const body = { experiment_ids: [here], order_by: IN_START_ORDER, max_results: 1 };
      const { text, headers } = await client.send('POST', 'runs/search', body);
      expect(firstRunOf(text.slice(0, text.indexOf('"data"')))).toMatchObject({
        run_id: ids.get('no start'),
        experiment_id: here,
        start_time: null,
      });
      expect(Number(headers['content-length'])).toBe(Buffer.byteLength(text));
    });

    it('accepts a token with another page size', async () => {
      const query = { experiment_ids: [here], order_by: IN_START_ORDER };
      const { token: page_token } = await client.search({ ...query, max_results: 3 });
      const { runs } = await client.search({ ...query, max_results: 1, page_token });
      expect(runs.map(({ info }) => info.run_name)).toEqual(['failed']);
    });

    it.each([
      "attributes.status IN ('RUNNING')",
      'attributes.run_id IN ()',
      "attributes.run_id IN ('a',,'b')",
      "attributes.run_id IN ('a'",
      'attributes.run_id IN',
      'attributes.start_time IN (1)',
      "attributes.start_time >= 'abc'",
      'attributes.start_time == 1',
      'attributes.status = RUNNING',
      "attributes.status > 'A'",
      "attributes.nope = 'x'",
      'attributes.start_time >= 1 OR attributes.end_time < 3',
      'attributes.start_time >= 1;',
      'attributes.start_time >=',
      "'FINISHED' = attributes.status",
      'nonsense',
      '  ',
    ])('rejects the filter %s', async (filter) => {
      const response = await client.post('runs/search', { experiment_ids: [here], filter });
      expect(codeOf(response)).toEqual(INVALID_PARAMETER);
      expect(JSON.parse(response.text).message).toEqual(expect.any(String));
    });

    it.each([
      [400, 'attributes.nope ASC'],
      [400, 'attributes.start_time UP'],
      [400, 'attributes.start_time ASC DESC'],
      [400, ''],
    ])('returns %i for the order %j', async (status, clause) => {
      expect((await client.post('runs/search', { experiment_ids: [here], order_by: [clause] })).status).toBe(
        status,
      );
    });

    it('rejects an order that names an attribute twice', async () => {
      const order_by = ['attributes.start_time ASC', 'attributes.start_time DESC'];
      expect(codeOf(await client.post('runs/search', { experiment_ids: [here], order_by }))).toEqual([
        500,
        'INTERNAL_ERROR',
      ]);
    });

    it('returns deleted runs, including those of a deleted experiment, only if the view includes them', async () => {
      const found = (view: object, id = here) =>
        client
          .post('runs/search', { experiment_ids: [id], order_by: IN_START_ORDER, ...view })
          .then(({ text }) => (JSON.parse(text).runs ?? []).map(({ info }: RunJson) => info.run_name));
      const active = all.filter((name) => name !== 'killed');
      expect(await found({})).toEqual(active);
      expect(await found({ run_view_type: 'ACTIVE_ONLY' })).toEqual(active);
      expect(await found({ run_view_type: 'DELETED_ONLY' })).toEqual(['killed']);
      expect(await found({ run_view_type: 'ALL' })).toEqual(all);
      expect(await found({ run_view_type: 'NOPE' })).toEqual(active);
      expect(await found({ run_view_type: 'ALL' }, deleted)).toEqual(['with its experiment']);
      const { runs } = await client.search({ experiment_ids: [deleted] });
      expect(runs[0]?.info.lifecycle_stage).toBe('deleted');
    });

    it('searches only the given experiments, and none if none is given', async () => {
      expect(await client.names({ experiment_ids: [there] })).toEqual(['elsewhere']);
      expect(
        await client.names({ experiment_ids: [there, here, '999999'], filter: 'start_time = 1500' }),
      ).toEqual(['elsewhere']);
      expect(await client.names({ experiment_ids: ['999999'] })).toEqual([]);
      for (const body of [{ experiment_ids: [] }, {}, '{nope', []]) {
        expect(await client.post('runs/search', body)).toMatchObject({ status: 200, text: '{}' });
      }
      const wrong = await client.post('runs/search', { experiment_ids: ['abc'] });
      expect(codeOf(wrong)).toEqual(INVALID_PARAMETER);
      expect(codeOf(await client.post('runs/search', { experiment_ids: '1' }))).toEqual([
        400,
        'INVALID_PARAMETER_VALUE',
      ]);
    });

    it('pages by offset; a full last page has no next token', async () => {
      const fetchPage = (token?: string) =>
        client.search({
          experiment_ids: [here],
          order_by: IN_START_ORDER,
          max_results: 2,
          page_token: token,
        });
      const pages: string[] = [];
      let token: string | undefined;
      do {
        const page = await fetchPage(token);
        pages.push(page.runs.map(({ info }) => info.run_name).join(' '));
        token = page.token;
      } while (token);
      expect(pages).toEqual(['no start scheduled', 'first failed', 'running killed']);
      // A run that drops out of the result between two pages shifts the ones after it.
      const second = (await fetchPage()).token;
      const shifted = await client.search({
        experiment_ids: [here],
        order_by: IN_START_ORDER,
        max_results: 2,
        page_token: second,
        filter: 'attributes.start_time > 0',
      });
      expect(shifted.runs.map(({ info }) => info.run_name)).toEqual(['failed', 'running']);
      const behind = Buffer.from('{"offset": 100}').toString('base64');
      expect(await client.post('runs/search', { experiment_ids: [here], page_token: behind })).toMatchObject({
        text: '{}',
      });
      expect(await client.names({ experiment_ids: [here], page_token: '' })).toHaveLength(all.length);
    });

    it.each([
      'zzz',
      '!!!',
      Buffer.from('hello').toString('base64'),
      Buffer.from('{"offset": 0}').toString('base64'),
    ])('rejects the page token %s', async (page_token) => {
      const response = await client.post('runs/search', { experiment_ids: [here], page_token });
      expect(codeOf(response)).toEqual(INVALID_PARAMETER);
    });

    it('accepts 1 to 50,000 results per page, as a number or a string', async () => {
      for (const max_results of [0, -1, 50_001, 'x']) {
        const response = await client.post('runs/search', { experiment_ids: [here], max_results });
        expect([max_results, ...codeOf(response)]).toEqual([max_results, 400, 'INVALID_PARAMETER_VALUE']);
      }
      expect(await client.names({ experiment_ids: [here], max_results: 50_000 })).toHaveLength(all.length);
      expect(await client.names({ experiment_ids: [here], max_results: '1' })).toEqual(['killed']);
    });
  });

  describe('a page without max_results', () => {
    it('has 1,000 runs', async () => {
      const experiment = await client.subject().experiment('many');
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        for (let i = writer; i < 1001; i += 4)
          await client.subject().run(experiment, { name: `r${i}`, start: i + 1 });
      });
      await Promise.all(writers);
      const page = await client.search({ experiment_ids: [experiment], order_by: IN_START_ORDER });
      expect(page.runs).toHaveLength(1000);
      const rest = await client.search({
        experiment_ids: [experiment],
        order_by: IN_START_ORDER,
        page_token: page.token,
      });
      expect([rest.runs.map(({ info }) => info.start_time), rest.token]).toEqual([[1001], undefined]);
    });
  });
}
