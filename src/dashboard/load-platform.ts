import type { Labels } from '../domain/label-change.js';
import type { DomainSettings } from '../domain/model.js';
import { dayOf } from '../domain/time.js';
import type { Rulebook } from '../state/rulebook.js';
import type { Duck } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { ApplicationIncident } from './describe-incidents.js';
import { findIncident, type Incident, runsToCompare } from './incident.js';
import { type Judgement, judgeRollups } from './judge-rollups.js';
import { loadExplanations, type MetricRef } from './load-explanations.js';
import { loadRollups, type Spans } from './load-rollups.js';
import { loadLabels, loadRunTimes, loadWorstSeries } from './load-series.js';
import type { Published } from './published-objects.js';

/** How the platform stands, from published objects and the rulebook alone. */
export interface PlatformFacts {
  readonly spans: Spans;
  readonly judgement: Judgement;
  readonly cases: readonly ApplicationIncident[];
  readonly labels: ReadonlyMap<string, Labels>;
}

export interface ReadTools {
  readonly store: ObjectStore;
  readonly duck: Duck;
  /** Where the store has no rulebook yet. */
  readonly settings: DomainSettings;
  /** What is first seen later than this after the end of its run is late, ms. */
  readonly lateMs: number;
}

export async function loadPlatform(
  { store, duck, lateMs }: ReadTools,
  published: Published,
  spans: Spans,
  book: Rulebook | undefined,
): Promise<PlatformFacts> {
  return duck.session(async (session) => {
    const judgement = judgeRollups(await loadRollups(store, session, published, spans));
    const needy = judgement.applications.filter((each) => each.needs_attention);
    const names = (silent: boolean) =>
      needy.filter(({ now }) => (now.light === 'no_data') === silent).map(({ application }) => application);
    const series = await loadWorstSeries(store, session, published, spans.current, names(false));
    const shown = { to: spans.current.to, days: spans.days.map(({ day }) => day) };
    const times = await loadRunTimes(store, session, published, shown, names(true));
    const turned = [...series].flatMap(([application, found]) => {
      const turn = findIncident(found.runs, spans.current.to);
      return turn ? [{ application, worst: { ...found, turn } }] : [];
    });
    const explanations = await loadExplanations(
      { store, session, book, lateMs },
      turned.map(({ worst: { turn } }) => firstOf(turn)),
    );
    const worst = new Map(
      turned.map(({ application, worst }, i) => [application, { ...worst, explanation: explanations[i] }]),
    );
    const cases = needy.map((application): ApplicationIncident => {
      const { application: name } = application;
      return { application, worst: worst.get(name) ?? null, times: times.get(name) ?? [] };
    });
    const runs = new Map(
      cases.flatMap(({ application: { last_run }, worst }) => [
        ...(last_run ? [[last_run.run_id, last_run.time] as const] : []),
        ...(worst?.runs ?? []).map(({ run_id, time }) => [run_id, time] as const),
      ]),
    );
    const compared = new Set(
      cases.flatMap(({ application, worst }) =>
        worst ? runsToCompare(worst.turn) : (application.last_run?.run_id ?? []),
      ),
    );
    const days = new Set([...compared].flatMap((id) => dayOf(runs.get(id) ?? spans.current.from)));
    const labels = await loadLabels(store, session, published, [...days].sort(), [...compared]);
    return { spans, judgement, cases, labels };
  });
}

const firstOf = ({ first, previous }: Incident): MetricRef => ({
  day: dayOf(first.time),
  run_id: first.run_id,
  metric: first.metric_name,
  before: previous,
});
