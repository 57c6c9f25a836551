import type { Labels } from '../domain/label-change.js';
import type { DomainSettings } from '../domain/model.js';
import { dayOf } from '../domain/time.js';
import { RULEBOOK_KEY, type Rulebook, rulebookSchema } from '../pipeline/rulebook.js';
import type { Duck } from '../storage/duck.js';
import { readDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { Case } from './attention.js';
import { type Judgement, judgeStandings } from './judge-standings.js';
import { loadLabels, loadRunTimes, loadWorstSeries } from './load-series.js';
import { loadStandings, type Spans } from './load-standings.js';
import type { Published } from './published.js';
import { runsToCompare, turnOf } from './turn.js';

/** How the platform stands, from published objects and the rulebook alone. */
export interface PlatformFacts {
  readonly spans: Spans;
  readonly judgement: Judgement;
  readonly cases: readonly Case[];
  readonly labels: ReadonlyMap<string, Labels>;
  readonly book: Rulebook | undefined;
}

export interface ReadTools {
  readonly store: ObjectStore;
  readonly duck: Duck;
  /** Where the store has no rulebook yet. */
  readonly settings: DomainSettings;
}

export async function readRulebook(store: ObjectStore): Promise<Rulebook | undefined> {
  return (await readDocument(store, RULEBOOK_KEY, rulebookSchema))?.value;
}

export async function loadPlatform(
  { store, duck }: ReadTools,
  published: Published,
  spans: Spans,
  book: Rulebook | undefined,
): Promise<PlatformFacts> {
  return duck.session(async (session) => {
    const judgement = judgeStandings(await loadStandings(store, session, published, spans));
    const needy = judgement.applications.filter((each) => each.needs_attention);
    const names = (silent: boolean) =>
      needy.filter(({ now }) => (now.light === 'no_data') === silent).map(({ application }) => application);
    const series = await loadWorstSeries(store, session, published, spans.current, names(false));
    const shown = { to: spans.current.to, days: spans.days.map(({ day }) => day) };
    const times = await loadRunTimes(store, session, published, shown, names(true));
    const cases = needy.map((application): Case => {
      const found = series.get(application.application);
      const turn = found && turnOf(found.runs, spans.current.to);
      return {
        application,
        worst: found && turn ? { ...found, turn } : null,
        times: times.get(application.application) ?? [],
      };
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
    return { spans, judgement, cases, labels, book };
  });
}
