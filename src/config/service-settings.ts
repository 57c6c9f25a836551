import {
  cronExpression,
  flag,
  hostNames,
  listOf,
  oneOf,
  publicUrl,
  retention,
  settingInfo,
  text,
  textLike,
  timezone,
  urlOf,
  whole,
} from './setting.js';

export const ROLES = ['api', 'worker', 'scheduler'] as const;
export type Role = (typeof ROLES)[number];

export const QUEUE_BACKENDS = ['redis', 'embedded'] as const;
export type QueueBackend = (typeof QUEUE_BACKENDS)[number];

export const storeSettings = {
  STORAGE_DIR: text().prefault('./data').register(settingInfo, {
    unit: 'folder',
    meaning:
      'Folder for all data. With `S3_BUCKET` it holds only temporary files and local copies. Only one process at a time can use it.',
  }),
  S3_BUCKET: textLike(
    /^(arn:[A-Za-z0-9:/._-]+|[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9])$/,
    'the name of a bucket such as my-metrics, without s3:// and without a path',
  )
    .optional()
    .register(settingInfo, {
      unit: 'name',
      meaning:
        'Bucket for all data. Unset: data is stored in `STORAGE_DIR`. Credentials come from the usual AWS sources: AWS environment variables, the AWS profile, or the role of the machine.',
    }),
  S3_PREFIX: textLike(
    /^[A-Za-z0-9_.=-]+(\/[A-Za-z0-9_.=-]+)*$/,
    'a path of letters, digits and _ . = - with slashes between its parts',
  )
    .optional()
    .register(settingInfo, {
      unit: 'path',
      meaning: 'Prefix of all keys in the bucket; without a bucket, a path below `STORAGE_DIR`.',
    }),
  S3_ENDPOINT: urlOf(['http', 'https'], 'http://localhost:9000', ['query', 'credentials'])
    .optional()
    .register(settingInfo, {
      unit: 'URL',
      meaning: 'Address of an S3-compatible store. Unset: Amazon S3.',
    }),
  AWS_REGION: text().optional().register(settingInfo, {
    unit: 'name',
    meaning:
      'Region of the bucket. Unset: the region of the AWS profile, or `us-east-1` if `S3_ENDPOINT` is set.',
  }),
  S3_FORCE_PATH_STYLE: flag().prefault('false').register(settingInfo, {
    unit: 'true or false',
    meaning: 'Put the bucket into the path of the URL instead of the host name.',
  }),
  S3_SSE: oneOf('AES256', 'aws:kms', 'aws:kms:dsse').optional().register(settingInfo, {
    unit: 'algorithm',
    meaning: 'Server-side encryption of new objects: `AES256`, `aws:kms` or `aws:kms:dsse`.',
  }),
  S3_SSE_KMS_KEY_ID: text().optional().register(settingInfo, {
    unit: 'key id',
    meaning: 'KMS key for `S3_SSE=aws:kms` or `S3_SSE=aws:kms:dsse`.',
  }),
  S3_CHECKSUM_MODE: oneOf('WHEN_SUPPORTED', 'WHEN_REQUIRED')
    .prefault('WHEN_SUPPORTED')
    .register(settingInfo, {
      unit: 'mode',
      meaning: 'Set `WHEN_REQUIRED` for stores that reject the checksums of newer AWS clients.',
    }),
  PARTITION_FILES: whole(1, 64, 'files').prefault('1').register(settingInfo, {
    unit: 'files',
    meaning:
      'Files per day of each dataset with an application, and of the facts. With more, a change rewrites less of a large day, and several processes share the work on it. A new value applies to later days. That of the scheduler that started last counts.',
  }),
  RETENTION_DAYS: retention().prefault('_raw=3').register(settingInfo, {
    unit: 'list',
    meaning:
      'How many days before today are kept, by name: `runs=365,enriched_metrics=365,_base=400`. Names are those of the datasets, `_base` (facts), `_audit` and `_raw` (pages of MLflow, days after their pipeline run). Unnamed: kept for ever, `_raw` for 3 days. Deleted days are not published again: [storage.md](storage.md#retention).',
  }),
  ALLOW_SOURCE_CHANGE: flag().prefault('false').register(settingInfo, {
    unit: 'true or false',
    meaning:
      'Start with a store that belongs to another tracking server. Set it for a single start after the server has moved.',
  }),
};

