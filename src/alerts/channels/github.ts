import { z } from 'zod';
import { messageText } from '../../domain/alerts/message-text.js';
import { plainText } from '../../domain/alerts/plain-text.js';
import type { MessageLine } from '../../domain/alerts/plan-messages.js';
import { errorMessage } from '../../domain/errors.js';
import { groupBy } from '../../domain/group-by.js';
import { incidentPath } from '../../domain/page-paths.js';
import { MS_PER_DAY } from '../../domain/time.js';
import {
  apiUrl,
  type Channel,
  channelKind,
  type Delivery,
  label,
  type SendResult,
  tokenProblems,
  variable,
  variableOf,
} from './contract.js';
import { Cooldown, cooldownMinutes } from './cooldown.js';
import { attempt, JSON_TYPE, sendInTurn, statusMeaning } from './http-attempt.js';
import type { Connection } from './http-post.js';

/** What a workflow can get to know. GitHub refuses inputs that the workflow does not declare, so the route names them. */
const INPUTS = [
  'application',
  'metric',
  'incident',
  'rule',
  'severity',
  'owner',
  'title',
  'url',
  'run_id',
] as const;
type Input = (typeof INPUTS)[number];
/** All inputs together have at most 65,535 characters; a name of an application can have thousands. */
const MAX_INPUT = 1_000;
/** Of GitHub's own words in an error, code points. */
const MAX_REASON = 200;
const DISPATCHES_PER_ATTEMPT = 20;
const PAUSE_MS = 30_000;
/** Longer than an incident is repeated without a change. */
const REMEMBER_MS = 35 * MS_PER_DAY;
const startedKey = (incident: string): string => `started ${incident}`;

interface GithubSettings {
  readonly url: string;
  readonly token: string;
  readonly ref: string;
  readonly inputs: readonly Input[];
  readonly cooldownMinutes: number;
}

/**
 * Starts a workflow of GitHub, such as a retraining, once for each application of a message, with its worst incident.
 * GitHub knows no ids of requests: after a crash between the request and its record the workflow may start twice.
 */
class GithubChannel implements Channel {
  readonly type = 'github';

  constructor(
    readonly label: string,
    private readonly settings: GithubSettings,
    private readonly connection: Connection,
  ) {}

  async send({ message, context, memory, now }: Delivery): Promise<SendResult> {
    if (message.kind === 'digest') return { outcome: 'skipped' };
    // The workflow itself is asked for: the token and the name are tried, and nothing is started.
    if (message.kind === 'test') return this.request(this.settings.url.replace(/\/dispatches$/, ''));
    const own = message.lines.filter(
      ({ news, incident }) =>
        (news === 'fired' || news === 'repeated') && incident.subject.application !== null,
    );
    if (own.length === 0) return { outcome: 'skipped' };
    try {
      const known = await memory.read();
      const fresh = own.filter(({ incident }) => !known.has(startedKey(incident.id)));
      const cooldown = await Cooldown.read(memory, this.settings.cooldownMinutes, now);
      const groups = [...groupBy(fresh, ({ incident }) => incident.subject.application ?? '')];
      const waitOf = ([application, lines]: (typeof groups)[number]) =>
        cooldown.waitOf(application, lines[0]?.incident.id ?? '');
      const waiting = groups.map(waitOf).filter((ms) => ms > 0);
      const ready = groups.filter((group) => waitOf(group) === 0);
      const idsOf = ([, lines]: (typeof groups)[number]) => lines.map(({ incident }) => incident.id);
      const result = await sendInTurn({
        items: ready,
        idsOf,
        send: async (group) => {
          const [application, [worst]] = group;
          if (!worst) return { outcome: 'delivered' };
          const inputs = inputsOf(worst, message.at, context, this.settings.inputs);
          const sent = await this.request(
            this.settings.url,
            JSON.stringify({ ref: this.settings.ref, inputs }),
          );
          if (sent.outcome !== 'delivered') return sent;
          const started = idsOf(group).map((id) => [startedKey(id), now]);
          await memory.write(Object.fromEntries(started), now + REMEMBER_MS);
          await cooldown.started(application, worst.incident.id);
          return sent;
        },
        limit: DISPATCHES_PER_ATTEMPT,
        pauseMs: PAUSE_MS,
      });
      if (result.outcome !== 'delivered' || waiting.length === 0) return result;
      const waits = new Set(groups.filter((group) => waitOf(group) > 0).flatMap(idsOf));
      const taken = message.lines.map(({ incident }) => incident.id).filter((id) => !waits.has(id));
      return { outcome: 'wait', afterMs: Math.min(...waiting), taken };
    } catch (error) {
      return { outcome: 'retry', error: errorMessage(error) };
    }
  }

