import type { SettingsProblem } from '../../../src/config/contradictions.js';
import { loadSettings, type Settings, SettingsError } from '../../../src/config/settings.js';

const MLFLOW_TRACKING_URI = 'http://localhost:5000';
const load = (env: Record<string, string> = {}): Settings => loadSettings({ MLFLOW_TRACKING_URI, ...env });
const problemsOf = (env: Record<string, string>): readonly SettingsProblem[] => {
  try {
    load(env);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
};

describe('a wrong setting', () => {
  it.each([
    ['PORT', '65536', 'a whole number from 0 to 65535'],
    ['PORT', '3000.5', 'a whole number from 0 to 65535'],
    ['BATCH_SIZE', '0', 'a whole number of runs from 1 to 50000'],
    ['BATCH_SIZE', '-1', 'a whole number of runs from 1 to 50000'],
    ['BATCH_SIZE', '1e3', 'a whole number of runs from 1 to 50000'],
    ['LOG_LEVEL', 'INFO', 'one of error, warn, info, debug, verbose'],
    ['ROLES', 'api,master', 'a comma-separated list of api, worker, scheduler'],
    ['ROLES', ',', 'a comma-separated list of api, worker, scheduler'],
    ['JUDGE_RUNNING', 'yes', 'true or false'],
    ['COUNT_NESTED_RUNS', 'yes', 'true, false or a comma-separated list of names'],
    ['COUNT_NESTED_RUNS', 'true,hpo/*', 'true, false or a comma-separated list of names'],
    ['COUNT_NESTED_RUNS', ',', 'true, false or a comma-separated list of names'],
    ['MLFLOW_TRACKING_URI', 'localhost:5000', 'a URL such as http://localhost:5000'],
    ['MLFLOW_TRACKING_URI', 'sqlite:///mlflow.db', 'a URL such as http://localhost:5000'],
    ['MLFLOW_TRACKING_URI', 'http://', 'a URL such as http://localhost:5000'],
    ['REDIS_URL', 'localhost:6379', 'a URL such as redis://localhost:6379'],
    ['HISTORICAL_SCHEDULE_CRON', 'daily', 'a cron expression such as "0 2 * * *"'],
    ['HISTORICAL_SCHEDULE_CRON', '0 25 * * *', 'a cron expression such as "0 2 * * *"'],
    // 30 February never comes: every computation of its next time would fail.
    ['HISTORICAL_SCHEDULE_CRON', '0 0 30 2 *', 'a cron expression such as "0 2 * * *"'],
    ['SCHEDULE_TIMEZONE', 'Mars/Olympus', 'an IANA time zone such as UTC or Europe/Berlin'],
    ['DUCKDB_MEMORY_LIMIT', '80%', 'a size such as 1GB or 512MB'],
    ['PUBLIC_URL', 'https://tools.example/app/', 'a URL such as https://tools.example.com/monitor/'],
    ['PUBLIC_URL', 'tools.example/monitor', 'a URL such as https://tools.example.com/monitor/'],
    ['THRESHOLDS_API_URL', 'catalog.yaml', '`file:` and the path of a JSON or YAML file'],
  ])('%s=%s is reported with the expected form', (name, value, expected) => {
    expect(problemsOf({ [name]: value })).toEqual([
      {
        name,
        problem: `is ${JSON.stringify(value)}`,
        remedy: expect.stringContaining(`expected ${expected}`),
      },
    ]);
  });

  it('does not hide other problems, of single settings or of combinations', () => {
    const problems = problemsOf({
      PORT: 'x',
      LOG_LEVEL: 'loud',
      MLFLOW_TRACKING_PASSWORD: 'hunter2',
      QUEUE_BACKEND: 'redis',
      BATCH_SIZE: '10',
      MAX_RESULTS_PER_PAGE: '20',
    });
    expect(problems.map(({ name }) => name).sort()).toEqual([
      'BATCH_SIZE',
      'LOG_LEVEL',
      'MLFLOW_TRACKING_PASSWORD',
      'PORT',
      'QUEUE_BACKEND',
    ]);
  });

  it('does not hide that the tracking server is missing', () => {
    expect(problemsOf({ MLFLOW_TRACKING_URI: '', PORT: 'x' })).toMatchObject([
      {
        name: 'MLFLOW_TRACKING_URI',
        problem: 'is missing',
        remedy: expect.stringContaining('http://localhost:5000'),
      },
      { name: 'PORT', problem: 'is "x"' },
    ]);
  });

  it('is part of one message that lists all of them', () => {
    expect(() => load({ PORT: 'x', LOG_LEVEL: 'y' })).toThrow(
      /^These settings are wrong:\n {2}PORT is "x": expected .*\n {2}LOG_LEVEL is "y": expected [^\n]*$/,
    );
  });
});

describe('a secret', () => {
  it.each([
    ['MLFLOW_TRACKING_URI', 'ftp://me:hunter2@host'],
    ['MLFLOW_TRACKING_URI', 'me:hunter2@host:5000'],
    ['MLFLOW_TRACKING_URI', 'ftp://me:hunter2@more@host'],
    ['MLFLOW_TRACKING_URI', 'ftp://me:more/hunter2@host'],
    ['MLFLOW_TRACKING_URI', 'http://me:hunter2@host:99999'],
    ['MLFLOW_TRACKING_URI', 'http://me:hunter2%@host'],
    ['REDIS_URL', 'redis//:hunter2@host'],
    ['THRESHOLDS_API_URL', 'https://catalog/api?key=hunter2'],
    ['THRESHOLDS_API_URL', 'https://catalog/api#hunter2'],
  ])('in %s=%s is not printed; the rest is', (name, value) => {
    const [problem, ...others] = problemsOf({ [name]: value });
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ name, problem: expect.stringMatching(/^is ".*(host|catalog)/) });
    expect(JSON.stringify(problem)).not.toMatch(/hunter2|more/);
  });

  it.each(['MLFLOW_TRACKING_PASSWORD', 'MLFLOW_TRACKING_TOKEN', 'API_KEY'])('%s is never printed', (name) => {
    expect(JSON.stringify(problemsOf({ [name]: 'hunter2', PORT: 'x' }))).not.toContain('hunter2');
  });
});
