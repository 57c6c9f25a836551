import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { runMigrations } from 'bullmq';
import { PGlitePool } from '../src/queue/pglite-pool.js';
import { QUEUE_IMAGE } from '../src/queue/queue-image.js';

// Part of `npm run build`: creating a database with BullMQ's tables takes seconds, restoring this image a fraction of one.
// Small WAL segments and no template database keep the image small, and the process that holds it in memory.
const db = await PGlite.create({ initDbStartParams: ['--wal-segsize=1'] });
const pool = new PGlitePool(db);
const client = await pool.connect();
await runMigrations(client);
client.release();
await pool.query("UPDATE pg_database SET datistemplate = false WHERE datname = 'template0'");
await pool.query('DROP DATABASE template0');
await pool.query('CHECKPOINT');
// Uncompressed, because that loads faster.
const image = await db.dumpDataDir('none');
await pool.end();
await mkdir(dirname(QUEUE_IMAGE), { recursive: true });
await writeFile(QUEUE_IMAGE, Buffer.from(await image.arrayBuffer()));
