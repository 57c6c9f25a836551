import type { AlertChange, AlertRule } from '../../../../src/domain/alerts/incident.js';
import { noiseOf } from '../../../../src/domain/alerts/noise.js';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-28T10:00:00Z');
const evaluation = (to: number, rule: AlertRule, ...changes: AlertChange[]) => ({
  to,
  changes: changes.map((change) => ({ rule, change })),
});

test('The noise of a rule is how often it fired, was acknowledged and was muted', () => {
  const noise = noiseOf(
    [
      evaluation(NOW - 3 * DAY, 'pass_rate', 'pending', 'fired', 'fired'),
      evaluation(NOW - 2 * DAY, 'pass_rate', 'acknowledged', 'recovering', 'refired', 'recovered'),
      evaluation(NOW - DAY, 'silent', 'muted', 'unmuted', 'cleared'),
      evaluation(NOW, 'silent', 'fired', 'inhibited', 'corrected', 'no_data'),
    ],
    NOW,
  );
  expect(noise).toHaveLength(11);
  expect(noise.filter(({ fired, acknowledged, muted }) => fired + acknowledged + muted > 0)).toEqual([
    { rule: 'pass_rate', fired: 2, acknowledged: 1, muted: 0 },
    { rule: 'silent', fired: 1, acknowledged: 0, muted: 1 },
  ]);
});

test('What is older than 30 days does not count', () => {
  const fired = (to: number) => evaluation(to, 'silent', 'fired');
  const [silent] = noiseOf([fired(NOW - 30 * DAY), fired(NOW - 30 * DAY + 1)], NOW).filter(
    ({ rule }) => rule === 'silent',
  );
  expect(silent).toMatchObject({ fired: 1 });
});
