import { decimal, flag, patterns, settingInfo, text, textLike, urlOf, whole } from './setting.js';

const HTTP = ['http', 'https'];

export const mlflowSettings = {
  MLFLOW_TRACKING_URI: urlOf(HTTP, 'http://localhost:5000').register(settingInfo, {
    unit: 'URL',
    meaning: 'Address of the MLflow tracking server. The only setting without which nothing starts.',
  }),
  MLFLOW_TRACKING_USERNAME: text().optional().register(settingInfo, {
    unit: 'text',
    meaning: 'User name for HTTP Basic authentication at the tracking server.',
  }),
  MLFLOW_TRACKING_PASSWORD: text().optional().register(settingInfo, {
    unit: 'text',
    meaning: 'Password that goes with `MLFLOW_TRACKING_USERNAME`.',
    secret: true,
  }),
  MLFLOW_TRACKING_TOKEN: text().optional().register(settingInfo, {
    unit: 'text',
    meaning: 'Bearer token for the tracking server; user name and password go before it.',
    secret: true,
  }),
  MLFLOW_TRACKING_INSECURE_TLS: flag().prefault('false').register(settingInfo, {
    unit: 'true or false',
    meaning: 'Do not verify the TLS certificate of the tracking server.',
  }),
  MLFLOW_TRACKING_SERVER_CERT_PATH: text().optional().register(settingInfo, {
    unit: 'file',
    meaning: 'PEM file of the authorities that may sign the certificate of the tracking server.',
  }),
  MLFLOW_TRACKING_CLIENT_CERT_PATH: text().optional().register(settingInfo, {
    unit: 'file',
    meaning: 'PEM file with the client certificate and its key, for mutual TLS.',
  }),
  MLFLOW_HTTP_REQUEST_MAX_RETRIES: whole(0, 10, 'retries').optional().register(settingInfo, {
    unit: 'retries',
    meaning: 'Retries of a request to the tracking server. Unset: `MAX_RETRIES`.',
  }),
  MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR: decimal(0, 120, 'seconds').prefault('2').register(settingInfo, {
    unit: 'seconds',
    meaning:
      'The wait between two tries of a request to the tracking server: this × 2 to the power of the tries made so far.',
  }),
  MLFLOW_HTTP_REQUEST_TIMEOUT: whole(1, 3600, 'seconds').optional().register(settingInfo, {
    unit: 'seconds',
    meaning: 'The longest silence of the tracking server within a request. Unset: `TIMEOUT`.',
  }),
  MLFLOW_CONCURRENCY: whole(1, 32, 'requests').prefault('2').register(settingInfo, {
    unit: 'requests',
    meaning: 'Requests to the tracking server at the same time.',
  }),
  MLFLOW_UI_URL: urlOf(HTTP, 'https://mlflow.example.com').optional().register(settingInfo, {
    unit: 'URL',
    meaning: 'Address of MLflow for links, where the tracking address is not one that a browser can open.',
  }),
  BATCH_SIZE: whole(1, 50_000, 'runs').prefault('100').register(settingInfo, {
    unit: 'runs',
    meaning:
      'Page size of delta and backup. When it is set, it is also an upper bound for `HISTORICAL_BATCH_SIZE`.',
  }),
  MAX_RESULTS_PER_PAGE: whole(1, 50_000, 'runs').optional().register(settingInfo, {
    unit: 'runs',
    meaning: 'Another name of `BATCH_SIZE`.',
  }),
  HISTORICAL_BATCH_SIZE: whole(1, 50_000, 'runs').prefault('1000').register(settingInfo, {
    unit: 'runs',
    meaning: 'Page size of the other kinds of pipeline runs.',
  }),
  MAX_RETRIES: whole(0, 20, 'retries').prefault('5').register(settingInfo, {
    unit: 'retries',
    meaning:
      "Retries of a request to the catalog or the store, and to MLflow where MLflow's own variable is unset.",
  }),
  TIMEOUT: whole(1, 3600, 'seconds').prefault('60').register(settingInfo, {
    unit: 'seconds',
    meaning:
      "The longest silence within a request to the store, and to MLflow where MLflow's own variable is unset; the longest request to the catalog.",
  }),
};

