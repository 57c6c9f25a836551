import { codeOf, REFUSED, sorted, type Talk } from './contract-talk.js';

export function describeRuns(talk: Talk): void {
  describe('a run', () => {
    let experiment: string;
    beforeAll(async () => {
      experiment = await talk.subject().experiment('numbers');
    });

    it('is sent with numbers as numbers, NaN as text and infinities as the largest doubles', async () => {
      const at = (value: number, step = 0n, timestamp = 5) => ({ value, step, timestamp });
      const id = await talk.subject().run(experiment, {
        name: 'values',
        start: 1_700_000_000_123,
        end: 1_700_000_060_456,
        status: 'FINISHED',
        metrics: {
          nan: at(Number.NaN),
          inf: at(Number.POSITIVE_INFINITY),
          'minus inf': at(Number.NEGATIVE_INFINITY, -3n),
          third: at(1 / 3, 7n, 1_700_000_000_001),
          small: at(5e-324),
          whole: at(3),
        },
        params: { model_version: 'v1', empty: '' },
        tags: { application: 'shop', 'mlflow.user': 'ann' },
      });
      const { status, text } = await talk.send('GET', `runs/get?run_id=${id}`);
      expect(status).toBe(200);
      const { run } = JSON.parse(text);
      const { runs } = await talk.search({
        experiment_ids: [experiment],
        filter: `attributes.run_id = '${id}'`,
      });
      expect(runs).toEqual([run]);
      expect(run.info).toEqual({
        run_id: id,
        run_uuid: id,
        run_name: 'values',
        experiment_id: experiment,
        user_id: '',
        status: 'FINISHED',
        start_time: 1_700_000_000_123,
        end_time: 1_700_000_060_456,
        artifact_uri: `mlflow-artifacts:/${experiment}/${id}/artifacts`,
        lifecycle_stage: 'active',
      });
      expect(sorted(run.data.metrics)).toEqual([
        { key: 'inf', value: Number.MAX_VALUE, step: 0, timestamp: 5 },
        { key: 'minus inf', value: -Number.MAX_VALUE, step: -3, timestamp: 5 },
        { key: 'nan', value: 'NaN', step: 0, timestamp: 5 },
        { key: 'small', value: 5e-324, step: 0, timestamp: 5 },
        { key: 'third', value: 1 / 3, step: 7, timestamp: 1_700_000_000_001 },
        { key: 'whole', value: 3, step: 0, timestamp: 5 },
      ]);
      expect(sorted(run.data.params)).toEqual([
        { key: 'empty', value: '' },
        { key: 'model_version', value: 'v1' },
      ]);
      // The name is a tag too.
      expect(sorted(run.data.tags)).toEqual([
        { key: 'application', value: 'shop' },
        { key: 'mlflow.runName', value: 'values' },
        { key: 'mlflow.user', value: 'ann' },
      ]);
      expect([run.inputs, run.outputs]).toEqual([{}, {}]);
    });

    it('is sent with an int64 to its last digit', async () => {
      const step = 2n ** 53n + 1n;
      const id = await talk.subject().run(experiment, {
        name: 'steps',
        start: 1,
        metrics: { m: { value: 1, step } },
      });
      const { text } = await talk.send('GET', `runs/get?run_id=${id}`);
      expect(text).toMatch(/"step": 9007199254740993\b/);
    });

    it('is sent without what it has none of: no end, no metrics, no params, and 0 as its start', async () => {
      const id = await talk.subject().run(experiment, { name: 'bare' });
      const run = await talk.get(id);
      expect(run.info).toMatchObject({ status: 'RUNNING', start_time: 0 });
      expect('end_time' in run.info).toBe(false);
      expect(run.data).toEqual({ tags: [{ key: 'mlflow.runName', value: 'bare' }] });
    });

    it('is sent without a name if neither it nor its tag has one', async () => {
      const id = await talk.subject().run(experiment, { name: 'old', start: 2 });
      await talk.subject().dropName(id);
      const run = await talk.get(id);
      expect('run_name' in run.info).toBe(false);
      expect(run.data).toEqual({});
    });

    it('is got when it is deleted, and is 404 when there is none', async () => {
      const id = await talk.subject().run(experiment, { name: 'gone', start: 3, end: 4, status: 'KILLED' });
      await talk.subject().deleteRun(id);
      const run = await talk.get(id);
      expect(run.info).toMatchObject({ lifecycle_stage: 'deleted', status: 'KILLED' });
      expect(codeOf(await talk.send('GET', 'runs/get?run_id=abc'))).toEqual([404, 'RESOURCE_DOES_NOT_EXIST']);
      expect(codeOf(await talk.send('GET', 'runs/get'))).toEqual(REFUSED);
    });
  });
}
