import { CHECKS, type QualityCheck } from '../../../src/domain/quality/checks.js';
import type { Quality } from '../../../src/quality/contract.js';
import {
  amountText,
  applicationFindings,
  codeParts,
  limitText,
  platformFindings,
} from '../../../web/src/quality/findings.js';

const since = (hour: number) => `2026-11-29T0${hour}:00:00.000Z`;
const judged = (measured: number | null, hour: number, passed = false, sample: object[] = []) => ({
  passed,
  measured,
  affected_rows: 1,
  since: since(hour),
  sample: sample as Record<string, unknown>[],
});
const check = (
  check_name: QualityCheck,
  total: ReturnType<typeof judged>,
  applications: Record<string, ReturnType<typeof judged>> = {},
): Quality['checks'][number] => ({
  check_name,
  ...CHECKS[check_name],
  ...total,
  applications: Object.entries(applications).map(([application, each]) => ({ application, ...each })),
});
const quality = (...checks: Quality['checks']): Quality => ({ at: since(9), checks });

describe('the findings of data quality', () => {
  it('are none if every check passes, or nothing was checked yet', () => {
    expect(platformFindings(quality(check('null_values', judged(5, 1, true))))).toEqual([]);
    expect(platformFindings({ at: null, checks: [] })).toEqual([]);
  });

  it('of the platform are the failing checks with what was measured of all applications, errors first', () => {
    const findings = platformFindings(
      quality(
        check('volume', judged(90, 2), { churn: judged(90, 2) }),
        check('duplicate_records', judged(0, 1, true)),
        check('schema_compliance', judged(3, 4)),
      ),
    );
    expect(findings).toMatchObject([
      { title: 'Records that do not fit their schema', measured: 3, since: since(4), applications: [] },
      { title: 'Number of runs far from the usual', measured: 90, measuredIn: null, applications: ['churn'] },
    ]);
  });

  it('of a check that only applications fail have the worst of them and the first time', () => {
    const applications = { churn: judged(20, 5), fraud: judged(10, 7), pricing: judged(40, 3) };
    const total = judged(80, 1, true);
    const [least] = platformFindings(quality(check('catalog_coverage', total, applications)));
    expect(least).toMatchObject({ measured: 10, measuredIn: 'fraud', since: since(3) });
    expect(least?.applications).toEqual(['churn', 'fraud', 'pricing']);
    const [most] = platformFindings(quality(check('null_values', judged(1, 1, true), applications)));
    expect(most).toMatchObject({ measured: 40, measuredIn: 'pricing', since: since(3) });
  });

  it('of an application are only its own', () => {
    const data = quality(
      check('volume', judged(95, 2), { churn: judged(90, 6) }),
      check('schema_compliance', judged(3, 4)),
    );
    expect(applicationFindings(data, 'churn')).toMatchObject([{ measured: 90, since: since(6) }]);
    expect(applicationFindings(data, 'fraud')).toEqual([]);
  });

  it('have the error of a check that could not be measured', () => {
    const broken = check('null_values', judged(null, 2, false, [{ error: 'a file is damaged' }]));
    expect(platformFindings(quality(broken))).toMatchObject([{ measured: null, error: 'a file is damaged' }]);
  });
});

describe('the words about data quality', () => {
  it('name amounts in the unit of the check', () => {
    expect(amountText(12.3456, '%')).toBe('12.3\u00a0%');
    expect(amountText(4.213, 'times')).toBe('4.21\u00a0× the usual');
    expect(amountText(1, 'records')).toBe('1\u00a0record');
    expect(amountText(12_345, 'records')).toBe('12,345\u00a0records');
    expect(amountText(null, '%')).toBe('not measured');
  });

  it('name the limit and its side', () => {
    expect(limitText({ bound: 'most', limit: 5, unit: '%' })).toBe('limit: at most 5\u00a0%');
    expect(limitText({ bound: 'least', limit: 50, unit: '%' })).toBe('limit: at least 50\u00a0%');
  });

  it('divide the text of the API into words and code', () => {
    expect(codeParts('between `min` and `max`.')).toEqual(['between ', 'min', ' and ', 'max', '.']);
  });
});
