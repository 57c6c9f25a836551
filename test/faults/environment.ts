import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderStore } from '../../src/storage/folder-store.js';
import { openService } from '../support/open-service.js';
import { findRedisServer, type RedisServer, startRedis } from '../support/redis-server.js';
import { findS3Server, S3_CREDENTIALS, type S3Server, startS3 } from '../support/s3-server.js';
import { skipSuite } from '../support/skip.js';
import { BACKENDS, type Backend } from './boundaries.js';
import { Deployment } from './deployment.js';
import { MlflowHistory, TIMES } from './mlflow-history.js';

const DATABASES = 256;
const BUCKET = 'faults';

/** The servers, and the filled store with which every case starts. */
export class Environment {
  private readonly deployments: Deployment[] = [];
  private lastNumber = 0;

  private constructor(
    private readonly home: string,
    private readonly filled: ReadonlyMap<string, Buffer>,
    private readonly env: Readonly<Record<string, string>>,
    private readonly servers: Servers | undefined,
  ) {}

  /**
   * With `redis`, the store is a bucket: several processes cannot share a folder.
   * @param env settings, in addition to those of all tests
   */
  static async open(
    backends: readonly Backend[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Environment> {
    const home = await mkdtemp(join(tmpdir(), 'faults-'));
    const objects = await fill(home, env);
    const servers = backends.includes('redis') ? await startServers() : undefined;
    return new Environment(home, objects, env, servers);
  }

  /** A new deployment with a filled store. */
  async deploy(backend: Backend): Promise<Deployment> {
    const number = ++this.lastNumber;
    const home = join(this.home, `${number}`);
    const mlflow = await MlflowHistory.start('filled');
    const deployment = new Deployment(home, mlflow, {
      ...settingsIn(this.home, mlflow),
      ...this.env,
      ...(backend === 'redis' ? this.sharedSettings(number) : {}),
    });
    this.deployments.push(deployment);
    await mkdir(home);
    if (backend === 'embedded') {
      await cp(join(this.home, 'store'), join(home, 'store'), { recursive: true });
    } else {
      await deployment.withStore(async (store) => {
        for (const [key, body] of this.filled) await store.put(key, body);
      });
    }
    return deployment;
  }

  private sharedSettings(number: number): Record<string, string> {
    if (!this.servers || number >= DATABASES) throw new Error('No Redis database is left for this case');
    return {
      REDIS_URL: `${this.servers.redis.url}/${number}`,
      S3_BUCKET: BUCKET,
      S3_PREFIX: `case-${number}`,
      S3_ENDPOINT: this.servers.s3.endpoint,
      S3_FORCE_PATH_STYLE: 'true',
      ...S3_CREDENTIALS,
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.deployments.map((deployment) => deployment.close()));
    await Promise.all([this.servers?.redis.stop(), this.servers?.s3.stop()]);
    await rm(this.home, { recursive: true, force: true });
  }
}

interface Servers {
  readonly redis: RedisServer;
  readonly s3: S3Server;
}

/** The queues that can be tested. Without its programs, Redis is skipped; with `REQUIRE_ALL=1`, its cases fail. */
export function availableBackends(tests: string): readonly Backend[] {
  if (process.env.REQUIRE_ALL === '1' || (findRedisServer() && findS3Server())) return BACKENDS;
  skipSuite(
    `${tests} with Redis`,
    'redis-server or valkey-server on PATH, and versitygw (bash test/support/install-versitygw.sh)',
  );
  return ['embedded'];
}

async function startServers(): Promise<Servers> {
  const [redisProgram, s3Program] = [findRedisServer(), findS3Server()];
  if (!redisProgram || !s3Program) {
    throw new Error('Install redis-server (or valkey-server) and versitygw, see CONTRIBUTING.md');
  }
  Object.assign(process.env, S3_CREDENTIALS);
  const redis = await startRedis(redisProgram, ['--databases', `${DATABASES}`]);
  const s3 = await startS3(s3Program);
  await s3.bucket(BUCKET);
  return { redis, s3 };
}

const settingsIn = (home: string, mlflow: MlflowHistory) => ({
  MLFLOW_TRACKING_URI: mlflow.uri,
  METRICS_API_URL: `file:${join(home, 'catalog.json')}`,
  THRESHOLDS_API_URL: `file:${join(home, 'catalog.json')}`,
  LOOKBACK_DAYS_HISTORICAL: '2',
  ROLES: 'worker,scheduler',
  BATCH_SIZE: '5',
  LOG_LEVEL: 'debug',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  PORT: '0',
});

/** Fills a store like the service: with a bootstrap and a scheduled delta. */
async function fill(home: string, settings: Readonly<Record<string, string>>): Promise<Map<string, Buffer>> {
  const mlflow = await MlflowHistory.start('filled');
  const env = { ...settingsIn(home, mlflow), ...settings };
  const pipeline = await openService({
    trackingUri: mlflow.uri,
    clock: () => TIMES.filled,
    folder: home,
    env,
  });
  try {
    await pipeline.run('bootstrap');
    const finished = pipeline.nextFinished('delta');
    await pipeline.engine.create('delta', { scheduledAt: TIMES.filled });
    await finished;
  } finally {
    await pipeline.close();
    await mlflow.close();
  }
  const store = await FolderStore.open({ dir: join(home, 'store') });
  const objects = new Map<string, Buffer>();
  for await (const { key } of store.list('')) objects.set(key, (await store.get(key))?.body ?? Buffer.of());
  await store.close();
  return objects;
}
