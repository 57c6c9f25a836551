import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { QUEUES } from '../../../src/queue/queue-names.js';

/** Texts by where they are. */
export type Found = Map<string, string>;

interface OpenApi {
  readonly paths: Readonly<
    Record<string, { get?: { parameters?: { name: string; in: string; required?: boolean }[] } }>
  >;
}

const TODAY = new Date().toISOString().slice(0, 10);
/** Values of required parameters. A request with another one needs a value here. */
const VALUES: Readonly<Record<string, string>> = {
  application: 'fraud',
  metric: 'recall',
  run_id: 'run000000',
  day: TODAY,
  check: 'metric_ranges',
  id: 'backfill-1',
};
/** What is served besides the REST API. */
const PAGES = [
  ...['/', '/login', '/alerts', '/app/fraud', '/app/fraud/metric/recall', '/nothing', '/api/v1/series'],
  ...['/docs', '/docs/openapi.json', '/docs/swagger-ui-init.js'],
  `/api/v1/explanation?day=${TODAY}&run_id=run000000&metric=recall`,
  ...['', '/api/queues', '/api/redis/stats', '/api/job-schedulers', '/api/metrics/latency'].map(
    (path) => `/admin/queues${path}`,
  ),
];
const OF_QUEUES = ['metrics', 'default-job-options', 'workers', 'rate-limit', 'job-data-schema'];

/** The responses to every GET request that the OpenAPI document describes, of the pages and of Bull Board. */
export async function responsesOf(url: string, token: string): Promise<Found> {
  const found: Found = new Map();
  const get = async (path: string): Promise<string> => {
    const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    const text = await response.text();
    found.set(`GET ${path}`, `${response.status} ${JSON.stringify([...response.headers])}\n${text}`);
    return text;
  };
  const { paths }: OpenApi = JSON.parse(await get('/docs/openapi.json'));
  for (const [path, { get: operation }] of Object.entries(paths)) {
    // A stream does not end. Its events name days and pipeline runs.
    if (!operation || path === '/api/v1/events') continue;
    const required = (operation.parameters ?? []).filter((parameter) => parameter.required);
    const givenTo = ({ name }: { name: string }): string => {
      const value = VALUES[name];
      if (value === undefined) throw new Error(`GET ${path}: give the parameter ${name} a value`);
      return value;
    };
    const query = required
      .filter((each) => each.in === 'query')
      .map((each): [string, string] => [each.name, givenTo(each)]);
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => givenTo({ name }));
    await get(query.length > 0 ? `${filled}?${new URLSearchParams(query)}` : filled);
  }
  for (const path of PAGES) await get(path);
  for (const queue of QUEUES) {
    const board = '/admin/queues/api/queues';
    for (const path of OF_QUEUES) await get(`${board}/${queue}/${path}`);
    const listed = JSON.parse(await get(`${board}?activeQueue=${queue}&page=1&jobsPerPage=100`));
    const { jobs = [] } = listed.queues.find((each: { name: string }) => each.name === queue) ?? {};
    for (const { id } of jobs as { id: string }[]) {
      for (const path of ['', '/logs', '/flow'])
        await get(`${board}/${queue}/${encodeURIComponent(id)}${path}`);
    }
  }
  return found;
}

/** All files below a folder, and the rows of the Parquet files among them. */
export async function filesBelow(folder: string, except: readonly string[] = []): Promise<Found> {
  const found: Found = new Map();
  const connection = await (await DuckDBInstance.create()).connect();
  for (const name of await readdir(folder, { recursive: true })) {
    const file = join(folder, name);
    if (except.includes(name) || !(await stat(file)).isFile()) continue;
    found.set(name, await readFile(file, 'latin1'));
    if (!name.endsWith('.parquet')) continue;
    const rows = await connection.runAndReadAll('SELECT to_json(t)::VARCHAR FROM read_parquet($1) t', [file]);
    found.set(`rows of ${name}`, JSON.stringify(rows.getRows()));
  }
  connection.closeSync();
  return found;
}

/** The command lines of a process and of those that it started, which every user of a machine can read. */
export async function commandLinesOf(pid: number): Promise<Found> {
  const found: Found = new Map([[`command line of ${pid}`, await readFile(`/proc/${pid}/cmdline`, 'utf8')]]);
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const children = await readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '');
    for (const child of children.split(' ').filter(Boolean)) {
      for (const [place, text] of await commandLinesOf(Number(child))) found.set(place, text);
    }
  }
  return found;
}

/** Where a secret is, as it is or as a server would repeat it. */
export function leaksIn(found: Found, secrets: readonly string[]): string[] {
  const formsOf = (secret: string) =>
    new Set([
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(secret).toString('base64'),
    ]);
  return [...found].flatMap(([place, text]) =>
    secrets
      .filter((secret) => [...formsOf(secret)].some((form) => text.includes(form)))
      .map((secret) => `${secret} in ${place}`),
  );
}
