import type { Labels } from '../domain/label-change.js';
import type { DomainSettings } from '../domain/model.js';
import { dayOf } from '../domain/time.js';
import type { Rulebook } from '../state/rulebook.js';
import type { Duck, DuckSession } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { ApplicationIncident } from './describe-incidents.js';
import { findIncident, type Incident, runsToCompare } from './incident.js';
import { type ApplicationHistory, type Judgement, judgeRollups } from './judge-rollups.js';
import { loadExplanations, type MetricRef } from './load-explanations.js';
import { type LikelySeries, loadLikelySeries } from './load-likely.js';
import { loadRollups, type Spans } from './load-rollups.js';
import { loadLabels, loadRunTimes, loadWorstSeries } from './load-series.js';
import { countLaterRuns, loadSilentRuns, loadUncounted, type SilentRun } from './load-uncounted.js';
import type { Published } from './published-objects.js';

/** Everything on the page that comes from published objects and the rulebook. */
export interface PlatformFacts {
  readonly spans: Spans;
  readonly judgement: Judgement;
  readonly incidents: readonly ApplicationIncident[];
  /** Of each application the series that is expected to cross a limit first; the first of these comes first. */
  readonly likely: readonly LikelySeries[];
  /** Runs that seem to have died, oldest first. */
  readonly silent: readonly SilentRun[];
  /** Runs of today that start after the current span. */
  readonly later: number;
  /** Params and tags by run_id, of the runs of the incidents and the last run of each application. */
  readonly labels: ReadonlyMap<string, Labels>;
}

export interface ReadTools {
  readonly store: ObjectStore;
  readonly duck: Duck;
  /** Used if the store has no rulebook yet. */
  readonly settings: DomainSettings;
  /** An MLflow run first observed later than this after its end is late, ms. */
  readonly lateMs: number;
}

export async function loadPlatform(
  { store, duck, lateMs }: ReadTools,
  published: Published,
  spans: Spans,
  book: Rulebook | undefined,
): Promise<PlatformFacts> {
  return duck.session(async (session) => {
    const rollups = await loadRollups(store, session, published, spans);
    const silent = rollups.isEmpty ? [] : await loadSilentRuns(store, session, spans);
    const judgement = judgeRollups(
      rollups,
      rollups.isEmpty ? [] : await loadUncounted(session, spans),
      silent,
    );
    const flagged = judgement.applications.filter((each) => each.needs_attention);
    const [quiet, unhealthy] = partition(flagged, ({ now }) => now.light === 'no_data');
    const series = await loadWorstSeries(store, session, published, spans.current, namesOf(unhealthy));
    const shownDays = spans.days.map(({ day }) => day);
    const window = { to: spans.current.to, days: shownDays };
    const times = await loadRunTimes(store, session, published, window, namesOf(quiet));
    const withIncident = [...series].flatMap(([application, { metric, runs }]) => {
      const incident = findIncident(runs, spans.current.to);
      return incident ? [{ application, worst: { metric, runs, incident } }] : [];
    });
    const explanations = await loadExplanations(
      { store, session, book, lateMs },
      withIncident.map(({ worst: { incident } }) => firstMetricOf(incident)),
    );
    const worst = new Map(
      withIncident.map(({ application, worst }, i) => [
        application,
        { ...worst, explanation: explanations[i] },
      ]),
    );
    const incidents = flagged.map((application): ApplicationIncident => {
      const { application: name } = application;
      return { application, worst: worst.get(name) ?? null, times: times.get(name) ?? [] };
    });
    const likely = await loadLikelySeries(store, session, published, spans.current);
    const later = rollups.isEmpty ? 0 : await countLaterRuns(session, spans);
    const labels = await loadRunLabels(store, session, published, incidents, judgement.applications);
    return { spans, judgement, incidents, likely, silent, later, labels };
  });
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [passed: T[], failed: T[]] {
  return [items.filter((item) => test(item)), items.filter((item) => !test(item))];
}

const namesOf = (applications: readonly ApplicationHistory[]): string[] =>
  applications.map(({ application }) => application);

const firstMetricOf = ({ first, previous }: Incident): MetricRef => ({
  day: dayOf(first.time),
  run_id: first.run_id,
  metric: first.metric_name,
  application: first.application,
  before: previous,
});

async function loadRunLabels(
  store: ObjectStore,
  session: DuckSession,
  published: Published,
  incidents: readonly ApplicationIncident[],
  applications: readonly ApplicationHistory[],
): Promise<Map<string, Labels>> {
  const runs = [
    ...incidents.flatMap(({ worst }) => (worst ? runsToCompare(worst.incident) : [])),
    ...applications.flatMap(({ last_run, silent }) => [last_run ?? [], silent ?? []].flat()),
  ];
  const times = new Map(runs.map(({ run_id, time }) => [run_id, time]));
  const days = new Set([...times.values()].map(dayOf));
  return loadLabels(store, session, published, [...days].sort(), [...times.keys()]);
}
