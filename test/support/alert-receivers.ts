import { z } from 'zod';
import { type Answer, answer, type Received } from './scripted-server.js';
import { slackMessageSchema } from './slack-schema.js';

/**
 * What an Adaptive Card of version 1.2 may contain, as far as alerts use it (schemas/1.2.1/adaptive-card.json in
 * microsoft/AdaptiveCards), in the envelope that a workflow of Teams takes
 * (https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using).
 */
const teamsSchema = z.strictObject({
  type: z.literal('message'),
  attachments: z
    .array(
      z.strictObject({
        contentType: z.literal('application/vnd.microsoft.card.adaptive'),
        contentUrl: z.null(),
        content: z.strictObject({
          $schema: z.literal('http://adaptivecards.io/schemas/adaptive-card.json'),
          type: z.literal('AdaptiveCard'),
          version: z.literal('1.2'),
          fallbackText: z.string().min(1),
          body: z
            .array(
              z.strictObject({
                type: z.literal('RichTextBlock'),
                inlines: z
                  .array(
                    z.strictObject({
                      type: z.literal('TextRun'),
                      text: z.string().min(1),
                      weight: z.enum(['default', 'lighter', 'bolder']).optional(),
                    }),
                  )
                  .min(1),
                separator: z.boolean().optional(),
              }),
            )
            .min(1),
          actions: z
            .array(
              z.strictObject({ type: z.literal('Action.OpenUrl'), title: z.string().min(1), url: z.url() }),
            )
            .min(1)
            .max(6)
            .optional(),
          msteams: z.strictObject({ width: z.literal('Full') }),
        }),
      }),
    )
    .length(1),
});

const text = (max: number) => z.string().min(1).max(max);
const common = {
  routing_key: z.string().regex(/^[a-z0-9]{32}$/i),
  dedup_key: text(255),
};
/** https://developer.pagerduty.com/docs/events-api-v2/trigger-events */
const pagerdutySchema = z.discriminatedUnion('event_action', [
  z.strictObject({ ...common, event_action: z.enum(['resolve', 'acknowledge']) }),
  z.strictObject({
    ...common,
    event_action: z.literal('trigger'),
    client: z.string().optional(),
    client_url: z.url().optional(),
    links: z.array(z.strictObject({ href: z.url(), text: z.string().optional() })).optional(),
    payload: z.strictObject({
      summary: text(1_024),
      source: text(1_024),
      severity: z.enum(['critical', 'error', 'warning', 'info']),
      timestamp: z.iso.datetime().optional(),
      component: text(1_024).optional(),
      group: text(1_024).optional(),
      class: text(1_024).optional(),
      custom_details: z.record(z.string(), z.json()).optional(),
    }),
  }),
]);

const labels = z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/), z.string());
/** `postableAlerts` of api/v2/openapi.yaml in prometheus/alertmanager; the names of labels are those of Prometheus. */
export const postableAlertsSchema = z.array(
  z
    .strictObject({
      labels: labels.refine((set) => Object.keys(set).length > 0 && 'alertname' in set),
      annotations: labels,
      startsAt: z.iso.datetime(),
      endsAt: z.iso.datetime(),
      generatorURL: z.url().optional(),
    })
    .refine(({ startsAt, endsAt }) => endsAt >= startsAt, 'start time must be before end time'),
);

/** https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event; inputs have at most 65,535 characters. */
const githubSchema = z.strictObject({
  ref: z.string().min(1),
  inputs: z
    .record(z.string(), z.string())
    .refine((inputs) => Object.keys(inputs).length <= 25 && JSON.stringify(inputs).length <= 65_535),
});

const slackPostSchema = slackMessageSchema.safeExtend({
  channel: z.string().min(1),
  thread_ts: z.string().optional(),
  reply_broadcast: z.boolean().optional(),
});
const slackUpdateSchema = slackMessageSchema.safeExtend({ channel: z.string().min(1), ts: z.string() });

/** A receiver: what it accepts, and what an accepted request says, as ids that a test can count. */
export interface Receiver {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string>>;
  /** Answers as the real one does. */
  readonly answer: Answer;
  /** The problems of what it refused. */
  readonly refused: string[];
  /** `<incident> <what>` of each request that was accepted; of chats the text that is shown. */
  readonly taken: string[];
}

export const TOKEN = 'hidden-token';
export const KEY = 'hiddenkeyhiddenkeyhiddenkey01234';

