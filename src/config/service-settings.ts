import {
  cronExpression,
  flag,
  listOf,
  oneOf,
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
      'Where everything that lasts is kept; with `S3_BUCKET` only temporary files and local copies. One process owns it.',
  }),
  ALLOW_SOURCE_CHANGE: flag().prefault('false').register(settingInfo, {
    unit: 'true or false',
    meaning:
      'Go on with a store that belongs to another tracking server. For one start, after a move of the server.',
  }),
  S3_BUCKET: textLike(
    /^(arn:[A-Za-z0-9:/._-]+|[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9])$/,
    'the name of a bucket such as my-metrics, without s3:// and without a path',
  )
    .optional()
    .register(settingInfo, {
      unit: 'name',
      meaning:
        "Bucket for everything that lasts. Unset: the folder `STORAGE_DIR`. Credentials as any AWS client finds them: AWS's own variables, profile, or the role of the machine.",
    }),
  S3_PREFIX: textLike(
    /^[A-Za-z0-9_.=-]+(\/[A-Za-z0-9_.=-]+)*$/,
    'parts of letters, digits and _ . = - with a slash between them',
  )
    .optional()
    .register(settingInfo, {
      unit: 'path',
      meaning: 'What the keys of all objects in the bucket (or the folder) begin with.',
    }),
  S3_ENDPOINT: urlOf(['http', 'https'], 'http://localhost:9000').optional().register(settingInfo, {
    unit: 'URL',
    meaning: "Address of an S3-compatible store. Unset: Amazon's own.",
  }),
  S3_FORCE_PATH_STYLE: flag().prefault('false').register(settingInfo, {
    unit: 'true or false',
    meaning: 'Put the bucket into the path of the address, not into its host.',
  }),
  S3_CHECKSUM_MODE: oneOf('WHEN_SUPPORTED', 'WHEN_REQUIRED')
    .prefault('WHEN_SUPPORTED')
    .register(settingInfo, {
      unit: 'mode',
      meaning: '`WHEN_REQUIRED` for stores that refuse the checksums newer clients send.',
    }),
  S3_SSE: oneOf('AES256', 'aws:kms', 'aws:kms:dsse').optional().register(settingInfo, {
    unit: 'algorithm',
    meaning: 'Server-side encryption to ask for.',
  }),
  S3_SSE_KMS_KEY_ID: text().optional().register(settingInfo, {
    unit: 'key id',
    meaning: 'The KMS key for `S3_SSE=aws:kms`.',
  }),
  AWS_REGION: text().optional().register(settingInfo, {
    unit: 'name',
    meaning: 'Region of the bucket. Unset: that of the AWS profile; `us-east-1` where `S3_ENDPOINT` is set.',
  }),
  DUCKDB_MEMORY_LIMIT: textLike(/^\d+(\.\d+)?\s?[KMGT]i?B$/, 'a size such as 1GB or 512MB')
    .prefault('1GB')
    .register(settingInfo, { unit: 'size', meaning: 'Memory that DuckDB may use before it spills to disk.' }),
  DUCKDB_THREADS: whole(1, 1024, 'threads').optional().register(settingInfo, {
    unit: 'threads',
    meaning: 'Threads of DuckDB. Unset: one per core.',
  }),
  DUCKDB_MAX_TEMP_SIZE: textLike(/^\d+(\.\d+)?\s?[KMGT]i?B$/, 'a size such as 10GB')
    .prefault('10GB')
    .register(settingInfo, {
      unit: 'size',
      meaning: 'Disk that DuckDB may use for what does not fit into memory.',
    }),
};

