import { EventEmitter } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { PGlite } from '@electric-sql/pglite';
import type { PgPool, PgPoolClient, PgQueryResult } from 'bullmq';

/** The jobs of this service fill a few hundred pages. The usual 128 MB of buffers would be made ready at every start. */
const START = [...PGlite.defaultStartParams, '-c', 'shared_buffers=8MB'];

const BEGINS = /^\s*(begin|start\s+transaction)\b/i;
const ENDS = /^\s*(commit|end|abort|rollback(?!\s+(work\s+|transaction\s+)?to\b))\b/i;

/**
 * What BullMQ needs of a `pg.Pool`, over one PGlite in this process. All clients share its one session, so a client
 * that begins a transaction keeps everybody else waiting until it ends it or is released.
 */
export class PGlitePool extends EventEmitter implements PgPool {
  /** There is no socket that could drop unseen, so BullMQ may wait on a notification as long as it likes. */
  readonly options = { keepAlive: true };
  private tail: Promise<void> = Promise.resolve();
  private ended = false;

  constructor(private readonly db: PGlite) {
    super();
    // Every queue and every worker listens for errors of the pool.
    this.setMaxListeners(0);
  }

  /** @param image a database that `PGlite.dumpDataDir` wrote. @throws {Error} `ENOENT` */
  static async open(image: string): Promise<PGlitePool> {
    // Else V8 compiles the hot parts of Postgres a second time to optimize them: a second of CPU at every start, 90 MB on
    // Node 20 and 540 MB on Node 24, to do 800 jobs a second instead of 600. (`--liftoff-only` is heard only at V8's start.)
    setFlagsFromString('--no-wasm-tier-up');
    setFlagsFromString('--no-wasm-dynamic-tiering');
    const loadDataDir = new Blob([await readFile(image)]);
    return new PGlitePool(await PGlite.create({ loadDataDir, startParams: START }));
  }

  /** @throws {Error} after `end`, and what Postgres answers, with its `code` */
  async query(text: string, params?: readonly unknown[]): Promise<PgQueryResult> {
    const unlock = await this.lock();
    try {
      return await this.run(text, params);
    } finally {
      unlock();
    }
  }

  async connect(): Promise<PgPoolClient> {
    this.refuseAfterEnd();
    return new SharedClient(this, this.db);
  }

  /** Waits for the query or the transaction that runs, then forgets the database; what waits behind it is refused. */
  async end(): Promise<void> {
    if (this.ended) return;
    const unlock = await this.lock();
    this.ended = true;
    try {
      await this.db.close();
    } finally {
      unlock();
    }
  }

  /** Waits for its turn. @returns what lets the next one in */
  async lock(): Promise<() => void> {
    const before = this.tail;
    let unlock = () => {};
    this.tail = new Promise((resolve) => {
      unlock = resolve;
    });
    await before;
    return unlock;
  }

  /** Only for the holder of the lock. */
  async run(text: string, params: readonly unknown[] = []): Promise<PgQueryResult> {
    // PGlite answers without ever leaving this thread: thousands of queries in a row would starve timers and sockets.
    await nextTurn();
    this.refuseAfterEnd();
    const result =
      params.length > 0 ? await this.db.query(text, [...params]) : (await this.db.exec(text)).at(-1);
    return { rows: result?.rows ?? [], rowCount: result?.rowCount ?? result?.rows.length ?? 0 };
  }

  private refuseAfterEnd(): void {
    // BullMQ knows this sentence of node-postgres: a query that comes too late while a queue closes is let rest.
    if (this.ended) throw new Error('Cannot use a pool after calling end on the pool');
  }
}

class SharedClient extends EventEmitter implements PgPoolClient {
  private unlock: (() => void) | undefined;
  private readonly unsubscribe: () => void;

  constructor(
    private readonly pool: PGlitePool,
    db: PGlite,
  ) {
    super();
    this.setMaxListeners(0);
    this.unsubscribe = db.onNotification((channel, payload) => {
      this.emit('notification', { channel, payload });
    });
  }

  async query(text: string, params?: readonly unknown[]): Promise<PgQueryResult> {
    if (!this.unlock && !BEGINS.test(text)) return this.pool.query(text, params);
    let open = this.unlock !== undefined && !ENDS.test(text);
    this.unlock ??= await this.pool.lock();
    try {
      const result = await this.pool.run(text, params);
      open = !ENDS.test(text);
      return result;
    } finally {
      if (!open) this.leave();
    }
  }

  /** A transaction that is still open is rolled back. */
  release(): void {
    this.unsubscribe();
    if (!this.unlock) return;
    const leave = () => this.leave();
    this.pool.run('ROLLBACK').then(leave, leave);
  }

  private leave(): void {
    this.unlock?.();
    this.unlock = undefined;
  }
}
