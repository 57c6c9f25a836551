import { domainSettings, type Settings } from '../../config/settings.js';
import { platformFactsReader } from '../../dashboard/dashboard.module.js';
import { daysRead, spansAt } from '../../dashboard/load-rollups.js';
import { NO_ACTIONS } from '../../domain/alerts/actions.js';
import { evaluateAlerts } from '../../domain/alerts/evaluate.js';
import type { AlertEvaluation, AlertTransition } from '../../domain/alerts/incident.js';
import { LATE_AFTER_PERIODS } from '../../domain/alerts/signal.js';
import { addDays, dayOf, dayStart, daysOf } from '../../domain/time.js';
import { RULEBOOK_KEY, rulebookSchema, settingsOn } from '../../state/rulebook.js';
import { statusOptions } from '../../state/service-status.js';
import type { Duck } from '../../storage/duck.js';
import type { StoreReader } from '../../storage/folder-reader.js';
import { readValue } from '../../storage/json-document.js';
import { type DataRequest, incidentDigest, isWorthSealing, measureData } from '../alert-evaluator.js';
import { MeasurementLoader } from '../load-measurements.js';
import { HistoryStore } from './history-store.js';
import { QualityHistory } from './quality-history.js';

export interface ReplayRequest {
  /** The first and the last evaluation, ms. */
  readonly from: number;
  readonly to: number;
  /** The time between two evaluations, ms. */
  readonly stepMs: number;
  readonly policy: DataRequest['policy'];
}

export interface ReplayTools {
  readonly store: StoreReader;
  /** May read the files of the store, and write temporary ones. */
  readonly duck: Duck;
  readonly settings: Settings;
}

export interface Replay {
  /** Oldest first. */
  readonly transitions: readonly AlertTransition[];
  /** Since when verdicts on data quality are stored, ms; null if none are. */
  readonly qualityFrom: number | null;
}

/**
 * What the data rules would have done on the stored history: the evaluations of a service, one after another in memory, by the
 * functions that evaluate live. Each sees of the published objects only what was known then.
 * @returns `undefined` if there is no history
 */
export async function replayAlerts(
  { store, duck, settings }: ReplayTools,
  { from, to, stepMs, policy }: ReplayRequest,
): Promise<Replay | undefined> {
  const { deltaPeriodMs } = statusOptions(settings);
  const defaults = domainSettings(settings);
  const book = await readValue(store, RULEBOOK_KEY, rulebookSchema);
  const first = addDays(dayOf(from), 1 - daysRead(spansAt(from, book, defaults)));
  return duck.session(async (session) => {
    const days = daysOf({ from: dayStart(first), to: to + 1 });
    const history = await HistoryStore.open(store, session, {
      days,
      from,
      stepMs,
      lateMs: LATE_AFTER_PERIODS * deltaPeriodMs,
      countsNestedRuns: (day) => (book ? settingsOn(book, day) : defaults).count_nested_runs,
    });
    if (!history) return undefined;
    const quality = await QualityHistory.load(store, session, days);
    const measurements = new MeasurementLoader(platformFactsReader(history, duck, settings));
    const transitions: AlertTransition[] = [];
    let previous: AlertEvaluation | null = null;
    for (let now = from; now <= to; now += stepMs) {
      history.moveTo(now);
      const next = await evaluateAt(now, previous);
      if (!next || (previous && !isWorthSealing(previous, next))) continue;
      transitions.push(...next.transitions);
      previous = next;
    }
    return { transitions, qualityFrom: quality.begin };

    async function evaluateAt(now: number, before: AlertEvaluation | null): Promise<AlertEvaluation | null> {
      // How far MLflow was read at a time is not stored.
      const request = { to: now, deltaPeriodMs, policy, watermarks: null, quality: quality.at(now) };
      const measured = await measureData(measurements, before, request);
      const about = { kind: 'data', to: now, pipeline_run_id: null, periodMs: stepMs } as const;
      const input = { ...about, ...measured, software: 'replay' };
      return evaluateAlerts(before, input, policy, NO_ACTIONS, incidentDigest);
    }
  });
}
