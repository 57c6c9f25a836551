import { DEFAULT_LIMITS } from '../../../src/domain/quality/checks.js';
import { parseLimits } from '../../../src/quality/limits-file.js';

describe('the file of limits', () => {
  it('changes what it names', () => {
    const { limits, problems } = parseLimits(
      'null_values: {limit: 10}\nvolume:\n  enabled: false\n  severity: error\n# nothing else\n',
    );
    expect(problems).toEqual([]);
    expect(limits).toEqual({
      ...DEFAULT_LIMITS,
      null_values: { ...DEFAULT_LIMITS.null_values, limit: 10 },
      volume: { limit: 80, severity: 'error', enabled: false },
    });
  });

  it('may be empty', () => {
    expect(parseLimits('')).toEqual({ limits: DEFAULT_LIMITS, problems: [] });
  });

  it.each([
    ['null_values: {limit: 1}\nnul_values: {limit: 1}', 2, 'there is no check "nul_values"'],
    ['null_values:\n  limit: 1\n  max: 2', 3, 'null_values has no "max"'],
    ['null_values:\n  constructor: 2', 2, 'null_values has no "constructor"'],
    ['\nnull_values: {limit: many}', 2, 'null_values.limit: expected a number from 0'],
    ['null_values: {limit: -1}', 1, 'null_values.limit: expected a number from 0'],
    ['volume:\n  severity: fatal', 2, 'volume.severity: expected error or warning'],
    ['volume: {enabled: yes please}', 1, 'volume.enabled: expected true or false'],
    ['catalog_coverage: {limit: 101}', 1, 'catalog_coverage.limit: expected a number from 0 to 100'],
    ['volume: 3', 1, 'expected fields of volume'],
    ['- volume', 1, 'expected the names of checks'],
    ['volume: {limit: 1}\nvolume: {limit: 2}', 2, 'unique'],
    ['volume: [', 1, ''],
  ])('%j is refused with its line', (text, line, message) => {
    const [problem] = parseLimits(text).problems;
    expect(problem?.line).toBe(line);
    expect(problem?.message).toContain(message);
  });
});
