import { firstLine } from '../../../../src/domain/alerts/first-line.js';
import type { AlertRule } from '../../../../src/domain/alerts/incident.js';
import { MS_PER_DAY } from '../../../../src/domain/time.js';
import { incident } from './incidents.js';

const NOW = Date.parse('2026-11-28T13:00:00Z');
const fired = (of: Parameters<typeof incident>[0]) => firstLine(incident(of), 'fired', NOW, 'UTC');

test('The first line names severity, application, value, limit, begin and runs', () => {
  expect(fired({})).toBe('CRITICAL fraud-scoring · recall 0.78 < 0.84 · since 09:40 · 3 of 3 runs');
});

test.each([
  [{ limit_before: 0.8, limit_changed_by: 'ana' }, 'recall 0.78 < 0.84 (limit raised from 0.80 by ana)'],
  [{ limit_before: 0.9, limit_changed_by: null }, 'recall 0.78 < 0.84 (limit lowered from 0.90)'],
  [{ limit_before: null, limit_changed_by: 'ana' }, 'recall 0.78 < 0.84 (new limit by ana)'],
  [{ limit_before: 0.84, limit_changed_by: 'ana' }, 'recall 0.78 < 0.84 (threshold changed by ana)'],
])('It says how the limit changed: %p', (evidence, expected) => {
  expect(fired({ evidence: { cause: 'new_threshold', ...evidence } })).toContain(`· ${expected} ·`);
});

const rules: [AlertRule, Parameters<typeof incident>[0], string][] = [
  ['critical_runs', { evidence: { value: 31.4, limit: 20, unit: '%' } }, 'critical runs 31.4 % > 20 %'],
  ['pass_rate', { evidence: { value: 71, limit: 80, unit: '%' } }, 'pass rate 71 % < 80 %'],
  ['newest_run', { evidence: { value: null } }, 'recall has no valid value'],
  [
    'silent',
    { evidence: { value: 26 * 3_600_000, limit: 3 * 3_600_000 } },
    'no run for 1 d 2 h, usually every 3 h',
  ],
  [
    'likely_breach',
    { evidence: { value: 0.86, expected_breach: { status: 'critical', at: '2026-11-30T08:00:00.000Z' } } },
    'recall 0.86 is likely to pass its critical limit of 0.84',
  ],
  ['quality', { evidence: { value: 3 } }, '3 data quality errors'],
];
test.each(rules)('It says what rule %s observed', (rule, parts, expected) => {
  expect(fired({ ...parts, rule })).toContain(`CRITICAL fraud-scoring · ${expected} · since 09:40`);
});

const SERVICE = { scope: 'service', application: null, metric: null, item: null } as const;
test.each([
  ['mlflow_down', 'CRITICAL MLflow · does not respond · since 09:40'],
  ['catalog_down', 'CRITICAL metric catalog · does not respond · since 09:40'],
  ['experiment_refused', 'CRITICAL experiment credit risk · MLflow refuses access · since 09:40'],
] as const)('It names the service of rule %s', (rule, expected) => {
  expect(fired({ rule, subject: SERVICE, evidence: { runs: null, display_name: 'credit risk' } })).toBe(
    expected,
  );
});

test('A recovery says how long it took and the worst value', () => {
  const line = firstLine(incident({ evidence: { value: 0.86 } }), 'recovered', NOW, 'UTC');
  expect(line).toBe('RECOVERED fraud-scoring · recall 0.86 > 0.84 · after 3 h 20 min · worst 0.71');
});

test('A recovery of the newest run names no metric', () => {
  const good = incident({ rule: 'newest_run', evidence: { value: null, limit: null, display_name: null } });
  expect(firstLine(good, 'recovered', NOW, 'UTC')).toBe(
    'RECOVERED fraud-scoring · the newest run is not critical · after 3 h 20 min',
  );
});

test('A repetition says so, and for how long', () => {
  expect(firstLine(incident(), 'repeated', NOW, 'UTC')).toBe(
    'STILL CRITICAL fraud-scoring · recall 0.78 < 0.84 · since 09:40 · 3 of 3 runs · for 3 h 20 min',
  );
});

test('A begin on another day has its date, and times are in the given zone', () => {
  expect(firstLine(incident(), 'fired', NOW + MS_PER_DAY, 'UTC')).toContain('· since 28 Nov 09:40 ·');
  expect(firstLine(incident(), 'fired', NOW, 'Asia/Tokyo')).toContain('· since 18:40 ·');
});

test('Names of others cannot break the line, change its direction or fill it', () => {
  const application = `a\nb\u2028c\u202Ed\u0000${'x'.repeat(500)}`;
  const line = fired({
    subject: { scope: 'metric', application, metric: 'm', item: null },
    evidence: { display_name: '\r\n' },
  });
  expect(line).toMatch(/^CRITICAL a b c d x{51}…/);
  expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
});

test('Of a share of critical runs it names the metric that is responsible, and how many runs are bad', () => {
  const worst_metric = {
    metric_name: 'recall',
    display_name: 'recall',
    unit: null,
    value: 0.78,
    limit: 0.84,
  };
  const changed = { cause: 'new_threshold', limit_before: 0.8, limit_changed_by: 'ana' } as const;
  const line = fired({
    rule: 'critical_runs',
    evidence: { value: 100, limit: 20, unit: '%', worst_metric, ...changed },
  });
  expect(line).toBe(
    'CRITICAL fraud-scoring · recall 0.78 < 0.84 (limit raised from 0.80 by ana) · since 09:40 · 3 of 3 runs',
  );
});
