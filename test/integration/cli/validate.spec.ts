import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { CatalogServer } from '../../support/catalog-server.js';
import { describeRedis } from '../../support/redis-server.js';
import { Commands } from './commands.js';

let commands: Commands;
beforeEach(async () => {
  commands = await Commands.open();
});
afterEach(() => commands.close());

describe('mlflow-monitor validate', () => {
  it('reports that nothing needs to change, with the settings that are set', async () => {
    const { code, out } = await commands.run(['validate']);
    expect(out).toMatch(/ok +MLFLOW_TRACKING_URI +"http/);
    expect(out).toMatch(/ok +Experiments +2 of 2 are monitored/);
    expect(out).toMatch(/ok +MLflow runs +readable/);
    expect(out).toMatch(/ok +Store +folder .* is writable; conditional writes work/);
    expect(out).toContain('Nothing needs to change.');
    expect(code).toBe(0);
  });

  it('reports all wrong settings at once, without secrets', async () => {
    const wrong = { PORT: 'x', BATCH_SIZE: '0', MLFLOW_TRACKING_PASSWORD: 'geheim' };
    const { code, out } = await commands.run(['validate'], wrong);
    expect(out).toMatch(/change +PORT +is "x"\n +→ Expected a whole number from 0 to 65535\./);
    expect(out).toMatch(/change +BATCH_SIZE +is "0"/);
    expect(out).toMatch(/change +MLFLOW_TRACKING_PASSWORD .*\n +→ Set MLFLOW_TRACKING_USERNAME too\./);
    expect(out).toContain('3 things need to change.');
    expect(out).not.toContain('geheim');
    expect(code).toBe(1);
  });

  it('reports for each connection what to change', async () => {
    await writeFile(
      join(commands.folder, 'c.yaml'),
      'thresholds: [{ metric_name: x, critical_threshold: high }]',
    );
    await writeFile(join(commands.folder, 'file'), '');
    const { code, out } = await commands.run(['validate'], {
      MLFLOW_TRACKING_URI: 'http://127.0.0.1:9',
      STORAGE_DIR: join(commands.folder, 'file'),
      REDIS_URL: 'redis://127.0.0.1:9',
      THRESHOLDS_API_URL: 'file:c.yaml',
      ADMIN_TOKEN_SHA256_FILE: 'file',
    });
    expect(out).toMatch(/change +MLflow +.*\n +→ Start the tracking server/);
    expect(out).toMatch(/change +Store +.*\n +→ Set STORAGE_DIR to a folder/);
    expect(out).toMatch(/change +Queue +.*ECONNREFUSED.*\n +→ Start Redis/);
    expect(out).toMatch(/change +Catalog +thresholds\[0\] is rejected\n +→ Correct critical_threshold/);
    expect(out).toMatch(
      /change +Access +The admin tokens of file .* cannot be read: it holds no token\n +→ Correct/,
    );
    expect(code).toBe(1);
  });

  it('probes each catalog API with the key, and reports which one fails', async () => {
    const catalog = await CatalogServer.start();
    catalog.apiKey = 'right';
    catalog.thresholds = [{ metric_name: 'accuracy', critical_threshold: 'high' }];
    await writeFile(join(commands.folder, 'c.yaml'), 'metrics: [{ metric_name: accuracy }]');
    const apis = {
      METRICS_API_URL: `${catalog.url}/api`,
      THRESHOLDS_API_URL: `${catalog.url}/api/thresholds`,
      API_KEY: 'right',
    };
    const validate = (more = {}) => commands.run(['validate'], { ...apis, ...more });
    try {
      const badRow = await validate();
      expect(badRow.out).toMatch(/ok +Metrics API +http.* responds/);
      expect(badRow.out).toMatch(
        /change +Thresholds API +thresholds\[0\] is rejected\n +→ Correct critical_threshold/,
      );
      expect(catalog.requests).toContainEqual({
        path: '/api/thresholds/batch',
        authorization: 'Bearer right',
        body: { metrics: ['accuracy'], experiments: [expect.any(String)] },
      });
      const wrongKey = await validate({ API_KEY: 'wrong' });
      expect(
        wrongKey.out.match(/change +(Metrics|Thresholds) API +.*401.*\n +→ Correct API_KEY/g),
      ).toHaveLength(2);
      expect(wrongKey.out).not.toContain('wrong"');
      const wrongUrl = await validate({ METRICS_API_URL: `${catalog.url}/nothing` });
      expect(wrongUrl.out).toMatch(/change +Metrics API +.*404.*\n +→ Correct METRICS_API_URL/);
      expect(wrongUrl.out).toMatch(/Thresholds API +.*thresholds\[0\] is rejected/);
      const mixed = await validate({ METRICS_API_URL: 'file:c.yaml' });
      expect(mixed.out).toMatch(/ok +Catalog +1 metrics\n/);
      expect([badRow.code, wrongKey.code, wrongUrl.code, mixed.code]).toEqual([1, 1, 1, 1]);
      catalog.thresholds = [];
      const corrected = await validate();
      expect([corrected.code, corrected.out]).toEqual([
        0,
        expect.stringMatching(/ok +Thresholds API +http.* responds/),
      ]);
    } finally {
      await catalog.close();
    }
  });

  it('accepts a store that a running service owns', async () => {
    const service = await commands.openService();
    const { code, out } = await commands.run(['validate']);
    await service.close();
    expect(out).toMatch(
      new RegExp(`note +Store +not tested: .* is in use by process ${process.pid}\n +→ This is fine`),
    );
    expect(code).toBe(0);
  });

  it('reports experiment patterns that match nothing', async () => {
    const { code, out } = await commands.run(['validate'], { EXPERIMENT_INCLUDE: 'fraud*' });
    expect([code, out]).toEqual([1, expect.stringMatching(/change +Experiments +none of 2 match/)]);
  });

  it('reports missing permission to read runs', async () => {
    commands.mlflow.intercept = ({ path }) =>
      path === 'runs/search' ? { status: 403, body: '{}' } : undefined;
    const { code, out } = await commands.run(['validate']);
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(
        /→ Give the user of the MLFLOW_TRACKING_… settings the permission READ on all experiments and their runs\./,
      ),
    ]);
  });

  it('reports a store that belongs to another tracking server', async () => {
    await (await commands.openServiceWithHistory()).close();
    const defaultExperiment = commands.mlflow.experiments.get('0');
    if (defaultExperiment) defaultExperiment.creation_time += 1;
    const { code, out } = await commands.run(['validate']);
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(/change +Store +belongs to another tracking server: http/),
    ]);
  });
});

describeRedis('mlflow-monitor validate with Redis', (server, another) => {
  it('says what to change if it evicts jobs', async () => {
    const evicting = await another();
    try {
      const redis = new Redis(evicting.url);
      await redis.config('SET', 'maxmemory-policy', 'volatile-ttl');
      redis.disconnect();
      const { code, out } = await commands.run(['validate'], { REDIS_URL: evicting.url });
      expect(out).toMatch(
        /change +Queue +.*maxmemory-policy volatile-ttl: it deletes jobs.*\n +→ Set maxmemory-policy/,
      );
      expect(code).toBe(1);
    } finally {
      await evicting.stop();
    }
  });

  it('checks its version and its eviction policy', async () => {
    const { code, out } = await commands.run(['validate'], { REDIS_URL: server().url });
    expect(out).toMatch(/ok +Queue +(Redis|Valkey) \d+\.\d+/);
    expect(out).toMatch(/ok +Queue memory +maxmemory-policy noeviction/);
    expect(code).toBe(0);
  });
});
