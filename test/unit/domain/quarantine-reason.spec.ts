import { readFileSync } from 'node:fs';
import { describeQuarantineReason } from '../../../src/domain/quarantine-reason.js';

describe('describeQuarantineReason', () => {
  it('explains each reason of parse_runs.sql', () => {
    const statement = readFileSync('src/enrichment/sql/parse_runs.sql', 'utf8');
    const reasons = [...statement.matchAll(/THEN '((?:its|it|one of its) (?:[^']|'')+)'/g)].map(
      ([, reason = '']) => reason.replaceAll("''", "'"),
    );
    expect(reasons).toHaveLength(13);
    expect(reasons.filter((reason) => describeQuarantineReason(reason) === reason)).toEqual([]);
  });

  it('leaves other reasons as they are', () => {
    const reason = 'its data is larger than 64 MiB (70 MiB): raise MAX_PAGE_MB to read it';
    expect(describeQuarantineReason(reason)).toBe(reason);
    expect(describeQuarantineReason('constructor')).toBe('constructor');
  });
});
