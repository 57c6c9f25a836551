import { z } from 'zod';
import { MonitorError } from '../domain/errors.js';
import type { MlflowRequests } from './mlflow-api.js';

const tagsSchema = z
  .array(z.object({ key: z.string(), value: z.string().nullish() }))
  .nullish()
  .transform((tags) => Object.fromEntries((tags ?? []).map(({ key, value }) => [key, value ?? ''])));
const versionSchema = z.object({
  name: z.string(),
  /** MLflow sends the number as text. */
  version: z.coerce.string(),
  run_id: z
    .string()
    .nullish()
    .transform((id) => id || null),
  /** ms; tags do not change it. */
  last_updated_timestamp: z.coerce.number().default(0),
  tags: tagsSchema,
});

/** A version of a registered model. `run_id` is null if it was registered without a run. */
export type ModelVersion = z.infer<typeof versionSchema>;

/** How people write a registered model: `NAME`, `NAME@ALIAS` or `NAME/VERSION`. A name contains neither `/` nor `:`. */
export interface ModelReference {
  readonly name: string;
  readonly alias?: string;
  readonly version?: string;
}

export function parseModelReference(text: string): ModelReference {
  const [, name = '', separator, rest = ''] = /^(.+?)(?:([@/])([^@/]+))?$/s.exec(text) ?? [];
  if (separator === '@') return { name, alias: rest };
  return separator === '/' ? { name, version: rest } : { name };
}

const responseSchema = z.object({ model_version: versionSchema });
const listSchema = z.object({
  model_versions: z.array(versionSchema).nullish(),
  next_page_token: z.string().nullish(),
});

/**
 * The version that a reference names; of a name alone the one with the highest number.
 * @throws {MonitorError} `unknown_model` if MLflow has no such version
 */
export async function findModelVersion(
  client: MlflowRequests,
  reference: ModelReference,
): Promise<ModelVersion> {
  const { name, alias, version } = reference;
  const unknown = () =>
    new MonitorError('unknown_model', `MLflow has no model version ${describe(reference)}`);
  try {
    if (alias !== undefined) {
      return (await client.request('GET', 'registered-models/alias', { name, alias }, responseSchema))
        .model_version;
    }
    if (version !== undefined) {
      return (await client.request('GET', 'model-versions/get', { name, version }, responseSchema))
        .model_version;
    }
    const query = { filter: `name = ${quoted(name)}`, max_results: '1', order_by: 'version_number DESC' };
    const { model_versions } = await client.request('GET', 'model-versions/search', query, listSchema);
    const [newest] = model_versions ?? [];
    if (newest) return newest;
  } catch (error) {
    throw isAbsent(error) ? unknown() : error;
  }
  throw unknown();
}

const VERSIONS_PER_PAGE = 100;

/** The versions of all models that were created or changed since a time (ms), the newest change first. */
export async function recentModelVersions(client: MlflowRequests, since: number): Promise<ModelVersion[]> {
  const recent: ModelVersion[] = [];
  const query = { max_results: String(VERSIONS_PER_PAGE), order_by: 'last_updated_timestamp DESC' };
  let token: string | undefined;
  for (;;) {
    const page = token === undefined ? query : { ...query, page_token: token };
    const { model_versions, next_page_token } = await client.request(
      'GET',
      'model-versions/search',
      page,
      listSchema,
    );
    const versions = model_versions ?? [];
    recent.push(...versions.filter(({ last_updated_timestamp }) => last_updated_timestamp >= since));
    const isOlder = versions.some(({ last_updated_timestamp }) => last_updated_timestamp < since);
    if (isOlder || versions.length === 0 || !next_page_token || next_page_token === token) return recent;
    token = next_page_token;
  }
}

export async function setModelVersionTag(
  client: MlflowRequests,
  { name, version }: ModelVersion,
  key: string,
  value: string,
): Promise<void> {
  await client.request('POST', 'model-versions/set-tag', { name, version, key, value }, z.unknown());
}

const describe = ({ name, alias, version }: ModelReference): string =>
  alias !== undefined ? `${name}@${alias}` : version !== undefined ? `${name}/${version}` : name;

/** A text of a filter. MLflow knows no escapes: of the two quotes, one may not occur. */
export const quoted = (text: string): string => (text.includes("'") ? `"${text}"` : `'${text}'`);

const runSchema = z.object({ run: z.object({ info: z.object({ experiment_id: z.coerce.string() }) }) });

/**
 * The experiment of a run.
 * @throws {MonitorError} `unknown_run`
 */
export async function findExperimentOf(client: MlflowRequests, run_id: string): Promise<string> {
  try {
    const { run } = await client.request('GET', 'runs/get', { run_id }, runSchema);
    return run.info.experiment_id;
  } catch (error) {
    throw isAbsent(error)
      ? new MonitorError('unknown_run', `MLflow has no run ${run_id}`, { run_id })
      : error;
  }
}

/** MLflow 3.17 responds with 404 to an unknown name, version or run, and with 400 to an unknown alias or an impossible name. */
const isAbsent = (error: unknown): boolean =>
  error instanceof MonitorError &&
  error.code === 'mlflow_refused' &&
  (error.context.status === 404 || error.context.status === 400);
