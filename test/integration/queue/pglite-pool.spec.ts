import { isPgPool } from 'bullmq';
import { PGlitePool } from '../../../src/queue/pglite-pool.js';
import { QUEUE_IMAGE } from '../../../src/queue/queue-image.js';

describe('a pool over one PGlite', () => {
  let pool: PGlitePool;
  beforeAll(async () => {
    pool = await PGlitePool.open(QUEUE_IMAGE);
  });
  afterAll(() => pool.end());
  beforeEach(() => pool.query('CREATE TABLE t (id int)'));
  afterEach(() => pool.query('DROP TABLE t'));
  const ids = async () => (await pool.query('SELECT id FROM t ORDER BY id')).rows.map((row) => row.id);

  it('is accepted by BullMQ', () => {
    expect(isPgPool(pool)).toBe(true);
  });

  it('counts the rows that a statement returned or changed', async () => {
    expect(await pool.query('INSERT INTO t VALUES (1), (2) RETURNING id')).toMatchObject({ rowCount: 2 });
    expect(await pool.query('UPDATE t SET id = id + 10')).toEqual({ rows: [], rowCount: 2 });
    expect(await pool.query('SELECT id FROM t WHERE id > $1', [11])).toEqual({
      rows: [{ id: 12 }],
      rowCount: 1,
    });
    expect(await pool.query('DELETE FROM t WHERE id = $1', [99])).toEqual({ rows: [], rowCount: 0 });
  });

  it.each(['COMMIT', 'ROLLBACK', 'END'])('blocks all other queries from BEGIN to %s', async (end) => {
    const client = await pool.connect();
    await client.query('BEGIN');
    await client.query('INSERT INTO t VALUES (1)');
    let isDone = false;
    const other = ids().then((found) => {
      isDone = true;
      return found;
    });
    await client.query('SAVEPOINT s');
    await client.query('INSERT INTO t VALUES (2)');
    await client.query('ROLLBACK TO s');
    expect(isDone).toBe(false);
    await client.query(end);
    expect(await other).toEqual(end === 'ROLLBACK' ? [] : [1]);
    client.release();
  });

  it('rolls back the open transaction of a released client', async () => {
    const client = await pool.connect();
    await client.query('BEGIN');
    await client.query('INSERT INTO t VALUES (1)');
    await expect(client.query('SELECT 1/0')).rejects.toMatchObject({ code: '22012' });
    client.release();
    expect(await ids()).toEqual([]);
  });

  it('runs queries after a query that failed', async () => {
    await expect(pool.query('SELECT nothing')).rejects.toMatchObject({ code: '42703' });
    const client = await pool.connect();
    await expect(client.query('BEGIN ISOLATION LEVEL nonsense')).rejects.toMatchObject({ code: '42601' });
    client.release();
    expect(await ids()).toEqual([]);
  });

  it('notifies only clients that are not released', async () => {
    const [kept, released] = [await pool.connect(), await pool.connect()];
    const notifications: string[] = [];
    kept.on('notification', ({ channel, payload }) => notifications.push(`kept ${channel} ${payload}`));
    released.on('notification', () => notifications.push('released'));
    await kept.query('LISTEN jobs');
    released.release();
    await pool.query("SELECT pg_notify('jobs', 'a')");
    expect(notifications).toEqual(['kept jobs a']);
    kept.release();
  });

  it('yields to the event loop before every query', async () => {
    let turns = 0;
    let counting = true;
    const turn = () => {
      turns += 1;
      if (counting) setImmediate(turn);
    };
    setImmediate(turn);
    await Promise.all(Array.from({ length: 50 }, () => pool.query('SELECT 1')));
    counting = false;
    expect(turns).toBeGreaterThanOrEqual(50);
  });

  it('throws ENOENT if there is no image', async () => {
    await expect(PGlitePool.open(`${QUEUE_IMAGE}.none`)).rejects.toThrow('ENOENT');
  });
});

describe('a pool over one PGlite after `end`', () => {
  it('rejects queries with the message of node-postgres', async () => {
    const pool = await PGlitePool.open(QUEUE_IMAGE);
    const last = pool.query('SELECT 1 AS one');
    const ending = pool.end();
    const late = pool.query('SELECT 1');
    expect((await last).rows).toEqual([{ one: 1 }]);
    await expect(late).rejects.toThrow('Cannot use a pool after calling end on the pool');
    await ending;
    await expect(pool.connect()).rejects.toThrow('after calling end on the pool');
  });
});
