import type { AlertChange, AlertIncident, AlertRule } from '../../../../src/domain/alerts/incident.js';
import { type EvaluationChanges, noiseOf, noisiest } from '../../../../src/domain/alerts/noise.js';
import { noiseLines } from '../../../../src/domain/alerts/noise-text.js';
import { incident } from './incidents.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-28T10:00:00Z');
const evaluation = (to: number, rule: AlertRule, ...changes: AlertChange[]): EvaluationChanges => ({
  to,
  changes: changes.map((change) => ({ change, incident: incident({ rule }) })),
});

test('The noise of a rule is how often it fired, was acknowledged, muted and corrected', () => {
  const noise = noiseOf(
    [
      evaluation(NOW - 3 * DAY, 'pass_rate', 'pending', 'fired', 'fired'),
      evaluation(NOW - 2 * DAY, 'pass_rate', 'acknowledged', 'recovering', 'refired'),
      evaluation(NOW - DAY, 'silent', 'muted', 'unmuted', 'cleared'),
      evaluation(NOW, 'silent', 'fired', 'inhibited', 'corrected', 'no_data'),
    ],
    NOW,
  );
  expect(noise).toHaveLength(11);
  expect(noise.filter(({ fired, acknowledged, muted }) => fired + acknowledged + muted > 0)).toEqual([
    { rule: 'pass_rate', fired: 2, acknowledged: 1, muted: 0, corrected: 0, median_recovery: null },
    { rule: 'silent', fired: 1, acknowledged: 0, muted: 1, corrected: 1, median_recovery: null },
  ]);
});

test('What is older than 30 days does not count', () => {
  const fired = (to: number) => evaluation(to, 'silent', 'fired');
  const [rule] = noiseOf([fired(NOW - 30 * DAY), fired(NOW - 30 * DAY + 1)], NOW).filter(
    (each) => each.rule === 'silent',
  );
  expect(rule).toMatchObject({ fired: 1 });
});

/** Incidents that fired one after another, each with its worst value and its length, ms. */
function history(
  rule: AlertRule,
  episodes: readonly [worst: number | null, lasted: number][],
): EvaluationChanges[] {
  return episodes.flatMap(([worst, lasted], n) => {
    const at = NOW - (episodes.length - n) * DAY;
    const fired_at = new Date(at).toISOString();
    const one: AlertIncident = incident({ id: `${rule} ${n}`, rule, worst, fired_at });
    return [
      { to: at, changes: [{ change: 'fired' as const, incident: one }] },
      { to: at + lasted, changes: [{ change: 'recovering' as const, incident: one }] },
      { to: at + lasted + HOUR, changes: [{ change: 'recovered' as const, incident: one }] },
    ];
  });
}

test.each([
  ['critical_runs', [21, 25.4, 30, 55], { setting: 'limit', value: 26, fired: 2 }],
  // A share equal to the limit is on its good side.
  ['critical_runs', [40, 40, 40, 55], { setting: 'limit', value: 40, fired: 1 }],
  ['pass_rate', [79, 70.5, 60, 20], { setting: 'limit', value: 70, fired: 2 }],
  ['pass_rate', [50, 50], { setting: 'limit', value: 50, fired: 0 }],
] as const)('The limit of %s that would have halved %j', (rule, worst, halving) => {
  const [note] = noisiest(
    history(
      rule,
      worst.map((value) => [value, HOUR]),
    ),
    [],
    NOW,
  );
  expect(note).toMatchObject({ rule, fired: worst.length, halving, median_recovery: 2 * HOUR });
});

test('A rule without a limit in percent gets the shortest wait that would have halved it', () => {
  const lasted = [10, 20, 30.5, 300].map((minutes) => [null, minutes * 60_000] as [null, number]);
  const [note] = noisiest(history('silent', lasted), [], NOW);
  expect(note?.halving).toEqual({ setting: 'for_minutes', value: 21, fired: 2 });
});

test('An incident that is still open counts with its worst value and its length until now', () => {
  const changes = history('critical_runs', [
    [25, HOUR],
    [22, HOUR],
  ]);
  const open = [incident({ id: 'critical_runs 1', rule: 'critical_runs', worst: 90 })];
  const [note] = noisiest(changes.slice(0, -2), open, NOW);
  expect(note?.halving).toEqual({ setting: 'limit', value: 25, fired: 1 });
});

test('One alert, and values that no limit can accept, get no setting', () => {
  expect(noisiest(history('pass_rate', [[60, HOUR]]), [], NOW)[0]?.halving).toBeNull();
  const invalid = history('pass_rate', [
    [null, HOUR],
    [null, HOUR],
  ]);
  expect(noisiest(invalid, [], NOW)[0]?.halving).toBeNull();
});

test('Only the three noisiest rules get a setting, and only incidents that count are counted', () => {
  const times = (rule: AlertRule, count: number) =>
    history(
      rule,
      Array.from({ length: count }, () => [50, HOUR]),
    );
  const all = [times('silent', 2), times('pass_rate', 3), times('quality', 4), times('newest_run', 5)].flat();
  const notes = noisiest(all, [], NOW);
  expect(notes.map(({ rule, halving }) => [rule, halving !== null])).toEqual([
    ['newest_run', true],
    ['quality', true],
    ['pass_rate', true],
    ['silent', false],
  ]);
  expect(noisiest(all, [], NOW, ({ rule }) => rule === 'silent').map(({ rule }) => rule)).toEqual(['silent']);
});

test('Noise in the digest is a line per rule', () => {
  const changes = history('critical_runs', [
    [25, HOUR],
    [30, HOUR],
  ]);
  expect(noiseLines(noisiest(changes, [], NOW))).toEqual([
    'Noise of the last 30 days, by rule',
    'critical_runs: fired 2 times, recovers in 2 h (median) · with limit: 25 it would have fired once',
  ]);
  expect(noiseLines([])).toEqual([]);
});
