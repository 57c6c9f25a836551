import { writeFile } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import { runMigrations } from 'bullmq';
import { PGlitePool } from './pglite-pool.js';
import { QUEUE_IMAGE } from './queue-image.js';

// Run by the build: the embedded queue starts from an image of a database that holds BullMQ's schema already.
const database = await PGlite.create();
await runMigrations(new PGlitePool(database) as never);
const image = await database.dumpDataDir('none');
await writeFile(QUEUE_IMAGE, Buffer.from(await image.arrayBuffer()));
await database.close();
