import { noiseWords } from '../../../web/src/alerts/noise-words.js';

test.each([
  [0, 0, 0, 'fired 0 times.'],
  [1, 0, 0, 'fired once.'],
  [12, 1, 0, 'fired 12 times, was acknowledged once.'],
  [12, 3, 2, 'fired 12 times, was acknowledged 3 times and muted 2 times.'],
])('Noise in words: fired %i, acknowledged %i, muted %i', (fired, acknowledged, muted, end) => {
  expect(noiseWords({ fired, acknowledged, muted })).toBe(`In the last 30 days this rule ${end}`);
});
