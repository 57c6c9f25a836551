// Writes the samples of messages in docs/alerts.md: `npm run alerts`.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { mailOf } from '../src/alerts/channels/email.js';
import { slackPayload } from '../src/alerts/channels/slack.js';
import { webhookPayload } from '../src/alerts/channels/webhook.js';
import { type AlertNews, firstLine } from '../src/domain/alerts/first-line.js';
import { type AlertIncident, incidentKey, NO_EVIDENCE } from '../src/domain/alerts/incident.js';
import { messageText } from '../src/domain/alerts/message-text.js';
import type { AlertMessage } from '../src/domain/alerts/plan-messages.js';

const CONTEXT = {
  publicUrl: 'https://monitor.example.com',
  mlflowUrl: 'https://mlflow.example.com',
  zone: 'UTC',
};
const AT = '2026-11-28T10:00:00.000Z';

type Parts = Omit<Partial<AlertIncident>, 'evidence'> & {
  readonly evidence?: Partial<AlertIncident['evidence']>;
};

function incident(parts: Parts): AlertIncident {
  const rule = parts.rule ?? 'newest_run';
  const subject = parts.subject ?? {
    scope: 'metric',
    application: 'fraud-scoring',
    metric: 'recall',
    item: null,
  };
  return {
    id: '5f1d7a84c2b09e36',
    key: incidentKey(rule, subject),
    severity: 'critical',
    state: 'firing',
    since: '2026-11-28T09:40:00.000Z',
    pending_since: null,
    fired_at: AT,
    evaluated_at: AT,
    worst: 0.71,
    owner: 'ml-fraud',
    contact: '#ml-fraud',
    runbook: 'https://wiki.example.com/fraud-scoring',
    muted: null,
    acknowledged: null,
    inhibited_by: null,
    digest_only: false,
    digest_reason: null,
    state_since: AT,
    told_at: AT,
    violations: [],
    violated_window: null,
    ...parts,
    rule,
    subject,
    evidence: { ...NO_EVIDENCE, display_name: 'recall', higher_is_better: true, ...parts.evidence },
  };
}

const FIRED = incident({
  evidence: {
    value: 0.78,
    limit: 0.84,
    runs: { bad: 3, all: 3 },
    run: {
      run_id: '7c0e4d1b9a3f4e5d8b6a2c1d0e9f8a7b',
      run_name: 'nightly-412',
      user: 'ben',
      experiment_id: '12',
      time: '2026-11-28T09:52:00.000Z',
    },
    cause: 'new_threshold',
    why: 'The limit was tightened from 0.8 to 0.84 by ana on 28 Nov at 09:31 UTC.',
    limit_before: 0.8,
    limit_changed_by: 'ana',
    coverage: { monitored: 7, all: 9 },
  },
});
const application = { scope: 'application', application: 'churn', metric: null, item: null } as const;
const service = { scope: 'service', application: null, metric: null, item: null } as const;
const EXAMPLES: readonly [AlertNews, AlertIncident][] = [
  ['fired', FIRED],
  [
    'fired',
    incident({
      rule: 'critical_runs',
      subject: application,
      evidence: { value: 31.4, limit: 20, unit: '%', runs: { bad: 11, all: 35 } },
    }),
  ],
  [
    'fired',
    incident({
      rule: 'silent',
      severity: 'warning',
      subject: application,
      evidence: { value: 93_600_000, limit: 10_800_000 },
    }),
  ],
  [
    'fired',
    incident({
      rule: 'silent',
      severity: 'warning',
      subject: { scope: 'platform', application: null, metric: null, item: null },
      since: '2026-11-28T07:36:00.000Z',
      evidence: { value: 8_640_000, limit: null },
    }),
  ],
  ['fired', incident({ rule: 'mlflow_down', subject: service })],
  [
    'repeated',
    incident({
      since: '2026-11-28T05:40:00.000Z',
      evidence: { value: 0.78, limit: 0.84, runs: { bad: 9, all: 9 } },
    }),
  ],
  ['recovered', incident({ since: '2026-11-28T06:40:00.000Z', evidence: { value: 0.86, limit: 0.84 } })],
  ['corrected', incident({ evidence: { value: 0.86, limit: 0.84 } })],
];

const message: AlertMessage = {
  route: 'fraud',
  kind: 'alert',
  at: AT,
  lines: [{ news: 'fired', incident: FIRED, held: null }],
};
const fence = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``;
const json = (value: unknown): string => JSON.stringify(value, null, 2);

function samples(): string {
  const text = messageText(message, CONTEXT);
  const mail = mailOf('msg_1f2e3d4c5b6a_0000000412_fraud_alert', message, text, {
    url: 'smtp://mail.example.com',
    from: 'monitor@example.com',
    to: ['ml-fraud@example.com'],
  });
  const lines = EXAMPLES.map(([news, each]) => firstLine(each, news, Date.parse(AT), 'UTC'));
  return [
    '### First lines',
    fence('text', lines.join('\n')),
    '### Slack',
    fence('json', json(slackPayload(text))),
    '### Signed webhook',
    fence('json', json(webhookPayload(message, CONTEXT))),
    '### E-mail',
    fence(
      'text',
      `Subject: ${mail.subject}\nMessage-ID: ${mail.messageId}\nReferences: ${mail.references}\n\n${mail.text}`,
    ),
  ].join('\n\n');
}

const GENERATED = /<!-- samples -->[\s\S]*<!-- \/samples -->/;

/** The page with its generated part replaced. */
export const withSamples = (page: string): string =>
  page.replace(GENERATED, () => `<!-- samples -->\n\n${samples()}\n\n<!-- /samples -->`);

const PAGE = 'docs/alerts.md';
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(PAGE, withSamples(readFileSync(PAGE, 'utf8')));
}
