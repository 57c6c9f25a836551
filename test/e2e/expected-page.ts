/** What the page should show, counted from the REST API of a tracking server, without any code or SQL of the service. */
interface Threshold {
  readonly metric_name: string;
  readonly experiment_id?: string;
  readonly critical_threshold: number;
  readonly warning_threshold: number;
}
export interface Catalog {
  readonly metrics: readonly {
    metric_name: string;
    display_name: string;
    unit?: string;
    higher_is_better: boolean;
  }[];
  readonly thresholds: readonly Threshold[];
}
type Pairs = readonly { key: string; value: string }[];
interface RestRun {
  readonly info: { run_id: string; experiment_id: string; status: string; start_time: number };
  readonly data: { metrics?: readonly { key: string; value: number | string }[]; tags?: Pairs };
}
interface EvaluatedRun {
  readonly application: string;
  readonly time: number;
  readonly id: string;
  readonly failed: boolean;
  readonly running: boolean;
  readonly status: string;
  readonly metrics: ReadonlyMap<string, { status: string; value: number; limit: number }>;
}
export interface Counts {
  readonly total: number;
  readonly critical: number;
  readonly invalid: number;
  readonly warning: number;
  readonly healthy: number;
  readonly unmonitored: number;
  readonly passRate: string | null;
  readonly coverage: string | null;
  readonly light: string;
}
export interface ExpectedIncident {
  readonly application: string;
  readonly light: string;
  readonly metric: string | null;
  readonly bad: number;
  readonly value: number;
  readonly limit: number;
  readonly since: string | null;
}
export interface ExpectedPage {
  readonly platform: Counts;
  readonly running: number;
  readonly applications: ReadonlyMap<string, Counts>;
  readonly incidents: readonly ExpectedIncident[];
  /** The light of each of the 30 days. */
  readonly days: readonly string[];
  readonly daysOf: ReadonlyMap<string, readonly string[]>;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const BAD = ['critical', 'invalid', 'warning'];
const WORST_FIRST = [...BAD, 'healthy'];

async function post<T>(uri: string, path: string, body: object): Promise<T> {
  const response = await fetch(`${uri}/api/2.0/mlflow/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as T;
}

async function allRuns(uri: string, experiment_ids: string[]): Promise<RestRun[]> {
  const runs: RestRun[] = [];
  let page_token: string | undefined;
  do {
    const query = {
      experiment_ids,
      max_results: 500,
      order_by: ['attributes.start_time ASC'],
      ...(page_token ? { page_token } : {}),
    };
    const page = await post<{ runs?: RestRun[]; next_page_token?: string }>(uri, 'runs/search', query);
    runs.push(...(page.runs ?? []));
    page_token = page.next_page_token;
  } while (page_token);
  return runs;
}

const matches = (pattern: string, name: string): boolean =>
  new RegExp(
    `^${pattern
      .replaceAll(/[.+^$()|[\]{}\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  ).test(name);
function choose<Row extends { metric_name: string }>(rows: readonly Row[], name: string): Row | undefined {
  const exact = rows.find((row) => row.metric_name === name);
  const byLength = [...rows].sort((a, b) => b.metric_name.length - a.metric_name.length);
  return exact ?? byLength.find((row) => matches(row.metric_name, name));
}

function evaluate(name: string, text: number | string, experiment: string, { metrics, thresholds }: Catalog) {
  const value = Number(text);
  const own = thresholds.filter(({ experiment_id }) => experiment_id === experiment);
  const limits =
    choose(own, name) ??
    choose(
      thresholds.filter((row) => row.experiment_id === undefined),
      name,
    );
  if (!limits) return { status: 'unmonitored', value, limit: Number.NaN };
  const { critical_threshold: critical, warning_threshold: warning } = limits;
  if (Number.isNaN(value)) return { status: 'invalid', value, limit: warning };
  const higher = choose(metrics, name)?.higher_is_better ?? critical < warning;
  const violates = (limit: number) => (higher ? value < limit : value > limit);
  if (violates(critical)) return { status: 'critical', value, limit: critical };
  return { status: violates(warning) ? 'warning' : 'healthy', value, limit: warning };
}

function countsOf(runs: readonly EvaluatedRun[]): Counts {
  const of = (status: string) => runs.filter((run) => run.status === status).length;
  const [total, critical, invalid, warning, healthy] = [
    runs.length,
    of('critical'),
    of('invalid'),
    of('warning'),
    of('healthy'),
  ];
  const evaluated = critical + invalid + warning + healthy;
  const rate = (part: number, whole: number) =>
    whole === 0 ? null : `${((100 * part) / whole).toFixed(1)} %`;
  const light = () => {
    if (total === 0) return 'no_data';
    if (100 * critical > 20 * evaluated || 100 * (healthy + warning) < 80 * evaluated) return 'critical';
    if (100 * (critical + invalid) > 5 * evaluated || 100 * healthy < 80 * evaluated) return 'warning';
    if (100 * runs.filter(({ failed }) => failed).length > 50 * total) return 'warning';
    return evaluated === 0 ? 'unmonitored' : 'healthy';
  };
  return {
    ...{ total, critical, invalid, warning, healthy, unmonitored: total - evaluated },
    passRate: rate(healthy + warning, evaluated),
    coverage: rate(evaluated, total),
    light: light(),
  };
}

/** The metric that causes the light, with its latest bad value and when it turned bad. */
function findIncident(
  application: string,
  light: string,
  runs: readonly EvaluatedRun[],
  from: number,
  to: number,
): ExpectedIncident {
  const names = new Set(runs.flatMap(({ metrics }) => [...metrics.keys()]));
  const inSpan = runs.filter(({ time }) => time >= from);
  const count = (name: string, status: string) =>
    inSpan.filter(({ metrics }) => metrics.get(name)?.status === status).length;
  const [worst] = [...names].sort(
    (a, b) =>
      BAD.map((status) => count(b, status) - count(a, status)).find((difference) => difference !== 0) ??
      (a < b ? -1 : 1),
  );
  const metric = worst !== undefined && BAD.some((status) => count(worst, status) > 0) ? worst : null;
  if (metric === null) {
    const last = runs.at(-1)?.time ?? 0;
    const since = light === 'no_data' ? new Date(Math.floor(last / HOUR) * HOUR + DAY).toISOString() : null;
    return { application, light, metric, bad: 0, value: Number.NaN, limit: Number.NaN, since };
  }
  const series = runs
    .flatMap(({ time, metrics }) => ({ time, ...metrics.get(metric) }))
    .filter(({ time, status }) => time >= to - 7 * DAY && status !== undefined && status !== 'unmonitored');
  const last = series.findLastIndex(({ status }) => BAD.includes(status ?? ''));
  const before = series.slice(0, last).findLastIndex(({ status }) => status === 'healthy');
  const [first, shown] = [series[before + 1], series[last]];
  return {
    application,
    light,
    metric,
    bad: BAD.map((status) => count(metric, status)).find((number) => number > 0) ?? 0,
    value: shown?.value ?? Number.NaN,
    limit: shown?.limit ?? Number.NaN,
    since: new Date(first?.time ?? 0).toISOString(),
  };
}

export async function expectedPage(uri: string, catalog: Catalog, now: number): Promise<ExpectedPage> {
  const listing = await post<{ experiments: { experiment_id: string; name: string; tags?: Pairs }[] }>(
    uri,
    'experiments/search',
    {
      max_results: 1000,
      view_type: 'ALL',
    },
  );
  const experiments = new Map(listing.experiments.map((row) => [row.experiment_id, row]));
  const tag = (tags: Pairs | undefined, name: string) => tags?.find(({ key }) => key === name)?.value;
  const evaluated = (await allRuns(uri, [...experiments.keys()]))
    .filter(({ data }) => tag(data.tags, 'mlflow.parentRunId') === undefined)
    .map(({ info, data }): EvaluatedRun => {
      const experiment = experiments.get(info.experiment_id);
      const metrics = new Map(
        (data.metrics ?? [])
          .filter(({ key }) => !key.startsWith('system/'))
          .map(({ key, value }) => [key, evaluate(key, value, info.experiment_id, catalog)]),
      );
      const statuses = new Set([...metrics.values()].map(({ status }) => status));
      return {
        application:
          tag(data.tags, 'application') ?? tag(experiment?.tags, 'application') ?? experiment?.name ?? '',
        time: info.start_time,
        id: info.run_id,
        failed: ['FAILED', 'KILLED'].includes(info.status),
        running: ['RUNNING', 'SCHEDULED'].includes(info.status),
        status: WORST_FIRST.find((status) => statuses.has(status)) ?? 'unmonitored',
        metrics,
      };
    })
    .sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
  const to = (Math.floor(now / HOUR) + 1) * HOUR;
  const today = Math.floor(now / DAY) * DAY;
  const ends = Array.from({ length: 30 }, (_, i) => (i === 29 ? to : today - (28 - i) * DAY));
  const runs = evaluated.filter(({ running }) => !running);
  const within = (all: readonly EvaluatedRun[], end: number) =>
    all.filter(({ time }) => time >= end - DAY && time < end);
  const names = [...new Set(runs.map(({ application }) => application))].sort();
  const of = (name: string) => runs.filter(({ application }) => application === name);
  const applications = new Map(names.map((name) => [name, countsOf(within(of(name), to))]));
  const incidents = names.flatMap((name) => {
    const { light } = applications.get(name) ?? { light: '' };
    const recent = (of(name).at(-1)?.time ?? 0) >= to - 7 * DAY;
    const needsAttention = light === 'critical' || light === 'warning' || (light === 'no_data' && recent);
    return needsAttention ? [findIncident(name, light, of(name), to - DAY, to)] : [];
  });
  return {
    platform: countsOf(within(runs, to)),
    running: within(
      evaluated.filter(({ running }) => running),
      to,
    ).length,
    applications,
    incidents,
    days: ends.map((end) => countsOf(within(runs, end)).light),
    daysOf: new Map(names.map((name) => [name, ends.map((end) => countsOf(within(of(name), end)).light)])),
  };
}