const catalogUrl = () =>
  textLike(
    /^(file:.+|https?:\/\/[^/@?#\s]+(\/[^?#\s]*)?)$/i,
    '`file:` and the path of a JSON or YAML file, such as file:./catalog.yaml, or an address such as https://catalog.example.com/api (the key goes into API_KEY)',
  );

export const catalogSettings = {
  METRICS_API_URL: catalogUrl().optional().register(settingInfo, {
    unit: 'URL',
    meaning:
      'The metadata of the metrics: `file:` and the path of a JSON or YAML file, or the address of an API, to which `/metrics/batch` is appended (`/batch` if it ends in `/metrics`). Unset: metrics have no metadata.',
  }),
  THRESHOLDS_API_URL: catalogUrl().optional().register(settingInfo, {
    unit: 'URL',
    meaning:
      'The thresholds of the metrics, like `METRICS_API_URL` (`/thresholds/batch`); one file may serve both. Unset: metrics are `unmonitored`.',
  }),
  API_KEY: text().optional().register(settingInfo, {
    unit: 'text',
    meaning: 'Bearer token for catalogs behind HTTP; files need none.',
    secret: true,
  }),
  CATALOG_CACHE_TTL_SECONDS: whole(0, 86_400, 'seconds').prefault('300').register(settingInfo, {
    unit: 'seconds',
    meaning: 'How long what the catalog answered serves without being asked again.',
  }),
};

export const scopeSettings = {
  APPLICATION_TAG: text().prefault('application').register(settingInfo, {
    unit: 'name',
    meaning: 'The tag of a run, else of its experiment, that names its application.',
  }),
  EXPERIMENT_INCLUDE: patterns().prefault('').register(settingInfo, {
    unit: 'patterns',
    meaning:
      'Names of the experiments to watch, separated by commas; `*` and `?` as in file names. Unset: all.',
  }),
  EXPERIMENT_EXCLUDE: patterns().prefault('').register(settingInfo, {
    unit: 'patterns',
    meaning: 'Names of experiments to leave out; goes before `EXPERIMENT_INCLUDE`.',
  }),
  METRIC_INCLUDE: patterns().prefault('').register(settingInfo, {
    unit: 'patterns',
    meaning: 'Names of the metrics to publish. Unset: all.',
  }),
  METRIC_EXCLUDE: patterns().prefault('system/*').register(settingInfo, {
    unit: 'patterns',
    meaning:
      'Names of metrics to leave out; goes before `METRIC_INCLUDE`. To leave out none, give a name that none has, such as `-`.',
  }),
  COUNT_NESTED_RUNS: flag().prefault('false').register(settingInfo, {
    unit: 'true or false',
    meaning: 'Count the children of other runs (`mlflow.parentRunId`) like any other run.',
  }),
  JUDGE_RUNNING: flag().prefault('false').register(settingInfo, {
    unit: 'true or false',
    meaning: 'Count runs that have not ended yet. For one run: its tag `monitor.judge=running`.',
  }),
};

const hours = (max: number) => whole(1, max, 'hours');
const percent = () => decimal(0, 100, 'percent');

export const judgingSettings = {
  MOVING_AVERAGE_WINDOW_HOURS: hours(168).prefault('24').register(settingInfo, {
    unit: 'hours',
    meaning: 'The span of the moving average that ends with a point.',
  }),
  LIGHT_SPAN_HOURS: hours(84).prefault('24').register(settingInfo, {
    unit: 'hours',
    meaning: 'The span over which a traffic light is decided.',
  }),
  CRITICAL_RUNS_PERCENT: percent().prefault('20').register(settingInfo, {
    unit: 'percent',
    meaning: 'More critical runs than this, of the evaluated ones: the light is critical.',
  }),
  PASS_RATE_PERCENT: percent().prefault('80').register(settingInfo, {
    unit: 'percent',
    meaning: 'A pass rate below it: the light is critical. A strict pass rate below it: warning.',
  }),
  WARNING_RUNS_PERCENT: percent().prefault('5').register(settingInfo, {
    unit: 'percent',
    meaning: 'More critical and invalid runs than this, of the evaluated ones: the light is warning.',
  }),
  FAILED_RUNS_PERCENT: percent().prefault('50').register(settingInfo, {
    unit: 'percent',
    meaning: 'More failed and killed runs than this, of all: the light is warning.',
  }),
  REEVALUATE_DAYS: whole(0, 3650, 'days').prefault('7').register(settingInfo, {
    unit: 'days',
    meaning: 'How many days back a change of a threshold or of a rule is applied to stored runs.',
  }),
};
