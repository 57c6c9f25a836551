import {
  accessFinding,
  catalogFindings,
  clockSkew,
  experimentsFound,
  findingsTable,
  installationsFound,
  mlflowVersion,
  redisServer,
  storeFinding,
  verdict,
  versionFindings,
} from '../../../src/cli/findings.js';
import { parseInfo } from '../../../src/queue/redis-info.js';

describe('the findings of validate', () => {
  it.each([
    ['3.17.0', 'ok'],
    ['2.22.1', 'note'],
    ['4.0.0', 'note'],
    ['1.30.0', 'change'],
    [undefined, 'note'],
    ['<html>', 'note'],
  ])('MLflow version %s: %s', (version, state) => {
    expect(mlflowVersion(version).state).toBe(state);
  });

  it.each([
    [100_000, 'ok', 'in sync'],
    [108_000, 'ok', 'in sync'],
    // In whole seconds, so the response may be of 99,999 ms.
    [99_000, 'ok', 'in sync'],
    [138_000, 'note', '30 s ahead'],
    [39_000, 'note', '60 s behind'],
    [169_000, 'change', '61 s ahead'],
    [38_000, 'change', '61 s behind'],
  ])('clock of a server that dates a request from 100,000 to 108,000 ms as %d: %s', (date, state, found) => {
    expect(clockSkew(date, 100_000, 108_000)).toMatchObject({ state, found: expect.stringContaining(found) });
  });

  it('experiments: whether any are monitored', () => {
    expect(experimentsFound(0, 0)).toMatchObject({ state: 'change', found: 'none are listed' });
    expect(experimentsFound(12, 0).todo).toContain('EXPERIMENT_INCLUDE');
    expect(experimentsFound(12, 3)).toMatchObject({ state: 'ok', found: '3 of 12 are monitored' });
  });

  it('installations that share Redis, also one of an older version', () => {
    expect(installationsFound('{mlflow-monitor-a}', [])).toEqual([]);
    expect(installationsFound('{mlflow-monitor-a}', ['{mlflow-monitor-b}', '{mlflow-monitor}'])).toEqual([
      expect.objectContaining({
        state: 'note',
        found:
          'this installation: {mlflow-monitor-a}; others on this Redis: {mlflow-monitor-b}, {mlflow-monitor} (an older version)',
      }),
    ]);
  });

  it('Redis: its version and its eviction policy', () => {
    const info = (text: string) => redisServer(parseInfo(text)).map(({ state, found }) => [state, found]);
    expect(info('# Server\r\nredis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\n')).toEqual([
      ['ok', 'Redis 7.0.15'],
      ['ok', 'maxmemory-policy noeviction'],
    ]);
    expect(info('valkey_version:8.0.1\nredis_version:7.2.4')[0]).toEqual(['ok', 'Valkey 8.0.1']);
    expect(info('redis_version:6.0.16\nmaxmemory_policy:noeviction')[0]?.[0]).toBe('change');
    expect(info('redis_version:6.2.0\nmaxmemory_policy:noeviction')[0]?.[0]).toBe('ok');
  });

  it('store: whether several processes can use it', () => {
    expect(storeFinding('s3://b', undefined)).toMatchObject({ state: 'ok' });
    const found = storeFinding('s3://b', '8 of 8 puts won');
    expect(found).toMatchObject({ state: 'note', found: expect.stringContaining('8 of 8 puts won') });
    expect(found.todo).toContain('exactly one process');
  });

  it('catalog: rejected rows, and limits that cannot be applied', () => {
    const facts = { metrics: 2, thresholds: 3, rejectedRows: [], undirected: [] };
    expect(catalogFindings(facts)).toMatchObject([{ state: 'ok', found: '2 metrics, 3 thresholds' }]);
    expect(catalogFindings({ ...facts, thresholds: 0 })[0]).toMatchObject({ state: 'note' });
    expect(catalogFindings({ ...facts, thresholds: null })).toMatchObject([
      { state: 'ok', found: '2 metrics' },
    ]);
    const rejectedRows = Array.from({ length: 7 }, (_, index) => ({
      list: 'thresholds' as const,
      index,
      metric_name: null,
      experiment_id: null,
      problem: 'metric_name: missing',
    }));
    const found = catalogFindings({ ...facts, rejectedRows, undirected: ['entropy'] });
    expect(found.filter(({ state }) => state === 'change').map(({ found: text }) => text)).toEqual([
      ...[0, 1, 2, 3, 4].map((i) => `thresholds[${i}] is rejected`),
      '2 more rows are rejected',
      'limits without a direction, which cannot be applied: entropy',
    ]);
  });

  it('access', () => {
    const found =
      'this machine only can read (HOST is 127.0.0.1); admin requests require the token in data/t';
    expect(accessFinding('127.0.0.1', true, undefined, 'data/t')).toMatchObject({ state: 'ok', found });
    expect(accessFinding('0.0.0.0', false, undefined, 'data/t')).toMatchObject({ state: 'note' });
    expect(accessFinding('0.0.0.0', false, 2, 'data/t')).toMatchObject({
      state: 'ok',
      found: 'admin requests require a token; 2 configured',
    });
  });

  it('versions of the store', () => {
    const own = { rules: 2, schema: 1 };
    expect(versionFindings({ rules: 1, schema: 1 }, own)).toEqual([]);
    expect(versionFindings({ rules: 2, schema: 2 }, own)).toMatchObject([{ state: 'change', what: 'Store' }]);
  });

  it('are aligned in columns, followed by the number of changes', () => {
    const rows = [
      { state: 'ok', what: 'MLflow', found: 'responds' },
      { state: 'change', what: 'Queue memory', found: 'x', todo: 'Do.' },
    ] as const;
    expect(findingsTable(rows)).toBe(
      [
        'ok      MLflow        responds',
        'change  Queue memory  x',
        `${' '.repeat('change  Queue memory  '.length)}→ Do.`,
      ].join('\n'),
    );
    const hostile = { state: 'ok', what: 'MLflow', found: 'a\u001b[2J\nok      Access  fine' } as const;
    expect(findingsTable([hostile])).toBe('ok      MLflow  a\\u001b[2J\n    ok      Access  fine');
    expect(verdict(rows)).toBe('1 thing needs to change.');
    expect(verdict(rows.slice(0, 1))).toBe('Nothing needs to change.');
  });
});
