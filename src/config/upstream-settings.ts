import {
  decimal,
  flag,
  headers,
  oneOf,
  parts,
  proxyUrl,
  settingInfo,
  text,
  textLike,
  urlOf,
  whole,
} from './setting.js';

const HTTP = ['http', 'https'];

export const mlflowSettings = {
  MLFLOW_TRACKING_URI: urlOf(HTTP, 'http://localhost:5000', ['query']).register(settingInfo, {
    unit: 'URL',
    meaning: 'Address of the MLflow tracking server. The only required setting.',
  }),
  MLFLOW_TRACKING_TOKEN: text().optional().register(settingInfo, {
    unit: 'text',
    meaning: 'Bearer token for the tracking server. User name and password take precedence.',
    secret: true,
  }),
  MLFLOW_TRACKING_USERNAME: text().optional().register(settingInfo, {
    unit: 'text',
    meaning: 'User name for HTTP Basic authentication with the tracking server.',
  }),
  MLFLOW_TRACKING_PASSWORD: text().optional().register(settingInfo, {
    unit: 'text',
    meaning: 'Password for `MLFLOW_TRACKING_USERNAME`.',
    secret: true,
  }),
  MLFLOW_UI_URL: urlOf(HTTP, 'https://mlflow.example.com', ['query', 'credentials'])
    .optional()
    .register(settingInfo, {
      unit: 'URL',
      meaning:
        'Address of MLflow for links, if browsers cannot open the tracking URI. Everyone who opens the page sees it. Unset: `MLFLOW_TRACKING_URI`.',
    }),
  TAG_WRITEBACK: oneOf('off', 'model-version').prefault('off').register(settingInfo, {
    unit: 'off or model-version',
    meaning:
      '`model-version`: write the verdict of the gate on each new model version as its tag `monitor.verdict`, so that webhooks of MLflow can start what comes next. Nothing else is ever written to MLflow.',
  }),
  MLFLOW_WORKSPACE: textLike(
    /^(?=.{2,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    'the name of a workspace: 2 to 63 lower-case letters, digits and hyphens',
  )
    .optional()
    .register(settingInfo, {
      unit: 'name',
      meaning:
        'Workspace to monitor, if the tracking server has workspaces. Each needs a store of its own. Unset: the one that the server chooses, `default`.',
    }),
  MLFLOW_TRACKING_HEADERS: headers().optional().register(settingInfo, {
    unit: 'list',
    meaning:
      'Additional headers of all requests to the tracking server, for what stands in front of it, such as an identity-aware proxy: `CF-Access-Client-Id=…,CF-Access-Client-Secret=…`. Percent-encode commas and spaces in values.',
    secret: true,
  }),
  MLFLOW_TRACKING_SERVER_CERT_PATH: text().optional().register(settingInfo, {
    unit: 'file or folder',
    meaning:
      "PEM file, or folder of such files, with the certificate authorities trusted to sign the tracking server's certificate. Unset: `REQUESTS_CA_BUNDLE`, else `CURL_CA_BUNDLE`, else those of Node.js (and of `NODE_EXTRA_CA_CERTS`).",
  }),
  MLFLOW_TRACKING_CLIENT_CERT_PATH: text().optional().register(settingInfo, {
    unit: 'file',
    meaning: 'PEM file with client certificate and key, for mutual TLS.',
  }),
  MLFLOW_TRACKING_INSECURE_TLS: flag().prefault('false').register(settingInfo, {
    unit: 'true or false',
    meaning: "Do not verify the tracking server's TLS certificate.",
  }),
  REQUESTS_CA_BUNDLE: text().optional().register(settingInfo, {
    unit: 'file or folder',
    meaning: 'The same as `MLFLOW_TRACKING_SERVER_CERT_PATH`, which takes precedence.',
  }),
  CURL_CA_BUNDLE: text().optional().register(settingInfo, {
    unit: 'file or folder',
    meaning: 'The same as `REQUESTS_CA_BUNDLE`, which takes precedence.',
  }),
};

const catalogUrl = () =>
  textLike(
    /^(file:.+|https?:\/\/[^/@?#\s]+(\/[^?#\s]*)?)$/i,
    '`file:` and the path of a JSON or YAML file, such as file:./catalog.yaml, or a URL such as https://catalog.example.com/api (its key goes into API_KEY)',
  );

export const catalogSettings = {
  METRICS_API_URL: catalogUrl().optional().register(settingInfo, {
    unit: 'URL',
    meaning:
      'Metadata of the metrics: `file:` and the path of a JSON or YAML file, or the URL of an API. `/metrics/batch` is appended to the URL (`/batch` if it ends in `/metrics`). Unset: metrics have no metadata.',
  }),
  THRESHOLDS_API_URL: catalogUrl().optional().register(settingInfo, {
    unit: 'URL',
    meaning:
      'Thresholds of the metrics, in the same form (`/thresholds/batch` is appended). One file can hold both. Unset: metrics are `unmonitored`.',
  }),
  API_KEY: text().optional().register(settingInfo, {
    unit: 'text',
    meaning: 'Bearer token for catalog APIs. Not used for files.',
    secret: true,
  }),
  CATALOG_CACHE_TTL_SECONDS: whole(0, 86_400, 'seconds').prefault('300').register(settingInfo, {
    unit: 'seconds',
    meaning: 'How long catalog responses are cached.',
  }),
};

export const requestSettings = {
  MAX_RETRIES: whole(0, 20, 'retries').prefault('5').register(settingInfo, {
    unit: 'retries',
    meaning:
      'Retries per request to the catalog, the store and MLflow. For MLflow, `MLFLOW_HTTP_REQUEST_MAX_RETRIES` takes precedence.',
  }),
  TIMEOUT: whole(1, 3600, 'seconds').prefault('60').register(settingInfo, {
    unit: 'seconds',
    meaning:
      'How long a request to the store or MLflow may receive nothing before it times out; for the catalog, the limit of the whole request. For MLflow, `MLFLOW_HTTP_REQUEST_TIMEOUT` takes precedence.',
  }),
  BATCH_SIZE: whole(1, 50_000, 'runs').prefault('100').register(settingInfo, {
    unit: 'runs',
    meaning:
      'Page size of delta and backup runs. If set, it is also an upper limit of `HISTORICAL_BATCH_SIZE`.',
  }),
  HISTORICAL_BATCH_SIZE: whole(1, 50_000, 'runs').prefault('1000').register(settingInfo, {
    unit: 'runs',
    meaning: 'Page size of all other pipeline runs.',
  }),
  MAX_PAGE_MB: whole(1, 1024, 'MiB').prefault('32').register(settingInfo, {
    unit: 'MiB',
    meaning:
      'Largest response of the tracking server. A larger one is cut off and requested again with fewer runs; a single run beyond it is quarantined.',
  }),
  MLFLOW_MAX_RPS: decimal(0.1, 1_000, 'a number of requests per second').optional().register(settingInfo, {
    unit: 'requests/s',
    meaning:
      'How many requests per second this process sends to the tracking server at most, retries included. Hosted servers have limits: Databricks allows 7 searches per second for a workspace. Unset: no limit.',
  }),
  MLFLOW_HTTP_REQUEST_MAX_RETRIES: whole(0, 10, 'retries').optional().register(settingInfo, {
    unit: 'retries',
    meaning: 'Retries per request to the tracking server. Unset: `MAX_RETRIES`.',
  }),
  MLFLOW_HTTP_REQUEST_TIMEOUT: whole(1, 3600, 'seconds').optional().register(settingInfo, {
    unit: 'seconds',
    meaning:
      'How long a request to the tracking server may receive nothing before it times out. Unset: `TIMEOUT`.',
  }),
  MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR: decimal(0, 120, 'a number of seconds')
    .prefault('2')
    .register(settingInfo, {
      unit: 'seconds',
      meaning:
        'Exponential backoff for requests to the tracking server: the wait before a retry is at most this value × 2^(retries so far).',
    }),
  HTTP_PROXY: proxyUrl().optional().register(settingInfo, {
    unit: 'URL',
    meaning:
      'Proxy for requests to `http:` addresses of MLflow and the catalog, such as `http://user:password@proxy.example.com:3128`. Loopback addresses are requested directly. As for the two below, the name in lower case takes precedence.',
  }),
  HTTPS_PROXY: proxyUrl().optional().register(settingInfo, {
    unit: 'URL',
    meaning: 'Proxy for requests to `https:` addresses of MLflow and the catalog.',
  }),
  NO_PROXY: text().transform(parts).prefault('').register(settingInfo, {
    unit: 'list',
    meaning:
      'Hosts that are requested without a proxy, separated by commas: names, which include those below them, addresses, networks such as `10.0.0.0/8`, or `*`.',
  }),
  STAGE_TRIES: whole(1, 100, 'tries').prefault('5').register(settingInfo, {
    unit: 'tries',
    meaning: 'Attempts per stage of a slice before its pipeline run fails.',
  }),
};

export const aliasSettings = {
  MAX_RESULTS_PER_PAGE: whole(1, 50_000, 'runs').optional().register(settingInfo, {
    unit: 'runs',
    meaning: 'Alias of `BATCH_SIZE`.',
  }),
};
