import { DEFAULT_LIMITS } from '../../../../src/domain/quality/checks.js';
import type { Measurement } from '../../../../src/domain/quality/measure.js';
import {
  type CheckResult,
  judgeQuality,
  type QualityVerdicts,
} from '../../../../src/domain/quality/verdicts.js';

const DAY = 86_400_000;
const AT = Date.parse('2026-03-10T15:00:00Z');

const value = (application: string | null, affected: number): Measurement => ({
  application,
  measured: affected,
  affected,
  sample: '[]',
});

/** Judges one check by one pipeline run after another. @returns the rows of each */
function rowsOf(...passes: [at: number, result: CheckResult][]) {
  let verdicts: QualityVerdicts = {};
  return passes.map(([at, result], i) => {
    const results = { duplicate_records: result };
    const judged = judgeQuality(verdicts, {
      pipeline_run_id: `delta-${i}`,
      at,
      limits: DEFAULT_LIMITS,
      results,
    });
    verdicts = judged.verdicts;
    return judged.rows.map(({ application, passed, affected_rows }) => [application, passed, affected_rows]);
  });
}

const good = [value(null, 0), value('a', 0)];
const bad = [value(null, 2), value('a', 2), value('b', 0)];

describe('the rows of data_quality', () => {
  it('are one per check and day while everything is good', () => {
    expect(rowsOf([AT, good], [AT + 1, good], [AT + DAY, good])).toEqual([
      [[null, true, 0]],
      [],
      [[null, true, 0]],
    ]);
  });

  it('show a check that begins to fail, with its applications, and that it passes again', () => {
    expect(rowsOf([AT, good], [AT + 1, bad], [AT + 2, bad], [AT + 3, good])).toEqual([
      [[null, true, 0]],
      [
        [null, false, 2],
        ['a', false, 2],
      ],
      [],
      [
        [null, true, 0],
        ['a', true, 0],
      ],
    ]);
  });

  it('show that other records are affected, and a failing application once a day', () => {
    const worse = [value(null, 3), value('a', 3)];
    expect(rowsOf([AT, bad], [AT + 1, worse], [AT + DAY, worse]).slice(1)).toEqual([
      [
        [null, false, 3],
        ['a', false, 3],
      ],
      [
        [null, false, 3],
        ['a', false, 3],
      ],
    ]);
  });

  it('show that an application without any records passes', () => {
    expect(rowsOf([AT, bad], [AT + 1, [value(null, 0)]])[1]).toEqual([
      [null, true, 0],
      ['a', true, 0],
    ]);
  });
});

describe('a verdict', () => {
  it('is a failure if the check could not be measured; those of the applications stay', () => {
    const passOf = (result: CheckResult) => ({
      pipeline_run_id: 'delta-1',
      at: AT,
      limits: DEFAULT_LIMITS,
      results: { duplicate_records: result },
    });
    const { verdicts } = judgeQuality({}, passOf(bad));
    const broken = judgeQuality(verdicts, passOf({ error: 'the file is damaged' })).verdicts
      .duplicate_records;
    expect(broken?.total).toMatchObject({
      passed: false,
      measured: null,
      sample: '[{"error":"the file is damaged"}]',
    });
    expect(Object.keys(broken?.applications ?? {})).toEqual(['a']);
  });

  it('says since when it is as it is', () => {
    let verdicts: QualityVerdicts = {};
    const since = [good, bad, bad, good].map((result, i) => {
      const pass = {
        pipeline_run_id: 'r',
        at: AT + i,
        limits: DEFAULT_LIMITS,
        results: { duplicate_records: result },
      };
      verdicts = judgeQuality(verdicts, pass).verdicts;
      return (verdicts.duplicate_records?.total.since ?? 0) - AT;
    });
    expect(since).toEqual([0, 1, 1, 3]);
  });

  it('forgets a check that is disabled', () => {
    const limits = DEFAULT_LIMITS;
    const { verdicts } = judgeQuality(
      {},
      { pipeline_run_id: 'r', at: AT, limits, results: { duplicate_records: bad } },
    );
    expect(judgeQuality(verdicts, { pipeline_run_id: 's', at: AT, limits, results: {} }).verdicts).toEqual(
      {},
    );
  });
});