  private request(url: string, body?: string): Promise<SendResult> {
    const headers = {
      ...JSON_TYPE,
      Accept: 'application/vnd.github+json',
      Authorization: `Bearer ${this.settings.token}`,
      'X-GitHub-Api-Version': '2022-11-28',
    };
    return attempt(this.connection, { url, headers, ...(body === undefined ? {} : { body }) }, (answer) => {
      const meaning = statusMeaning(answer, reasonOf(answer.body));
      // The secondary rate limit may be a 403 with Retry-After
      // (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api).
      const isLimited = answer.status === 403 && answer.retryAfterMs !== undefined;
      return meaning.outcome === 'failed' && isLimited
        ? { outcome: 'retry', error: meaning.error, retryAfterMs: answer.retryAfterMs }
        : meaning;
    });
  }
}

function inputsOf(
  line: MessageLine,
  at: string,
  context: Delivery['context'],
  names: readonly Input[],
): Partial<Record<Input, string>> {
  const { incident } = line;
  const text = messageText({ route: '', kind: 'alert', at, lines: [line] }, context);
  const all: Record<Input, string | null> = {
    application: incident.subject.application,
    metric: incident.subject.metric ?? incident.evidence.worst_metric?.metric_name ?? null,
    incident: incident.id,
    rule: incident.rule,
    severity: incident.severity,
    owner: incident.owner,
    title: text.title,
    url: context.publicUrl === null ? null : `${context.publicUrl}/${incidentPath(incident.id)}`,
    run_id: incident.evidence.run?.run_id ?? null,
  };
  return Object.fromEntries(names.map((name) => [name, plainText(all[name] ?? '', MAX_INPUT)]));
}

/** GitHub's own words, such as `Unexpected inputs provided: ["metric"]`. */
function reasonOf(body: string): string | undefined {
  try {
    const { message } = z.object({ message: z.string() }).parse(JSON.parse(body));
    return plainText(message, MAX_REASON);
  } catch {
    return undefined;
  }
}

const NAME = /^[A-Za-z0-9._-]{1,100}$/;

export const github = channelKind({
  type: 'github',
  digest: false,
  settings: z.strictObject({
    type: z.literal('github'),
    label,
    repository: z.string().regex(/^[A-Za-z0-9-]{1,39}\/[A-Za-z0-9._-]{1,100}$/, 'expected owner/repository'),
    workflow: z.string().regex(NAME, 'expected the file name of a workflow, such as retrain.yml'),
    ref: z
      .string()
      .regex(/^[^\s~^:?*[\\]{1,250}$/, 'expected a branch or a tag')
      .default('main'),
    inputs: z.array(z.enum(INPUTS)).max(INPUTS.length).default(['application', 'metric', 'incident']),
    cooldown_minutes: cooldownMinutes(60),
    token_env: variable('ALERT_GITHUB_TOKEN'),
    api_url: apiUrl('https://api.github.com'),
  }),
  problems: ({ token_env }, env) => tokenProblems(token_env, env),
  open: (settings, env, _, connection) => {
    const { repository, workflow, ref, inputs, cooldown_minutes, token_env, api_url } = settings;
    return new GithubChannel(
      settings.label ?? `${repository} ${workflow}`,
      {
        url: `${api_url.replace(/\/+$/, '')}/repos/${repository}/actions/workflows/${workflow}/dispatches`,
        token: variableOf(env, token_env),
        ref,
        inputs,
        cooldownMinutes: cooldown_minutes,
      },
      connection,
    );
  },
});