export const serverSettings = {
  PORT: whole(0, 65_535).prefault('3000').register(settingInfo, {
    unit: 'port',
    meaning: 'Port of the HTTP server. `0` picks a free port.',
  }),
  HOST: text().prefault('127.0.0.1').register(settingInfo, {
    unit: 'address',
    meaning: 'Address the HTTP server listens on. The container image sets `0.0.0.0`.',
  }),
  LOG_LEVEL: oneOf('error', 'warn', 'info', 'debug', 'verbose').prefault('info').register(settingInfo, {
    unit: 'level',
    meaning: 'Least severe level to log: `error`, `warn`, `info`, `debug` or `verbose`.',
  }),
  LOG_FORMAT: oneOf('auto', 'pretty', 'json').prefault('auto').register(settingInfo, {
    unit: 'format',
    meaning:
      '`pretty`, `json` or `auto`. `auto` is `pretty` on a terminal, and `json` elsewhere or with `NODE_ENV=production`.',
  }),
  ROLES: listOf(...ROLES)
    .prefault(ROLES.join(','))
    .register(settingInfo, {
      unit: 'list',
      meaning: 'What this process runs: `api`, `worker`, `scheduler`.',
    }),
  NODE_ENV: text().optional().register(settingInfo, {
    unit: 'name',
    meaning:
      '`production` logs JSON lines and requires an explicit choice of the queue (`REDIS_URL` or `QUEUE_BACKEND=embedded`).',
  }),
};

export const accessSettings = {
  ADMIN_TOKEN_SHA256_FILE: text().optional().register(settingInfo, {
    unit: 'file',
    meaning:
      'File with one line per admin token: its SHA-256 (hex) and its name; `mlflow-monitor token` prints one. Unset: the token in `STORAGE_DIR/admin-token`, which the first start creates.',
  }),
  ALLOWED_HOSTS: hostNames().prefault('').register(settingInfo, {
    unit: 'list',
    meaning:
      'Host names under which browsers may open the service, without their ports. Loopback names are always allowed; if `HOST` is not a loopback address, also IP addresses, names without a dot, and names below `.local`, `.internal`, `.svc` and `.localhost`. `*` allows all.',
  }),
  PUBLIC_URL: publicUrl().optional().register(settingInfo, {
    unit: 'URL',
    meaning:
      'Address under which people open the page, such as `https://tools.example.com/monitor/`: for links in alerts, and for the proxy in front ([access.md](access.md#behind-a-proxy)). Its host is allowed as if it were in `ALLOWED_HOSTS`. Unset: alerts have no links to the page.',
  }),
  ADMIN_TOKEN: text().optional().register(settingInfo, {
    unit: 'text',
    meaning:
      'Admin token for commands with `--url`. The service does not read it. Unset: for a loopback address, the token in `STORAGE_DIR/admin-token`.',
    secret: true,
  }),
  VIEWER_TOKEN: text().optional().register(settingInfo, {
    unit: 'text',
    meaning:
      'Token that `check --url` sends to a proxy with a login: `Authorization: Bearer …`. The service does not read it: reading needs no token.',
    secret: true,
  }),
};

export const queueSettings = {
  REDIS_URL: urlOf(['redis', 'rediss'], 'redis://localhost:6379').optional().register(settingInfo, {
    unit: 'URL',
    meaning:
      'Redis or Valkey for the queues: a server, any node of a cluster, or a Sentinel. Unset: the embedded queue, which supports a single process.',
  }),
  QUEUE_PREFIX: textLike(/^[A-Za-z0-9_.-]{1,64}$/, 'up to 64 letters, digits and _ . -')
    .optional()
    .register(settingInfo, {
      unit: 'name',
      meaning:
        'Name of this installation in Redis: its keys begin with `{mlflow-monitor-NAME}`. All processes of one store need the same. Unset: the id in `_state/store.json`, which differs for each store.',
    }),
  QUEUE_BACKEND: oneOf(...QUEUE_BACKENDS)
    .optional()
    .register(settingInfo, {
      unit: 'redis or embedded',
      meaning:
        'Unset: `redis` if `REDIS_URL` is set, otherwise `embedded`. With `NODE_ENV=production`, the embedded queue must be set explicitly.',
    }),
};

