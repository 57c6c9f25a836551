import type { z } from 'zod';
import { experimentUrl } from '../../domain/mlflow-urls.js';
import type { Light } from '../../domain/model.js';
import { compareText } from '../../domain/text.js';
import type { Application, Applications, applicationsQuery } from '../contract/applications.js';
import type { ApplicationNow, PlatformCurrent } from '../contract.js';
import type { PlatformSnapshot } from '../platform-view.js';
import { encodeCursor } from './cursor.js';

/** Worst first; applications that stopped running long ago are last. */
const ORDER: readonly Light[] = ['critical', 'warning', 'no_data', 'unmonitored', 'healthy'];

const rankOf = ({ light, needs_attention }: ApplicationNow): number =>
  light === 'no_data' && !needs_attention ? ORDER.length : ORDER.indexOf(light);

/** The rank and the name of the last application of a page. */
type Place = readonly [rank: number, name: string];

/** The response of `/applications`. @param after the last application of the page before */
export function listApplications(
  current: PlatformCurrent,
  { status, owner, text, limit }: z.output<typeof applicationsQuery>,
  after: Place | undefined,
): Applications {
  const wanted = text?.toLowerCase();
  const found = current.applications
    .filter(
      (each) =>
        (status === undefined || each.light === status) &&
        (owner === undefined || each.owner === owner) &&
        (wanted === undefined ||
          each.application.toLowerCase().includes(wanted) ||
          each.owner?.toLowerCase().includes(wanted)),
    )
    .map((each) => ({ each, place: [rankOf(each), each.application] as const }))
    .sort((a, b) => compare(a.place, b.place));
  const rest = after ? found.filter(({ place }) => compare(place, after) > 0) : found;
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const owners = new Set(current.applications.flatMap(({ owner: name }) => name ?? []));
  return {
    applications: page.map(({ each }) => each),
    total: found.length,
    owners: [...owners].sort(compareText),
    days: current.days,
    next: last && rest.length > limit ? encodeCursor(last.place) : null,
  };
}

const compare = (a: Place, b: Place): number => a[0] - b[0] || compareText(a[1], b[1]);

/** The response of `/application`; `undefined` if it has no run in the last 30 days. */
export function describeApplication(
  { current, platform, service }: PlatformSnapshot,
  name: string,
  mlflowUi: string,
): Application | undefined {
  const found = current.applications.find(({ application }) => application === name);
  const history = platform.judgement.applications.find(({ application }) => application === name);
  if (!found) return undefined;
  const run = history?.last_run;
  const experiment = run && service.experiments[run.experiment_id];
  const runbook = (run && platform.labels.get(run.run_id)?.runbook) || experiment?.tags.runbook;
  return {
    ...found,
    from: current.from,
    to: current.to,
    day_names: current.days,
    attention: current.needs_attention.find(({ application }) => application === name) ?? null,
    runbook: webAddress(runbook),
    experiment: run
      ? {
          experiment_id: run.experiment_id,
          name: experiment?.name ?? run.experiment_id,
          url: experimentUrl(mlflowUi, run.experiment_id),
        }
      : null,
    stale: current.stale,
    last_finished: current.last_finished,
  };
}

/** Only http and https: pages link to it. */
function webAddress(text: string | undefined): string | null {
  const url = URL.parse(text?.trim() ?? '');
  return url && ['http:', 'https:'].includes(url.protocol) ? url.href : null;
}
