import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Duck, type DuckSession } from '../../../src/storage/duck.js';
import { rounds } from '../../support/rounds.js';

let folder: string;
let duck: Duck;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sql-literals-'));
  duck = await Duck.open(folder);
});
afterAll(async () => {
  duck.close();
  await rm(folder, { recursive: true, force: true });
});

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom("'", '"', '\\', '--', '\n', '\0', '$x', '$y', ';', '\ufeff', ' ', 'é'), {
      maxLength: 6,
    })
    .map((parts) => parts.join('')),
);
const parameter = fc.oneof(
  text,
  fc.array(text, { maxLength: 3 }),
  fc.boolean(),
  fc.constant(null),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.double().filter((value) => !Number.isInteger(value)),
  fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }),
);

/** The type of the value, and its bytes. */
const stored = async (session: DuckSession) =>
  session.rows('SELECT typeof(x) AS type, hex(encode(CAST(x AS VARCHAR))) AS bytes, y FROM t');

describe('values in a statement', () => {
  test('are those of a prepared statement, of the same type', async () => {
    const property = fc.asyncProperty(parameter, async (x) => {
      await duck.session(async (session) => {
        await session.run("CREATE OR REPLACE TEMP TABLE t AS SELECT $x AS x, '$x' AS y -- $x\n", { x });
        const prepared = await session.rows(
          "SELECT typeof(x) AS type, hex(encode(CAST(x AS VARCHAR))) AS bytes, y FROM (SELECT $x AS x, '$x' AS y)",
          { x },
        );
        // A table has no column of the type of a null.
        if (x === null) prepared[0] = { ...(prepared[0] as object), type: 'INTEGER' };
        expect(await stored(session)).toEqual(prepared);
      });
    });
    await fc.assert(property, { numRuns: rounds(200, 5_000) });
  });

  test('may follow an operator', async () => {
    const rows = await duck.session(async (session) => {
      await session.run('CREATE TEMP TABLE t AS SELECT 1 -$x AS x, 2 *$y AS y', { x: -1, y: -2n });
      return session.rows('SELECT x::INTEGER AS x, y::INTEGER AS y FROM t');
    });
    expect(rows).toEqual([{ x: 2, y: -4 }]);
  });

  test('a parameter without a value is an error', async () => {
    const run = duck.session((session) => session.run('CREATE TEMP TABLE t AS SELECT $x AS x', { y: 1 }));
    await expect(run).rejects.toMatchObject({ code: 'duckdb' });
  });
});