type Make = (uri: string) => Omit<Receiver, 'refused' | 'taken' | 'answer'> & {
  readonly accept: (received: Received) => { readonly taken: readonly string[]; readonly reply: Answer };
};

const bearer = ({ headers }: Received): void => {
  if (headers.authorization !== `Bearer ${TOKEN}`) throw new Error('not authorised');
};
const at = ({ url, method }: Received, path: string, wanted = 'POST'): void => {
  if (url !== path || method !== wanted) throw new Error(`unexpected ${method} ${url}`);
};
const body = <T>(received: Received, schema: z.ZodType<T>): T => schema.parse(JSON.parse(received.body));

export const WORKFLOW = '/repos/acme/churn/actions/workflows/retrain.yml';

const MAKES = {
  teams: (uri) => ({
    settings: { type: 'teams' },
    env: { ALERT_TEAMS_WEBHOOK_URL: `${uri}/workflows/hidden` },
    accept: (received) => {
      if (Buffer.byteLength(received.body) > 21_000) return { taken: [], reply: answer(413) };
      const [card] = body(received, teamsSchema).attachments;
      const shown = card?.content.body.map(({ inlines }) => inlines[0]?.text ?? '') ?? [];
      return { taken: shown, reply: answer(202) };
    },
  }),
  pagerduty: (uri) => ({
    settings: { type: 'pagerduty', api_url: uri },
    env: { ALERT_PAGERDUTY_ROUTING_KEY: KEY },
    accept: (received) => {
      at(received, '/v2/enqueue');
      const event = body(received, pagerdutySchema);
      const taken = [`${event.dedup_key.replace('mlflow-monitor/', '')} ${event.event_action}`];
      return { taken, reply: answer(202, JSON.stringify({ status: 'success', dedup_key: event.dedup_key })) };
    },
  }),
  alertmanager: (uri) => ({
    settings: { type: 'alertmanager' },
    env: { ALERT_ALERTMANAGER_URL: `${uri}/hidden` },
    accept: (received) => {
      at(received, '/hidden/api/v2/alerts');
      const alerts = body(received, postableAlertsSchema);
      return { taken: alerts.map(({ annotations }) => `${annotations.incident}`), reply: answer(200) };
    },
  }),
  github: (uri) => ({
    settings: { type: 'github', repository: 'acme/churn', workflow: 'retrain.yml', api_url: uri },
    env: { ALERT_GITHUB_TOKEN: TOKEN },
    accept: (received) => {
      bearer(received);
      if (received.method === 'GET') {
        at(received, WORKFLOW, 'GET');
        return { taken: [], reply: answer(200, '{}') };
      }
      at(received, `${WORKFLOW}/dispatches`);
      const { inputs } = body(received, githubSchema);
      return { taken: [`${inputs.incident} ${inputs.application}`], reply: answer(204) };
    },
  }),
  'slack-bot': (uri) => {
    let posted = 0;
    return {
      settings: { type: 'slack-bot', channel: '#ml-alerts', api_url: `${uri}/api` },
      env: { ALERT_SLACK_TOKEN: TOKEN },
      accept: (received) => {
        bearer(received);
        const ts = `1700000000.${String(++posted).padStart(6, '0')}`;
        const reply = (more: object) =>
          answer(200, JSON.stringify({ ok: true, channel: 'C0ALERTS', ...more }));
        if (received.url === '/api/chat.update') {
          const update = body(received, slackUpdateSchema);
          return { taken: [`update ${update.ts}: ${update.text}`], reply: reply({ ts: update.ts }) };
        }
        at(received, '/api/chat.postMessage');
        const message = body(received, slackPostSchema);
        const where = message.thread_ts ? `reply to ${message.thread_ts}` : `post ${ts}`;
        return { taken: [`${where}: ${message.text}`], reply: reply({ ts, message }) };
      },
    };
  },
} satisfies Record<string, Make>;

export type ReceiverType = keyof typeof MAKES;
export const RECEIVER_TYPES = Object.keys(MAKES) as ReceiverType[];

/** A fake that takes what the published schema of the real receiver allows, and answers 400 to the rest. */
export function receiver(type: ReceiverType, uri: string): Receiver {
  const { settings, env, accept } = MAKES[type](uri);
  const refused: string[] = [];
  const taken: string[] = [];
  return {
    settings,
    env,
    refused,
    taken,
    answer: (response, received) => {
      try {
        const accepted = accept(received);
        taken.push(...accepted.taken);
        accepted.reply(response, received);
      } catch (error) {
        refused.push(String(error));
        answer(400)(response, received);
      }
    },
  };
}
