import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { DATE_LAG_MS } from '../../../src/domain/merge-precedence.js';
import { Duck, type DuckSession, sql } from '../../../src/storage/duck.js';
import { createPartMacro } from '../../../src/storage/parts.js';
import { decideMerge, type ObservedRun } from '../../support/models/merge-precedence.js';

const NOON = Date.parse('2026-03-10T12:00:00Z');
const DAY = '2026-03-09';

interface Case {
  readonly stored: ObservedRun | undefined;
  readonly incoming: ObservedRun;
  readonly torn: boolean;
}

const FACTS = `SELECT run_id, '1' AS experiment_id, CAST('${DAY}' AS DATE) AS day, content AS content_digest,
  "date" AS date_ms, began AS began_ms, torn`;
const COLUMNS = `[{"run_id": "VARCHAR", "content": "VARCHAR", "date": "BIGINT", "began": "BIGINT", "torn": "BOOLEAN"}]`;

/** The decisions of `decide.sql`; each case is a separate run. */
async function decideInSql(session: DuckSession, cases: readonly Case[], serverNow: number | null) {
  const rows = (pick: (one: Case) => ObservedRun | undefined) =>
    JSON.stringify(
      cases
        .flatMap((one, i) => ({ run_id: `run${i}`, torn: one.torn, ...pick(one) }))
        .filter((row) => row.date),
    );
  const observed = 'SELECT unnest(from_json($rows, $columns), recursive := true)';
  const create = (name: string, select: string, of: (one: Case) => ObservedRun | undefined) =>
    session.run(`CREATE OR REPLACE TEMP TABLE ${name} AS ${select} FROM (${observed})`, {
      rows: rows(of),
      columns: COLUMNS,
    });
  await create('facts', FACTS, ({ incoming }) => (incoming.content === null ? undefined : incoming));
  await create('gone', FACTS, ({ incoming }) => (incoming.content === null ? incoming : undefined));
  await create(
    'stored',
    `SELECT run_id, '1' AS experiment_id, coalesce(content, 'digest of a gone run') AS content_digest,
       if(content IS NULL, 'gone', 'active') AS lifecycle_stage,
       make_timestamp("date" * 1000)::TIMESTAMPTZ AS observed_at, make_timestamp(began * 1000)::TIMESTAMPTZ AS asked_at`,
    ({ stored }) => stored,
  );
  await createPartMacro(session);
  await session.run(
    sql(new URL('../../../src/enrichment/merge-day.ts', import.meta.url).href, './sql/decide.sql'),
    {
      day: DAY,
      part: 0,
      files: 1,
      server_now: serverNow === null ? null : BigInt(serverNow),
      date_lag: DATE_LAG_MS,
    },
  );
  return session.rows<{ run_id: string; decision: string; undecided: boolean }>(
    'SELECT run_id, decision, undecided FROM decided ORDER BY run_id',
  );
}

function decideInCode(cases: readonly Case[], serverNow: number | null) {
  return cases
    .map(({ stored, incoming, torn }, i) => {
      const decision = decideMerge(stored, incoming, serverNow);
      const isUncertain = decision === 'supersede' || decision === 'overrule';
      // Responses without the run never differ.
      return { run_id: `run${i}`, decision, undecided: isUncertain || (torn && incoming.content !== null) };
    })
    .filter(({ decision }) => decision !== undefined)
    .sort((a, b) => (a.run_id < b.run_id ? -1 : 1));
}

const content = fc.constantFrom('a', 'b', null);
/** Close to the times at which a decision changes. */
const moment = fc
  .tuple(
    fc.constantFrom(-1, 0, 1),
    fc.constantFrom(-DATE_LAG_MS, 0, DATE_LAG_MS),
    fc.constantFrom(0, 500, 1000),
  )
  .map(([a, b, c]) => NOON + a + b + c);
const observed = fc
  .record({ content, date: moment, duration: fc.constantFrom(0, 1, 500, 1000, 60_000) })
  .map(({ content, date, duration }): ObservedRun => ({ content, date, began: date - duration }));
const oneCase = fc.record({
  stored: fc.option(observed, { nil: undefined, freq: 10 }),
  incoming: observed,
  torn: fc.boolean(),
});

describe('decide.sql', () => {
  let folder: string;
  let duck: Duck;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'merge-precedence-'));
    duck = await Duck.open(folder);
  });
  afterAll(async () => {
    duck.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('decides like the model', async () => {
    const seen = new Set<string | undefined>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(oneCase, { minLength: 1, maxLength: 300, size: 'max' }),
        fc.option(moment),
        async (cases, serverNow) => {
          const expected = decideInCode(cases, serverNow);
          for (const { decision } of expected) seen.add(decision);
          expect(await duck.session((session) => decideInSql(session, cases, serverNow))).toEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
    expect([...seen].sort()).toEqual(['insert', 'overrule', 'replace', 'supersede', 'unchanged']);
  });
});
