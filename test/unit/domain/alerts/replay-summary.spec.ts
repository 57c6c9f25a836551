import type { AlertChange, AlertTransition } from '../../../../src/domain/alerts/incident.js';
import { summarizeReplay } from '../../../../src/domain/alerts/replay-summary.js';
import { incident } from './incidents.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FROM = Date.parse('2026-11-02T00:00:00Z');
const iso = (ms: number): string => new Date(ms).toISOString();

type Parts = Parameters<typeof incident>[0];
function transition(at: number, change: AlertChange, parts: Parts = {}): AlertTransition {
  const changed = incident({ told_at: iso(at), ...parts });
  const { digest_only, digest_reason } = changed;
  return {
    id: '1-1',
    at: iso(at),
    from: 'ok',
    to: 'firing',
    change,
    incident: changed,
    digest_only,
    digest_reason,
  };
}
/** An alert that fires at a time, and recovers after some hours. */
const episode = (at: number, hours: number, parts: Parts = {}): AlertTransition[] => [
  transition(at, 'fired', { fired_at: iso(at), ...parts }),
  transition(at + hours * HOUR, 'recovered', { fired_at: iso(at), ...parts }),
];

test('Messages per week, and of each rule its share and how long it lasts', () => {
  const summary = summarizeReplay(
    [
      ...episode(FROM, 2, { rule: 'critical_runs' }),
      ...episode(FROM + DAY, 4, { rule: 'critical_runs' }),
      ...episode(FROM + 8 * DAY, 9, { rule: 'critical_runs' }),
      transition(FROM + 8 * DAY, 'fired', { rule: 'silent' }),
      transition(FROM + 9 * DAY, 'fired', {
        rule: 'likely_breach',
        digest_only: true,
        digest_reason: 'policy',
      }),
    ],
    FROM,
    FROM + 15 * DAY,
  );
  expect(summary.weeks).toEqual([
    { from: FROM, messages: 2, digest: 0 },
    { from: FROM + 7 * DAY, messages: 2, digest: 1 },
    { from: FROM + 14 * DAY, messages: 0, digest: 0 },
  ]);
  expect(summary.rules).toEqual([
    { rule: 'critical_runs', messages: 3, digest: 0, median_recovery: 4 * HOUR, share: 75 },
    { rule: 'silent', messages: 1, digest: 0, median_recovery: null, share: 25 },
    { rule: 'likely_breach', messages: 0, digest: 1, median_recovery: null, share: 0 },
  ]);
});

test('What nobody is told does not count', () => {
  const { weeks, rules } = summarizeReplay(
    [
      transition(FROM, 'pending'),
      transition(FROM, 'inhibited', { inhibited_by: 'another' }),
      transition(FROM, 'recovering'),
    ],
    FROM,
    FROM + DAY,
  );
  expect(weeks).toEqual([{ from: FROM, messages: 0, digest: 0 }]);
  expect(rules).toEqual([]);
});

test('A week includes its last evaluation', () => {
  const { weeks } = summarizeReplay([transition(FROM + 7 * DAY, 'fired')], FROM, FROM + 7 * DAY);
  expect(weeks.map(({ messages }) => messages)).toEqual([1]);
});
