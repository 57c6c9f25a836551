import { flag, fromText, parts, settingInfo, text, textLike, urlOf } from './setting.js';

const HTTP = ['http', 'https'];
/** The specification of Standard Webhooks: 24 to 64 bytes in base64, after `whsec_`. */
const WEBHOOK_SECRET = /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/;
export const isWebhookSecret = (text: string): boolean => WEBHOOK_SECRET.test(text);

/** It becomes a header. */
const TOKEN = /^[\x21-\x7E]{1,1000}$/;

/** One address without a name: what is no part of it could become a header. */
const MAIL_ADDRESS = /^[^\s@<>(),;:"[\]\\]{1,64}@[A-Za-z0-9.-]{1,255}$/;
export const isMailAddress = (text: string): boolean => MAIL_ADDRESS.test(text);

const mailAddresses = () =>
  fromText('a comma-separated list of addresses such as ml@example.com', (value) => {
    const found = parts(value);
    return found.length > 0 && found.every(isMailAddress) ? found : undefined;
  });

export const alertSettings = {
  ALERTS_FILE: text().optional().register(settingInfo, {
    unit: 'file',
    meaning:
      'Rules, routes, quiet hours and digest of alerts as YAML: [alerts.md](alerts.md#the-file). Unset: all rules with their defaults.',
  }),
  OWNERS_FILE: text().optional().register(settingInfo, {
    unit: 'file',
    meaning:
      'Owner, contact and runbook of applications as YAML: [alerts.md](alerts.md#owners). Unset: owners are the tags `owner` or `team`.',
  }),
  ALERT_SLACK_WEBHOOK_URL: urlOf(HTTP, 'https://hooks.slack.com/services/T000/B000/XXXX')
    .optional()
    .register(settingInfo, {
      unit: 'URL',
      meaning: 'Incoming webhook of Slack. Enough to get alerts: [alert-channels.md](alert-channels.md).',
      secret: true,
    }),
  ALERT_SLACK_TOKEN: textLike(TOKEN, 'a bot token such as xoxb-…').optional().register(settingInfo, {
    unit: 'text',
    meaning:
      'Bot token of Slack for channels of type `slack-bot`: [alert-channels.md](alert-channels.md#slack-bot).',
    secret: true,
  }),
  ALERT_TEAMS_WEBHOOK_URL: urlOf(HTTP, 'https://prod-00.westeurope.logic.azure.com/workflows/…')
    .optional()
    .register(settingInfo, {
      unit: 'URL',
      meaning:
        'Workflow of Microsoft Teams that is started by a webhook request: [alert-channels.md](alert-channels.md#microsoft-teams).',
      secret: true,
    }),
  ALERT_PAGERDUTY_ROUTING_KEY: textLike(/^[A-Za-z0-9]{32}$/, 'an integration key of 32 letters and digits')
    .optional()
    .register(settingInfo, {
      unit: 'text',
      meaning:
        'Integration key of PagerDuty (Events API v2): [alert-channels.md](alert-channels.md#pagerduty).',
      secret: true,
    }),
  ALERT_ALERTMANAGER_URL: urlOf(HTTP, 'http://alertmanager:9093').optional().register(settingInfo, {
    unit: 'URL',
    meaning:
      'Alertmanager that gets what fires as alerts: [alert-channels.md](alert-channels.md#alertmanager).',
    secret: true,
  }),
  ALERT_GITHUB_TOKEN: textLike(TOKEN, 'a token such as github_pat_…').optional().register(settingInfo, {
    unit: 'text',
    meaning:
      'Token of GitHub for channels of type `github`, with the permission to write actions: [alert-channels.md](alert-channels.md#github).',
    secret: true,
  }),
  ALERT_WEBHOOK_URL: urlOf(HTTP, 'https://example.com/hook').optional().register(settingInfo, {
    unit: 'URL',
    meaning: 'Receives alerts as JSON, signed as specified by Standard Webhooks.',
    secret: true,
  }),
  ALERT_WEBHOOK_SECRET: textLike(
    WEBHOOK_SECRET,
    '24 to 64 random bytes in base64 after whsec_, such as the output of: echo "whsec_$(openssl rand -base64 32)"',
  )
    .optional()
    .register(settingInfo, {
      unit: 'text',
      meaning: 'Key of the signatures for `ALERT_WEBHOOK_URL`: `whsec_` and 24 to 64 bytes in base64.',
      secret: true,
    }),
  ALERT_SMTP_URL: urlOf(['smtp', 'smtps'], 'smtps://user:password@mail.example.com')
    .optional()
    .register(settingInfo, {
      unit: 'URL',
      meaning:
        'Mail server. `smtps:` connects with TLS (port 465), `smtp:` switches to TLS if the server offers it (port 587).',
      secret: true,
    }),
  ALERT_EMAIL_TO: mailAddresses().optional().register(settingInfo, {
    unit: 'list',
    meaning: 'Who gets alerts by mail.',
  }),
  ALERT_EMAIL_FROM: textLike(MAIL_ADDRESS, 'an address such as mlflow-monitor@example.com')
    .optional()
    .register(settingInfo, { unit: 'address', meaning: 'Sender of mails. Required for mails.' }),
  ALERT_HEARTBEAT_URL: urlOf(HTTP, 'https://hc-ping.com/your-uuid').optional().register(settingInfo, {
    unit: 'URL',
    meaning:
      'Requested after each delta that succeeded. A service such as healthchecks.io, or an Alertmanager, alerts when these requests stop.',
    secret: true,
  }),
  ALERT_ALLOW_PRIVATE_ADDRESSES: flag().prefault('false').register(settingInfo, {
    unit: 'true or false',
    meaning:
      'Deliver to private, loopback and link-local addresses too. Set it if your mail server or webhook is in your own network.',
  }),
};