export const queueSettings = {
  REDIS_URL: urlOf(['redis', 'rediss'], 'redis://localhost:6379').optional().register(settingInfo, {
    unit: 'URL',
    meaning: 'Redis or Valkey for the queues. Unset: the embedded queue, one process only.',
  }),
  QUEUE_BACKEND: oneOf(...QUEUE_BACKENDS)
    .optional()
    .register(settingInfo, {
      unit: 'redis or embedded',
      meaning:
        'Unset: `redis` if `REDIS_URL` is set, else `embedded`; with `NODE_ENV=production` the embedded queue must be asked for.',
    }),
  INGESTION_CONCURRENCY: whole(1, 64, 'jobs').prefault('2').register(settingInfo, {
    unit: 'jobs',
    meaning: 'Slices that one process downloads at the same time.',
  }),
  ENRICHMENT_CONCURRENCY: whole(1, 64, 'jobs').prefault('2').register(settingInfo, {
    unit: 'jobs',
    meaning: 'Slices that one process judges at the same time.',
  }),
  AGGREGATION_CONCURRENCY: whole(1, 64, 'jobs').prefault('1').register(settingInfo, {
    unit: 'jobs',
    meaning: 'Jobs that rebuild days in one process at the same time.',
  }),
  BACKFILL_CONCURRENCY: whole(1, 64, 'slices').prefault('2').register(settingInfo, {
    unit: 'slices',
    meaning:
      'Slices of a backfill (at most a day each) that wait or are worked on at the same time; the others are not in the queue yet.',
  }),
  STAGE_TRIES: whole(1, 100, 'tries').prefault('5').register(settingInfo, {
    unit: 'tries',
    meaning: 'Tries of one stage of a slice before its pipeline run fails.',
  }),
};

export const accessSettings = {
  ADMIN_TOKEN_SHA256_FILE: text().optional().register(settingInfo, {
    unit: 'file',
    meaning:
      'File with the SHA-256 (hex) of each admin token, one a line, its name behind it. Unset: admin is open on a loopback `HOST` and refused on any other.',
  }),
  ADMIN_TOKEN: text().optional().register(settingInfo, {
    unit: 'text',
    meaning: 'The token itself, for commands with `--url`. The service does not read it.',
    secret: true,
  }),
};

export const scheduleSettings = {
  DELTA_SCHEDULE_MINUTES: whole(1, 1440, 'minutes').prefault('5').register(settingInfo, {
    unit: 'minutes',
    meaning: 'Time between two deltas, which read what changed.',
  }),
  LOOKBACK_HOURS_DELTA: whole(1, 720, 'hours').prefault('1').register(settingInfo, {
    unit: 'hours',
    meaning: 'How far a delta reaches back behind the watermark.',
  }),
  BACKUP_SCHEDULE_CRON: cronExpression().prefault('0 */6 * * *').register(settingInfo, {
    unit: 'cron',
    meaning: 'When a backup asks again for the last hours.',
  }),
  LOOKBACK_HOURS_BACKUP: whole(1, 720, 'hours').prefault('6').register(settingInfo, {
    unit: 'hours',
    meaning: 'How far a backup reaches back behind the watermark.',
  }),
  HISTORICAL_SCHEDULE_CRON: cronExpression().prefault('0 2 * * *').register(settingInfo, {
    unit: 'cron',
    meaning: 'When a historical run makes the stored days equal to MLflow.',
  }),
  LOOKBACK_DAYS_HISTORICAL: whole(1, 3650, 'days').prefault('30').register(settingInfo, {
    unit: 'days',
    meaning: 'Days of a historical run, and of the first one on an empty store.',
  }),
  SCHEDULE_TIMEZONE: timezone().prefault('UTC').register(settingInfo, {
    unit: 'time zone',
    meaning: 'The time zone of the two cron expressions. Data is in UTC always.',
  }),
};

export const processSettings = {
  PORT: whole(0, 65_535, 'port').prefault('3000').register(settingInfo, {
    unit: 'port',
    meaning: 'Port of the HTTP server; 0 takes a free one.',
  }),
  HOST: text().prefault('127.0.0.1').register(settingInfo, {
    unit: 'address',
    meaning: 'Address that the HTTP server listens on; the image sets 0.0.0.0.',
  }),
  ROLES: listOf(...ROLES)
    .prefault(ROLES.join(','))
    .register(settingInfo, {
      unit: 'list',
      meaning: 'What this process does: `api`, `worker`, `scheduler`.',
    }),
  LOG_LEVEL: oneOf('error', 'warn', 'info', 'debug', 'verbose').prefault('info').register(settingInfo, {
    unit: 'level',
    meaning: 'The least severe lines to log: `error`, `warn`, `info`, `debug` or `verbose`.',
  }),
  LOG_FORMAT: oneOf('auto', 'pretty', 'json').prefault('auto').register(settingInfo, {
    unit: 'format',
    meaning:
      '`pretty`, `json`, or `auto`: pretty on a terminal, JSON lines elsewhere and with `NODE_ENV=production`.',
  }),
  NODE_ENV: text().optional().register(settingInfo, {
    unit: 'name',
    meaning: '`production` makes logs JSON lines and lets nothing unsafe start unasked.',
  }),
};
