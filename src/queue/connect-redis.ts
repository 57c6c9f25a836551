import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { MonitorError } from '../domain/errors.js';
import { advisePermissions, adviseQueue } from './queue-advice.js';
import { parseInfo, redisMode } from './redis-info.js';

const CONNECT_TIMEOUT_MS = 5_000;
/** How long the commands of the start may take: commands wait for a lost connection, so that a server that goes silent would hang it. */
const COMMANDS_TIMEOUT_MS = 10_000;
const RECONNECT_STEP_MS = 200;
const LONGEST_RECONNECT_DELAY_MS = 2_000;
/** BullMQ requires that commands wait for a lost connection instead of failing. */
const COMMON = { lazyConnect: true, connectTimeout: CONNECT_TIMEOUT_MS, maxRetriesPerRequest: null } as const;

/**
 * Connects to the server at the URL, or to what it belongs to: a node of a cluster names the other nodes, a Sentinel the
 * current master. So one URL is enough for all of them.
 * @param address the URL without user and password, for messages
 * @throws {MonitorError} `queue_unreachable`, retryable, and `queue_denied`; their messages and contexts hold no password
 */
export async function connectRedis(url: string, address: string): Promise<Redis | Cluster> {
  const first: Redis = new Redis(url, { ...COMMON, retryStrategy: reconnects(() => connected.has(first)) });
  await connect(first, address);
  const { host = 'localhost', port = 6379, username, password, db, tls } = first.options;
  const credentials: RedisOptions = { username, password, ...(tls ? { tls } : {}) };
  try {
    const mode = redisMode(parseInfo(await withinTime(first, address, () => first.info())));
    if (mode === 'standalone') return first;
    const other =
      mode === 'cluster'
        ? openCluster({ host, port }, credentials)
        : openMaster({ host, port }, await onlyMaster(first, address), { ...credentials, db });
    first.disconnect();
    return await connect(other, address);
  } catch (error) {
    first.disconnect();
    throw deniedError(error, address, username) ?? error;
  }
}

/**
 * The error for a command that the user of `REDIS_URL` may not execute; `undefined` for any other error. Never its cause: an error
 * of ioredis holds the command.
 */
export function deniedError(
  error: unknown,
  address: string,
  user: string | undefined,
): MonitorError | undefined {
  const reason = error instanceof Error ? error.message : '';
  if (!/NOPERM/.test(reason)) return undefined;
  // Each version of Redis says it in other words.
  const [, command] = /run the '(\S+)' command/.exec(reason) ?? [];
  const what = command ? `the command ${command}` : 'keys that begin with {mlflow-monitor';
  const message = `Redis at ${address} (REDIS_URL) denies what the queues need: ${what}`;
  return new MonitorError('queue_denied', message, { address, reason }, false, {
    advice: advisePermissions(user, command),
  });
}

/**
 * Executes commands of the start.
 * @throws {MonitorError} `queue_unreachable` if the server does not respond to them in time; the connection is closed then
 */
export async function withinTime<T>(
  redis: Redis | Cluster,
  address: string,
  commands: () => Promise<T>,
  timeoutMs = COMMANDS_TIMEOUT_MS,
): Promise<T> {
  let timedOut = false;
  const timeout = setTimeout(() => {
    timedOut = true;
    redis.disconnect();
  }, timeoutMs);
  try {
    return await commands();
  } catch (error) {
    if (timedOut) throw unreachableError(address, `no response within ${timeoutMs / 1000} s`);
    throw error;
  } finally {
    clearTimeout(timeout);
  }
}

function unreachableError(address: string, reason: string): MonitorError {
  const message = `Cannot connect to the queue at ${address} (REDIS_URL): ${reason}`;
  const advice = adviseQueue(reason, address);
  return new MonitorError('queue_unreachable', message, { address, reason }, true, { advice });
}

/** The connections that were established once. One that never was is most likely to a wrong address: it is not tried again. */
const connected = new WeakSet<Redis | Cluster>();

const reconnects = (isConnected: () => boolean) => (attempts: number) =>
  isConnected() ? Math.min(attempts * RECONNECT_STEP_MS, LONGEST_RECONNECT_DELAY_MS) : null;

function openCluster(node: { host: string; port: number }, credentials: RedisOptions): Cluster {
  const cluster: Cluster = new Cluster([node], {
    lazyConnect: true,
    clusterRetryStrategy: reconnects(() => connected.has(cluster)),
    redisOptions: { ...COMMON, ...credentials },
    // Certificates are for names, so that a name must not be replaced by its address.
    ...(credentials.tls ? { dnsLookup: (name, callback) => callback(null, name) } : {}),
  });
  return cluster;
}

/** The same user, password and TLS count for Sentinel and for the servers. */
function openMaster(sentinel: { host: string; port: number }, name: string, options: RedisOptions): Redis {
  const { username, password, tls } = options;
  const redis: Redis = new Redis({
    ...COMMON,
    ...options,
    sentinels: [sentinel],
    name,
    ...(username ? { sentinelUsername: username } : {}),
    ...(password ? { sentinelPassword: password } : {}),
    ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: tls } : {}),
    retryStrategy: reconnects(() => connected.has(redis)),
    sentinelRetryStrategy: reconnects(() => connected.has(redis)),
  });
  return redis;
}

/** The name of the only master that a Sentinel watches. */
async function onlyMaster(sentinel: Redis, address: string): Promise<string> {
  const masters = (await sentinel.call('SENTINEL', 'MASTERS')) as unknown[];
  const names = masters.map((master) => fields(master).get('name') ?? '');
  if (names.length === 1 && names[0]) return names[0];
  const message = `The Sentinel at ${address} (REDIS_URL) watches ${names.length} masters: ${names.join(', ')}. Use one that watches only the master of the queue.`;
  throw new MonitorError('queue_unreachable', message, { address }, true);
}

/** A response of names and values, which is a list or, with RESP3, a map. */
function fields(response: unknown): Map<string, string> {
  if (response instanceof Map) return response as Map<string, string>;
  if (!Array.isArray(response)) return new Map(Object.entries(response as Record<string, string>));
  return new Map(response.flatMap((name, i) => (i % 2 === 0 ? [[`${name}`, `${response[i + 1]}`]] : [])));
}

async function connect<T extends Redis | Cluster>(redis: T, address: string): Promise<T> {
  let lastError = `no response within ${CONNECT_TIMEOUT_MS / 1000} s`;
  // Without a listener ioredis prints errors, which queues and workers report as well.
  redis.on('error', (error: Error) => {
    lastError = error.message;
  });
  // The errors of single nodes say more than that of the cluster: "Failed to refresh slots cache."
  redis.on('node error', (error: Error) => {
    lastError = error.message;
  });
  const timeout = setTimeout(() => redis.disconnect(), CONNECT_TIMEOUT_MS);
  try {
    await redis.connect();
    await redis.ping();
    connected.add(redis);
    return redis;
  } catch (error) {
    redis.disconnect();
    // Never set `cause`: an error of ioredis holds the failed command, and that of AUTH contains the password.
    const isDisconnect = !(error instanceof Error) || error.message === 'Connection is closed.';
    const reason = isDisconnect || redis instanceof Cluster ? lastError : error.message;
    throw unreachableError(address, reason);
  } finally {
    clearTimeout(timeout);
  }
}
