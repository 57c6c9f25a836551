import { BIGINT, BOOLEAN, DOUBLE, INTEGER, VARCHAR } from '@duckdb/node-api';
import type { Clock } from '../config/runtime.js';
import type { AlertEvaluation, AlertTransition } from '../domain/alerts/incident.js';
import { groupBy } from '../domain/group-by.js';
import { isKept } from '../domain/retention.js';
import { addDays, dayOf } from '../domain/time.js';
import { type AlertChain, type EvaluationSummary, KEEP_CHANGED_DAYS } from '../state/alerts/evaluations.js';
import { readFirstDays } from '../state/retention.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { readFooter } from '../storage/footer.js';
import { partitionKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { publishObject } from '../storage/publish.js';

/** Raised with the columns: the days whose evaluations are kept are then written again. */
const COLUMNS_VERSION = 1;
/** Earlier days may miss evaluations that were pruned: they stay as they are. */
const COMPLETE_DAYS = KEEP_CHANGED_DAYS - 2;

interface Row {
  readonly evaluation: AlertEvaluation;
  readonly transition: AlertTransition;
  /** In its evaluation, from 0. */
  readonly position: number;
}

/**
 * Publishes the transitions of the chain of evaluations to the dataset `alerts`, one object per UTC day. An object is a
 * function of the chain, and names the last sequence that it contains: a day that a killed process left out is found by it.
 */
export class TransitionPublisher {
  /** By day, the last sequence that its object is known to contain. */
  private readonly published = new Map<string, number>();

  constructor(
    private readonly store: ObjectStore,
    private readonly duck: Duck,
    private readonly chain: AlertChain,
    private readonly clock: Clock,
  ) {}

  /** Idempotent. After the first call it checks only days with new transitions. */
  async publish(): Promise<void> {
    const first = await readFirstDays(this.store);
    const oldest = addDays(dayOf(this.clock()), -COMPLETE_DAYS);
    for (const [day, changed] of groupBy(await this.changed(), ({ to }) => dayOf(to))) {
      if (day < oldest || !isKept(first, 'alerts', day)) continue;
      if (this.published.get(day) === lastOf(changed)) continue;
      await this.duck.session((session) => this.publishDay(session, day));
    }
  }

  private async publishDay(session: DuckSession, day: string): Promise<void> {
    await publishObject(this.store, session, partitionKey('alerts', day), async (stored) => {
      const changed = (await this.changed()).filter(({ to }) => dayOf(to) === day);
      const inputs = `${COLUMNS_VERSION}.${lastOf(changed)}`;
      if (stored && (await readFooter(session, stored.file, 'inputs')) === inputs) {
        this.published.set(day, lastOf(changed));
        return undefined;
      }
      await createTransitionsTable(session, await this.rowsOf(changed));
      return (file) => session.run(sql(import.meta.url, './sql/copy_alerts.sql'), { file, inputs });
    });
  }

  private async changed(): Promise<EvaluationSummary[]> {
    return (await this.chain.history()).filter(({ changes }) => changes.length > 0);
  }

  private async rowsOf(changed: readonly EvaluationSummary[]): Promise<Row[]> {
    const evaluations = await this.chain.readAll(changed.map(({ sequence }) => sequence));
    return evaluations.flatMap((evaluation) =>
      evaluation.transitions.map((transition, position) => ({ evaluation, transition, position })),
    );
  }
}

const lastOf = (changed: readonly EvaluationSummary[]): number => changed.at(-1)?.sequence ?? 0;

/** Makes `transitions`: a row per transition, times in ms. */
async function createTransitionsTable(session: DuckSession, rows: readonly Row[]): Promise<void> {
  const text = (of: (transition: AlertTransition) => string | null) => ({
    type: VARCHAR,
    values: rows.map(({ transition }) => of(transition)),
  });
  const number = (of: (transition: AlertTransition) => number | null) => ({
    type: DOUBLE,
    values: rows.map(({ transition }) => of(transition)),
  });
  await session.createTable('transitions', {
    at: number(({ at }) => Date.parse(at)),
    position: { type: INTEGER, values: rows.map(({ position }) => position) },
    evaluation: { type: BIGINT, values: rows.map(({ evaluation }) => BigInt(evaluation.sequence)) },
    transition_id: text(({ id }) => id),
    incident_id: text(({ incident }) => incident.id),
    pipeline_run_id: {
      type: VARCHAR,
      values: rows.map(({ evaluation }) => evaluation.pipeline_run_id),
    },
    rule: text(({ incident }) => incident.rule),
    scope: text(({ incident }) => incident.subject.scope),
    application: text(({ incident }) => incident.subject.application),
    metric_name: text(({ incident }) => incident.subject.metric),
    item: text(({ incident }) => incident.subject.item),
    severity: text(({ incident }) => incident.severity),
    change: text(({ change }) => change),
    from_state: text(({ from }) => from),
    to_state: text(({ to }) => to),
    value: number(({ incident }) => incident.evidence.value),
    limit: number(({ incident }) => incident.evidence.limit),
    unit: text(({ incident }) => incident.evidence.unit),
    worst: number(({ incident }) => incident.worst),
    cause: text(({ incident }) => incident.evidence.cause),
    reason: text(({ incident }) => incident.evidence.why),
    run_id: text(({ incident }) => incident.evidence.run?.run_id ?? null),
    since: number(({ incident }) => Date.parse(incident.since)),
    owner: text(({ incident }) => incident.owner),
    actor: text(actorOf),
    mute_reason: text(({ change, incident }) =>
      change === 'muted' ? (incident.muted?.reason ?? null) : null,
    ),
    digest_only: { type: BOOLEAN, values: rows.map(({ transition }) => transition.digest_only) },
    digest_reason: text(({ digest_reason }) => digest_reason),
  });
}

/** Who asked for a change; null if nobody did. */
function actorOf({ change, incident }: AlertTransition): string | null {
  if (change === 'muted') return incident.muted?.by ?? null;
  return change === 'acknowledged' ? (incident.acknowledged?.by ?? null) : null;
}
