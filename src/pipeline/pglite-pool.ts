import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PGlite } from '@electric-sql/pglite';

/** The text of a query and its values, in the two forms that node-postgres takes. */
type Query = string | { readonly text: string; readonly values?: readonly unknown[] | undefined };
interface Answer {
  readonly rows: unknown[];
  readonly rowCount: number;
}

/** Waits in line: PGlite is one connection, and a transaction must have it alone. */
class Turnstile {
  private tail: Promise<void> = Promise.resolve();

  async enter(): Promise<() => void> {
    let leave: () => void = () => undefined;
    const before = this.tail;
    this.tail = new Promise<void>((resolve) => {
      leave = resolve;
    });
    await before;
    return leave;
  }
}

/** As much of node-postgres' `Pool` as BullMQ's Postgres backend uses, over one in-memory PGlite. */
export class PGlitePool extends EventEmitter {
  readonly options = { keepAlive: true };
  readonly turnstile = new Turnstile();

  constructor(readonly database: PGlite) {
    super();
  }

  async query(query: Query, values?: readonly unknown[]): Promise<Answer> {
    const leave = await this.turnstile.enter();
    try {
      return await this.run(query, values);
    } finally {
      leave();
    }
  }

  async connect(): Promise<PGliteClient> {
    return new PGliteClient(this);
  }

  async end(): Promise<void> {}

  /** Only for who has passed the turnstile. */
  async run(query: Query, given?: readonly unknown[]): Promise<Answer> {
    const text = typeof query === 'string' ? query : query.text;
    const values = given ?? (typeof query === 'string' ? undefined : query.values);
    // PGlite works in this thread: without a turn of the event loop between two queries a busy queue would stop all else.
    await nextTurn();
    const result = values?.length
      ? await this.database.query(text, [...values])
      : (await this.database.exec(text)).at(-1);
    const rows = result?.rows ?? [];
    return { rows, rowCount: result?.affectedRows || rows.length };
  }
}

/** A client that was checked out: it keeps the connection from BEGIN to the end of the transaction, and hears notifications. */
export class PGliteClient extends EventEmitter {
  private leave: (() => void) | undefined;
  private readonly unsubscribe: () => void;

  constructor(private readonly pool: PGlitePool) {
    super();
    this.setMaxListeners(0);
    this.unsubscribe = pool.database.onNotification((channel, payload) => {
      this.emit('notification', { channel, payload });
    });
  }

  async query(query: Query, values?: readonly unknown[]): Promise<Answer> {
    const text = (typeof query === 'string' ? query : query.text).trim();
    if (this.leave === undefined && !/^begin\b/i.test(text)) return this.pool.query(query, values);
    this.leave ??= await this.pool.turnstile.enter();
    try {
      return await this.pool.run(query, values);
    } finally {
      if (/^(commit|rollback)\b(?!\s+to)/i.test(text)) this.finish();
    }
  }

  release(): void {
    this.unsubscribe();
    this.finish();
  }

  private finish(): void {
    this.leave?.();
    this.leave = undefined;
  }
}