export const scheduleSettings = {
  DELTA_SCHEDULE_MINUTES: whole(1, 1440, 'minutes').prefault('5').register(settingInfo, {
    unit: 'minutes',
    meaning: 'Interval of delta runs, which fetch what changed.',
  }),
  LOOKBACK_HOURS_DELTA: whole(1, 720, 'hours').prefault('1').register(settingInfo, {
    unit: 'hours',
    meaning: 'How far before the watermark a delta run begins.',
  }),
  BACKUP_SCHEDULE_CRON: cronExpression().prefault('0 */6 * * *').register(settingInfo, {
    unit: 'cron',
    meaning: 'When backup runs fetch the last hours again.',
  }),
  LOOKBACK_HOURS_BACKUP: whole(1, 720, 'hours').prefault('6').register(settingInfo, {
    unit: 'hours',
    meaning: 'How far before the watermark a backup run begins.',
  }),
  HISTORICAL_SCHEDULE_CRON: cronExpression().prefault('0 2 * * *').register(settingInfo, {
    unit: 'cron',
    meaning: 'When historical runs make the stored days equal to MLflow.',
  }),
  LOOKBACK_DAYS_HISTORICAL: whole(1, 3650, 'days').prefault('30').register(settingInfo, {
    unit: 'days',
    meaning: 'Days covered by a historical run, and by the first run on an empty store.',
  }),
  SCHEDULE_TIMEZONE: timezone().prefault('UTC').register(settingInfo, {
    unit: 'time zone',
    meaning: 'Time zone of the two cron expressions. Data is always in UTC.',
  }),
};

const concurrency = () => whole(1, 64, 'jobs');
const size = (examples: string) => textLike(/^\d+(\.\d+)?\s?[KMGT]i?B$/, `a size such as ${examples}`);

export const qualitySettings = {
  QUALITY_FILE: text().optional().register(settingInfo, {
    unit: 'file',
    meaning:
      'YAML file with other limits and severities of the checks of data quality: [quality.md](quality.md#limits). Read at start. Unset: the defaults.',
  }),
};

export const resourceSettings = {
  DUCKDB_MEMORY_LIMIT: size('1GB or 512MB').optional().register(settingInfo, {
    unit: 'size',
    meaning:
      'Memory that DuckDB may use before it spills to disk. Unset: in a container with a memory limit, that limit less 1 GiB, at least 512 MiB; otherwise `1GB`.',
  }),
  DUCKDB_THREADS: whole(1, 1024, 'threads').optional().register(settingInfo, {
    unit: 'threads',
    meaning:
      'Threads of DuckDB in one process, which already runs several jobs at a time. More speed up days of several hundred thousand metric rows and cost CPU on all others. Unset: 1; for `suggest` one per core.',
  }),
  DUCKDB_MAX_TEMP_SIZE: size('10GB').prefault('10GB').register(settingInfo, {
    unit: 'size',
    meaning: 'Disk space that DuckDB may use for spilling.',
  }),
  MLFLOW_CONCURRENCY: whole(1, 32, 'requests').prefault('2').register(settingInfo, {
    unit: 'requests',
    meaning: 'Concurrent requests to the tracking server.',
  }),
  INGESTION_CONCURRENCY: concurrency().prefault('2').register(settingInfo, {
    unit: 'jobs',
    meaning: 'Slices that one process fetches at the same time.',
  }),
  ENRICHMENT_CONCURRENCY: concurrency().prefault('2').register(settingInfo, {
    unit: 'jobs',
    meaning: 'Slices that one process judges at the same time.',
  }),
  AGGREGATION_CONCURRENCY: concurrency().prefault('1').register(settingInfo, {
    unit: 'jobs',
    meaning: 'Jobs that rebuild days in one process at the same time.',
  }),
  BACKFILL_CONCURRENCY: whole(1, 64, 'slices').prefault('2').register(settingInfo, {
    unit: 'slices',
    meaning:
      'Slices of a backfill (at most one day each) that are queued or running at the same time. The others are queued later.',
  }),
};
