import { EventEmitter } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setImmediate as nextEventLoopTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { PGlite } from '@electric-sql/pglite';
import type { PgPool, PgPoolClient, PgQueryResult } from 'bullmq';

/** The jobs of this service fill a few hundred pages. Postgres would initialize its default 128 MB of buffers at every start. */
const START_PARAMS = [...PGlite.defaultStartParams, '-c', 'shared_buffers=8MB'];

const BEGIN_STATEMENT = /^\s*(begin|start\s+transaction)\b/i;
const END_STATEMENT = /^\s*(commit|end|abort|rollback(?!\s+(work\s+|transaction\s+)?to\b))\b/i;

/**
 * The part of `pg.Pool` that BullMQ uses, over one PGlite in this process. All clients share its single session, so while
 * one client is in a transaction, all other queries wait until the transaction ends or the client is released.
 */
export class PGlitePool extends EventEmitter implements PgPool {
  /** BullMQ then waits for notifications without a limit: there is no socket that could drop unnoticed. */
  readonly options = { keepAlive: true };
  private tail: Promise<void> = Promise.resolve();
  private ended = false;

  constructor(private readonly db: PGlite) {
    super();
    // Every queue and every worker adds an error listener.
    this.setMaxListeners(0);
  }

  /**
   * @param image path of a database dump by `PGlite.dumpDataDir`
   * @throws {Error} `ENOENT`
   */
  static async open(image: string): Promise<PGlitePool> {
    // Otherwise V8 recompiles the hot parts of Postgres with optimizations: this takes 1 s of CPU at every start, 90 MB on
    // Node 20 and 540 MB on Node 24, for 800 jobs per second instead of 600. (`--liftoff-only` has no effect after V8's start.)
    setFlagsFromString('--no-wasm-tier-up');
    setFlagsFromString('--no-wasm-dynamic-tiering');
    const loadDataDir = new Blob([await readFile(image)]);
    return new PGlitePool(await PGlite.create({ loadDataDir, startParams: START_PARAMS }));
  }

  /** @throws {Error} an error of Postgres, with its `code`; any query after `end` */
  async query(text: string, params?: readonly unknown[]): Promise<PgQueryResult> {
    const unlock = await this.lock();
    try {
      return await this.run(text, params);
    } finally {
      unlock();
    }
  }

  async connect(): Promise<PgPoolClient> {
    this.assertNotEnded();
    return new SharedClient(this, this.db);
  }

  /** Waits for the running query or transaction, then closes the database. Queries that wait behind it throw. */
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

  /** Waits until the lock is free, then takes it. @returns a function that releases it */
  async lock(): Promise<() => void> {
    const previous = this.tail;
    let unlock = () => {};
    this.tail = new Promise((resolve) => {
      unlock = resolve;
    });
    await previous;
    return unlock;
  }

  /** Only for the holder of `lock`. */
  async run(text: string, params: readonly unknown[] = []): Promise<PgQueryResult> {
    // PGlite runs queries synchronously in this thread: thousands in a row would delay timers and sockets.
    await nextEventLoopTurn();
    this.assertNotEnded();
    const result =
      params.length > 0 ? await this.db.query(text, [...params]) : (await this.db.exec(text)).at(-1);
    return { rows: result?.rows ?? [], rowCount: result?.rowCount ?? result?.rows.length ?? 0 };
  }

  private assertNotEnded(): void {
    // The message of node-postgres. BullMQ recognizes it and ignores queries that come too late while a queue closes.
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
    if (!this.unlock && !BEGIN_STATEMENT.test(text)) return this.pool.query(text, params);
    let inTransaction = this.unlock !== undefined && !END_STATEMENT.test(text);
    this.unlock ??= await this.pool.lock();
    try {
      const result = await this.pool.run(text, params);
      inTransaction = !END_STATEMENT.test(text);
      return result;
    } finally {
      if (!inTransaction) this.unlockPool();
    }
  }

  /** Rolls back a transaction that is still open. */
  release(): void {
    this.unsubscribe();
    if (!this.unlock) return;
    const unlockPool = () => this.unlockPool();
    this.pool.run('ROLLBACK').then(unlockPool, unlockPool);
  }

  private unlockPool(): void {
    this.unlock?.();
    this.unlock = undefined;
  }
}
