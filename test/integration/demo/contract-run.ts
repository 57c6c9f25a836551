import { type ContractClient, codeOf, INVALID_PARAMETER, sorted } from './contract-client.js';

export function describeRuns(client: ContractClient): void {
  describe('a run', () => {
    let experiment: string;
    beforeAll(async () => {
      experiment = await client.subject().experiment('numbers');
    });

    it('has numbers as JSON numbers, NaN as a string and infinities as the largest doubles', async () => {
      const at = (value: number, step = 0n, timestamp = 5) => ({ value, step, timestamp });
      const id = await client.subject().run(experiment, {
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
      const { status, text } = await client.send('GET', `runs/get?run_id=${id}`);
      expect(status).toBe(200);
      const { run } = JSON.parse(text);
      const { runs } = await client.search({
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
      // MLflow also stores the name as a tag.
      expect(sorted(run.data.tags)).toEqual([
        { key: 'application', value: 'shop' },
        { key: 'mlflow.runName', value: 'values' },
        { key: 'mlflow.user', value: 'ann' },
      ]);
      expect([run.inputs, run.outputs]).toEqual([{}, {}]);
    });

    it('has int64 numbers with all digits', async () => {
      const step = 2n ** 53n + 1n;
      const id = await client.subject().run(experiment, {
        name: 'steps',
        start: 1,
        metrics: { m: { value: 1, step } },
      });
      const { text } = await client.send('GET', `runs/get?run_id=${id}`);
      expect(text).toMatch(/"step": 9007199254740993\b/);
    });

    it('omits a missing end, metrics and params, and has 0 for a missing start', async () => {
      const id = await client.subject().run(experiment, { name: 'bare' });
      const run = await client.get(id);
      expect(run.info).toMatchObject({ status: 'RUNNING', start_time: 0 });
      expect('end_time' in run.info).toBe(false);
      expect(run.data).toEqual({ tags: [{ key: 'mlflow.runName', value: 'bare' }] });
    });

    it('omits the name if neither the run nor its tag has one', async () => {
      const id = await client.subject().run(experiment, { name: 'old', start: 2 });
      await client.subject().dropName(id);
      const run = await client.get(id);
      expect('run_name' in run.info).toBe(false);
      expect(run.data).toEqual({});
    });

    it('is returned even if it is deleted, and an unknown run is 404', async () => {
      const id = await client.subject().run(experiment, { name: 'gone', start: 3, end: 4, status: 'KILLED' });
      await client.subject().deleteRun(id);
      const run = await client.get(id);
      expect(run.info).toMatchObject({ lifecycle_stage: 'deleted', status: 'KILLED' });
      expect(codeOf(await client.send('GET', 'runs/get?run_id=abc'))).toEqual([
        404,
        'RESOURCE_DOES_NOT_EXIST',
      ]);
      expect(codeOf(await client.send('GET', 'runs/get'))).toEqual(INVALID_PARAMETER);
    });
  });
}
