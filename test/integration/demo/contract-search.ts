import {
  codeOf,
  IN_START_ORDER,
  REFUSED,
  type SentRun,
  type Talk,
  type WrittenRun,
} from './contract-talk.js';

export function describeSearch(talk: Talk): void {
  describe('a search of runs', () => {
    let here: string;
    let there: string;
    let deleted: string;
    const ids = new Map<string, string>();
    beforeAll(async () => {
      here = await talk.subject().experiment('here');
      there = await talk.subject().experiment('there');
      deleted = await talk.subject().experiment('deleted');
      const runs: [string, WrittenRun][] = [
        [here, { name: 'first', start: 1000, end: 2000, status: 'FINISHED' }],
        [here, { name: 'running', start: 3000, status: 'RUNNING' }],
        [here, { name: 'failed', start: 2000, end: 2500, status: 'FAILED' }],
        [here, { name: 'killed', start: 4000, end: 4500, status: 'KILLED' }],
        [here, { name: 'scheduled', start: 500, status: 'SCHEDULED' }],
        [here, { name: 'no start', end: 1500, status: 'FINISHED' }],
        [there, { name: 'elsewhere', start: 1500, end: 1600, status: 'FINISHED' }],
        [deleted, { name: 'with its experiment', start: 1500, end: 1600, status: 'FINISHED' }],
      ];
      for (const [experiment, run] of runs) ids.set(run.name, await talk.subject().run(experiment, run));
      await talk.subject().deleteRun(ids.get('killed') ?? '');
      await talk.subject().deleteExperiment(deleted);
    });
    const inOrder = (filter: string) =>
      talk.names({ experiment_ids: [here], filter, order_by: IN_START_ORDER });
    const all = ['no start', 'scheduled', 'first', 'failed', 'running', 'killed'];

    it('returns the newest start first unless it is told an order', async () => {
      expect(await talk.names({ experiment_ids: [here] })).toEqual([...all].reverse());
      expect(await inOrder('')).toEqual(all);
      expect(await talk.names({ experiment_ids: [here], order_by: ['start_time'] })).toEqual(all);
      expect(await talk.names({ experiment_ids: [here], order_by: ['attributes.start_time desc'] })).toEqual(
        [...all].reverse(),
      );
    });

    it('sorts absent ends last, whatever the direction, then by the newest start', async () => {
      const ended = ['no start', 'first', 'failed', 'killed'];
      const byEnd = (direction: string) =>
        talk.names({ experiment_ids: [here], order_by: [`attributes.end_time ${direction}`] });
      expect(await byEnd('ASC')).toEqual([...ended, 'running', 'scheduled']);
      expect(await byEnd('DESC')).toEqual([...[...ended].reverse(), 'running', 'scheduled']);
    });

    it('sorts equal starts by the id', async () => {
      const experiment = await talk.subject().experiment('equal starts');
      const equal: string[] = [];
      for (const name of ['x', 'y', 'z', 'u', 'v', 'w']) {
        equal.push(await talk.subject().run(experiment, { name, start: 77, end: 78, status: 'FINISHED' }));
      }
      for (const direction of ['ASC', 'DESC']) {
        const { runs } = await talk.search({
          experiment_ids: [experiment],
          order_by: [`attributes.start_time ${direction}`],
        });
        expect(runs.map(({ info }) => info.run_id)).toEqual([...equal].sort());
      }
    });

    it('compares times, and a comparison with an absent end is false', async () => {
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

    it('compares the status and the id letter by letter', async () => {
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

    it('joins by AND', async () => {
      const question =
        "attributes.start_time < 4000 AND attributes.status = 'RUNNING' AND attributes.start_time >= 3000";
      expect(await inOrder(question)).toEqual(['running']);
      expect(await inOrder('attributes.start_time>=1000 and attributes.end_time<2500')).toEqual(['first']);
    });

    it('takes a list of ids', async () => {
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
    ])('refuses the filter %s', async (filter) => {
      const answer = await talk.post('runs/search', { experiment_ids: [here], filter });
      expect(codeOf(answer)).toEqual(REFUSED);
      expect(JSON.parse(answer.text).message).toEqual(expect.any(String));
    });

    it.each([
      [400, 'attributes.nope ASC'],
      [400, 'attributes.start_time UP'],
      [400, 'attributes.start_time ASC DESC'],
      [400, ''],
    ])('answers %i to the order %j', async (status, clause) => {
      expect((await talk.post('runs/search', { experiment_ids: [here], order_by: [clause] })).status).toBe(
        status,
      );
    });

    it('refuses an order that names a time twice', async () => {
      const order_by = ['attributes.start_time ASC', 'attributes.start_time DESC'];
      expect(codeOf(await talk.post('runs/search', { experiment_ids: [here], order_by }))).toEqual([
        500,
        'INTERNAL_ERROR',
      ]);
    });

    it('shows deleted runs, and those of a deleted experiment, only if it is asked for them', async () => {
      const seen = (view: object, id = here) =>
        talk
          .post('runs/search', { experiment_ids: [id], order_by: IN_START_ORDER, ...view })
          .then(({ text }) => (JSON.parse(text).runs ?? []).map(({ info }: SentRun) => info.run_name));
      const active = all.filter((name) => name !== 'killed');
      expect(await seen({})).toEqual(active);
      expect(await seen({ run_view_type: 'ACTIVE_ONLY' })).toEqual(active);
      expect(await seen({ run_view_type: 'DELETED_ONLY' })).toEqual(['killed']);
      expect(await seen({ run_view_type: 'ALL' })).toEqual(all);
      expect(await seen({ run_view_type: 'NOPE' })).toEqual(active);
      expect(await seen({ run_view_type: 'ALL' }, deleted)).toEqual(['with its experiment']);
      const { runs } = await talk.search({ experiment_ids: [deleted] });
      expect(runs[0]?.info.lifecycle_stage).toBe('deleted');
    });

    it('searches the experiments it is told, and none if it is told none', async () => {
      expect(await talk.names({ experiment_ids: [there] })).toEqual(['elsewhere']);
      expect(
        await talk.names({ experiment_ids: [there, here, '999999'], filter: 'start_time = 1500' }),
      ).toEqual(['elsewhere']);
      expect(await talk.names({ experiment_ids: ['999999'] })).toEqual([]);
      for (const body of [{ experiment_ids: [] }, {}, '{nope', []]) {
        expect(await talk.post('runs/search', body)).toMatchObject({ status: 200, text: '{}' });
      }
      const wrong = await talk.post('runs/search', { experiment_ids: ['abc'] });
      expect(codeOf(wrong)).toEqual(REFUSED);
      expect(codeOf(await talk.post('runs/search', { experiment_ids: '1' }))).toEqual([
        400,
        'INVALID_PARAMETER_VALUE',
      ]);
    });

    it('turns pages by offset; an exact last page names no next one', async () => {
      const ask = (token?: string) =>
        talk.search({ experiment_ids: [here], order_by: IN_START_ORDER, max_results: 2, page_token: token });
      const pages: string[] = [];
      let token: string | undefined;
      do {
        const page = await ask(token);
        pages.push(page.runs.map(({ info }) => info.run_name).join(' '));
        token = page.token;
      } while (token);
      expect(pages).toEqual(['no start scheduled', 'first failed', 'running killed']);
      // A run that leaves between two pages shifts those after it.
      const second = (await ask()).token;
      const shifted = await talk.search({
        experiment_ids: [here],
        order_by: IN_START_ORDER,
        max_results: 2,
        page_token: second,
        filter: 'attributes.start_time > 0',
      });
      expect(shifted.runs.map(({ info }) => info.run_name)).toEqual(['failed', 'running']);
      const behind = Buffer.from('{"offset": 100}').toString('base64');
      expect(await talk.post('runs/search', { experiment_ids: [here], page_token: behind })).toMatchObject({
        text: '{}',
      });
      expect(await talk.names({ experiment_ids: [here], page_token: '' })).toHaveLength(all.length);
    });

    it.each([
      'zzz',
      '!!!',
      Buffer.from('hello').toString('base64'),
      Buffer.from('{"offset": 0}').toString('base64'),
    ])('refuses the page token %s', async (page_token) => {
      const answer = await talk.post('runs/search', { experiment_ids: [here], page_token });
      expect(codeOf(answer)).toEqual(REFUSED);
    });

    it('takes 1 to 50,000 results a page, as number or text, and 1,000 unless it is told', async () => {
      for (const max_results of [0, -1, 50_001, 'x']) {
        const answer = await talk.post('runs/search', { experiment_ids: [here], max_results });
        expect([max_results, ...codeOf(answer)]).toEqual([max_results, 400, 'INVALID_PARAMETER_VALUE']);
      }
      expect(await talk.names({ experiment_ids: [here], max_results: 50_000 })).toHaveLength(all.length);
      expect(await talk.names({ experiment_ids: [here], max_results: '1' })).toEqual(['killed']);
    });
  });

  describe('a page without a size', () => {
    it('holds 1,000 runs', async () => {
      const experiment = await talk.subject().experiment('many');
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        for (let i = writer; i < 1001; i += 4)
          await talk.subject().run(experiment, { name: `r${i}`, start: i + 1 });
      });
      await Promise.all(writers);
      const page = await talk.search({ experiment_ids: [experiment], order_by: IN_START_ORDER });
      expect(page.runs).toHaveLength(1000);
      const rest = await talk.search({
        experiment_ids: [experiment],
        order_by: IN_START_ORDER,
        page_token: page.token,
      });
      expect([rest.runs.map(({ info }) => info.start_time), rest.token]).toEqual([[1001], undefined]);
    });
  });
}
