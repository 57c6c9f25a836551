import { createPostgresBackend, DEFAULT_SCHEMA, setDefaultBackendFactory } from 'bullmq';
import { errno, MonitorError } from '../domain/errors.js';
import { PGlitePool } from './pglite-pool.js';
import { type QueueConnection, SHARED_PREFIX } from './queue-connection.js';
import { QUEUE_IMAGE } from './queue-image.js';

/**
 * Opens a queue inside this process, which starts empty.
 * @throws {MonitorError} `queue_image_missing`
 */
export async function openEmbeddedQueue(): Promise<QueueConnection> {
  const pool = await PGlitePool.open(QUEUE_IMAGE).catch((cause: unknown) => {
    if (errno(cause) !== 'ENOENT') throw cause;
    const message = 'The database image of the embedded queue is missing: create it with `npm run build`';
    throw new MonitorError('queue_image_missing', message, { path: QUEUE_IMAGE }, false, { cause });
  });
  await pool.query(`SET search_path TO ${DEFAULT_SCHEMA}`);
  setDefaultBackendFactory(createPostgresBackend);
  return {
    backend: 'embedded',
    options: { connection: pool, prefix: SHARED_PREFIX },
    async flush() {
      const { rows } = await pool.query(
        `SELECT string_agg(format('%I', tablename), ', ') AS tables
           FROM pg_tables WHERE schemaname = $1 AND tablename <> 'migration'`,
        [DEFAULT_SCHEMA],
      );
      await pool.query(`TRUNCATE ${rows[0].tables}`);
    },
    info: async () => [],
    otherPrefixes: async () => [],
    close: () => pool.end(),
  };
}
