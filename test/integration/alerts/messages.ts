import type { AlertMessage, MessageLine } from '../../../src/domain/alerts/plan-messages.js';
import { incident } from '../../unit/domain/alerts/incidents.js';

export const CONTEXT = {
  publicUrl: 'https://monitor.example.com',
  mlflowUrl: 'https://mlflow.example.com',
  zone: 'UTC',
} as const;

export const line = (parts: Parameters<typeof incident>[0] = {}): MessageLine => ({
  news: 'fired',
  incident: incident(parts),
  held: null,
});

export const message = (lines: readonly MessageLine[] = [line()]): AlertMessage => ({
  route: 'default',
  kind: 'alert',
  at: '2026-11-28T10:00:00.000Z',
  lines,
});

/** Names that each format must show as they are, or without what is not printed. */
export const HOSTILE = [
  '<!channel>',
  '<https://evil.example|click>',
  '&lt;!here&gt;',
  'a\n\n> quote\r\nBcc: evil@example.com',
  '*bold* _it_ ~no~ `code` ```',
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  '" onmouseover="alert(1)',
  '\u202Egnp.exe\u2028\u0000',
  ':rotating_light: @channel #general',
  '||||]]>',
] as const;

/** A line whose names are all hostile. */
export const hostileLine = (text: string): MessageLine =>
  line({
    id: `id-${HOSTILE.indexOf(text as (typeof HOSTILE)[number])}`,
    subject: { scope: 'metric', application: text, metric: text, item: null },
    owner: text,
    contact: text,
    runbook: `https://wiki.example.com/${text}?a=<!channel>|b`,
    evidence: {
      display_name: text,
      unit: text,
      why: text,
      cause: 'new_threshold',
      limit_before: 0.8,
      limit_changed_by: text,
      run: {
        run_id: text,
        run_name: text,
        user: text,
        experiment_id: text,
        time: '2026-11-28T09:40:00.000Z',
      },
    },
  });
