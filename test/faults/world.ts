import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderStore } from '../../src/storage/folder-store.js';
import { openService } from '../support/open-service.js';
import { findRedisServer, type RedisServer, startRedis } from '../support/redis-server.js';
import { findS3Server, S3_CREDENTIALS, type S3Server, startS3 } from '../support/s3-server.js';
import { BACKENDS, type Backend } from './boundaries.js';
import { Mlflow, TIMES } from './facts.js';
import { Place } from './place.js';

const DATABASES = 256;
const BUCKET = 'faults';

/** The servers, and the filled store from which every case begins. */
export class World {
  private readonly places: Place[] = [];
  private numbers = 0;

  private constructor(
    private readonly home: string,
    private readonly filled: ReadonlyMap<string, Buffer>,
    private readonly servers: Servers | undefined,
  ) {}

  /** Beside `redis` the store is a bucket: several processes need one. */
  static async open(backends: readonly Backend[]): Promise<World> {
    const home = await mkdtemp(join(tmpdir(), 'faults-'));
    const objects = await fill(home);
    const servers = backends.includes('redis') ? await startServers() : undefined;
    return new World(home, objects, servers);
  }

  /** A filled store of its own, with a tracking server and queues of its own. */
  async place(backend: Backend): Promise<Place> {
    const number = ++this.numbers;
    const home = join(this.home, `${number}`);
    const mlflow = await Mlflow.start('filled');
    const place = new Place(home, mlflow, {
      ...settingsIn(this.home, mlflow),
      ...(backend === 'redis' ? this.sharedSettings(number) : {}),
    });
    this.places.push(place);
    await mkdir(home);
    if (backend === 'embedded') {
      await cp(join(this.home, 'store'), join(home, 'store'), { recursive: true });
    } else {
      await place.withStore(async (store) => {
        for (const [key, body] of this.filled) await store.put(key, body);
      });
    }
    return place;
  }

  private sharedSettings(number: number): Record<string, string> {
    if (!this.servers || number >= DATABASES) throw new Error('There is no database left for this case');
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
    await Promise.all(this.places.map((place) => place.close()));
    await Promise.all([this.servers?.redis.stop(), this.servers?.s3.stop()]);
    await rm(this.home, { recursive: true, force: true });
  }
}

interface Servers {
  readonly redis: RedisServer;
  readonly s3: S3Server;
}

/** The queues that can be tried: without its programs Redis is left out, or fails where everything is required. */
export function backendsHere(what: string): readonly Backend[] {
  if (process.env.REQUIRE_ALL === '1' || (findRedisServer() && findS3Server())) return BACKENDS;
  process.stderr.write(
    `Left out: ${what} with Redis (it takes redis-server or valkey-server, and versitygw)\n`,
  );
  return ['embedded'];
}

async function startServers(): Promise<Servers> {
  const [redisProgram, s3Program] = [findRedisServer(), findS3Server()];
  if (!redisProgram || !s3Program) {
    throw new Error('redis-server (or valkey-server) and versitygw are needed, see CONTRIBUTING.md');
  }
  Object.assign(process.env, S3_CREDENTIALS);
  const redis = await startRedis(redisProgram, ['--databases', `${DATABASES}`]);
  const s3 = await startS3(s3Program);
  await s3.bucket(BUCKET);
  return { redis, s3 };
}

const settingsIn = (home: string, mlflow: Mlflow) => ({
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

/** Fills a store as the service would: with a bootstrap, and a delta of its schedule. */
async function fill(home: string): Promise<Map<string, Buffer>> {
  const mlflow = await Mlflow.start('filled');
  const env = settingsIn(home, mlflow);
  const pipeline = await openService({
    trackingUri: mlflow.uri,
    clock: () => TIMES.filled,
    folder: home,
    env,
  });
  try {
    await pipeline.run('bootstrap');
    const ended = pipeline.nextFinished('delta');
    await pipeline.engine.create('delta', { scheduledAt: TIMES.filled });
    await ended;
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
