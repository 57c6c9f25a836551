import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

export const ALERTS_FILE = 'deploy/prometheus/alerts.yml';
export const RUNBOOK = 'docs/runbook.md';

const alert = z.strictObject({
  alert: z.string().regex(/^MlflowMonitor[A-Z][A-Za-z]+$/),
  expr: z.string(),
  for: z.string().regex(/^\d+[mh]$/),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'none']) }),
  annotations: z.strictObject({
    summary: z.string().regex(/\{\{ \$value/),
    description: z.string(),
    runbook_url: z.string(),
  }),
});
const file = z.strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(alert) })) });

export type AlertRule = z.infer<typeof alert>;

/** The alerts of a file in Prometheus's format, each with `for`, severity, a summary with the number, and a runbook. */
export const alertsOf = (text: string): AlertRule[] =>
  file.parse(parse(text)).groups.flatMap(({ rules }) => rules);

export const ALERTS: readonly AlertRule[] = alertsOf(readFileSync(ALERTS_FILE, 'utf8'));

export const minutesOf = (duration: string): number =>
  Number.parseInt(duration, 10) * (duration.endsWith('h') ? 60 : 1);
