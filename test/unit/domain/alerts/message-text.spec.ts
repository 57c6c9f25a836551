import fc from 'fast-check';
import { ALERT_NEWS } from '../../../../src/domain/alerts/first-line.js';
import { ALERT_RULES } from '../../../../src/domain/alerts/incident.js';
import { messageText } from '../../../../src/domain/alerts/message-text.js';
import type { MessageLine } from '../../../../src/domain/alerts/plan-messages.js';
import { incident } from './incidents.js';

const CONTEXT = {
  publicUrl: 'https://monitor.example.com',
  mlflowUrl: 'https://mlflow.example.com',
  zone: 'UTC',
};
const line = (parts: Parameters<typeof incident>[0] = {}, more: Partial<MessageLine> = {}): MessageLine => ({
  news: 'fired',
  incident: incident(parts),
  held: null,
  ...more,
});
const textOf = (lines: readonly MessageLine[], kind: 'alert' | 'digest' | 'test' = 'alert') =>
  messageText({ route: 'default', kind, at: '2026-11-28T10:00:00.000Z', lines }, CONTEXT);

test('A message of one alert has its details and links', () => {
  const expected_breach = { status: 'critical', at: '2026-11-30T08:00:00.000Z' } as const;
  const text = textOf([
    line({ runbook: 'https://wiki.example.com/fraud', contact: '#ml-fraud', evidence: { expected_breach } }),
  ]);
  expect(text.title).toBe('CRITICAL fraud-scoring · recall 0.78 < 0.84 · since 09:40 · 3 of 3 runs');
  expect(text.lines).toEqual([
    {
      headline: text.title,
      details: [
        'Why: The metric fell from 0.9 to 0.78.',
        'Run: nightly-7 by ana, 28 Nov at 09:40 UTC',
        'Since: 28 Nov at 09:40 UTC',
        'Coverage: 7 of 9 metrics have thresholds',
        'Forecast: likely critical on 30 Nov at 08:00 UTC',
        'Owner: ml-fraud, #ml-fraud',
      ],
      links: [
        { label: 'Metric', url: 'https://monitor.example.com/app/fraud-scoring/metric/recall' },
        { label: 'Run in MLflow', url: `https://mlflow.example.com/#/experiments/12/runs/${'a'.repeat(32)}` },
        { label: 'Runbook', url: 'https://wiki.example.com/fraud' },
        { label: 'Mute', url: 'https://monitor.example.com/alerts/e3b0c44298fc1c14' },
      ],
    },
  ]);
});

test('A message of several alerts begins with the worst and says how many more there are', () => {
  const text = textOf([
    line(),
    line({ id: 'b', severity: 'warning' }),
    line({ id: 'c', severity: 'warning' }),
  ]);
  expect(text.title).toMatch(/^CRITICAL fraud-scoring · recall .* · and 2 more$/);
  expect(text.lines).toHaveLength(3);
  expect(text.links).toEqual([{ label: 'All alerts', url: 'https://monitor.example.com/alerts' }]);
});

test('A digest counts what it has and says why each line was held', () => {
  const text = textOf(
    [line({}, { held: 'quiet_hours' }), line({ id: 'b' }, { news: 'recovered', held: 'late_data' })],
    'digest',
  );
  expect(text.title).toBe('DIGEST · 1 critical, 1 recovered');
  expect(text.lines.map(({ headline }) => headline.match(/\([^()]*\)$/)?.[0])).toEqual([
    '(held back by quiet hours)',
    '(from runs that arrived late)',
  ]);
});

test('A test message says that it is no alert', () => {
  expect(textOf([], 'test').title).toContain('this is no alert');
});

test.each(['javascript:alert(1)', 'file:///etc/passwd', 'not a url'])(
  'A runbook %p is no link',
  (runbook) => {
    expect(textOf([line({ runbook })]).lines[0]?.links.map(({ label }) => label)).not.toContain('Runbook');
  },
);

test('Without a public address there are no links to the page', () => {
  const message = {
    route: 'default',
    kind: 'alert',
    at: '2026-11-28T10:00:00.000Z',
    lines: [line()],
  } as const;
  const { lines } = messageText(message, { ...CONTEXT, publicUrl: null });
  expect(lines[0]?.links.map(({ label }) => label)).toEqual(['Run in MLflow']);
});

test('Every rule and news has a printable line, whatever the names are', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('<!channel>', '\n\r\u2028', '\u202Egnp', '\uD800'),
  );
  const number = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }));
  fc.assert(
    fc.property(
      fc.constantFrom(...ALERT_RULES),
      fc.constantFrom(...ALERT_NEWS),
      fc.record({
        application: text,
        metric: text,
        unit: fc.option(text),
        value: number,
        limit: number,
        before: number,
        by: text,
        why: text,
      }),
      (rule, news, { application, metric, unit, value, limit, before, by, why }) => {
        const subject = { scope: 'metric', application, metric, item: null } as const;
        const evidence = {
          display_name: metric,
          unit,
          value,
          limit,
          limit_before: before,
          limit_changed_by: by,
          why,
          cause: 'new_threshold',
        } as const;
        const { title, lines } = textOf([line({ rule, subject, evidence, worst: value }, { news })]);
        for (const shown of [title, ...lines.flatMap(({ details }) => details)]) {
          expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
          expect([...shown].length).toBeLessThan(500);
        }
        for (const { url } of lines.flatMap(({ links }) => links)) expect(URL.canParse(url)).toBe(true);
      },
    ),
  );
});
