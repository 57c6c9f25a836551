import { pageOf } from './result-page.js';
import { invalid, MlflowError } from './run-filter.js';

/** A version of a registered model. */
export interface FakeModelVersion {
  readonly name: string;
  readonly version: number;
  /** null: registered without a run. */
  readonly run_id: string | null;
  readonly tags: Record<string, string>;
  /** ms; MLflow does not change it with a tag. */
  readonly updated: number;
}

type Body = Readonly<Record<string, unknown>>;

const absent = (message: string): MlflowError => new MlflowError(404, 'RESOURCE_DOES_NOT_EXIST', message);

/** The part of MLflow's model registry that this service uses. The contract suite compares the two. */
export class ModelRegistry {
  readonly versions: FakeModelVersion[] = [];
  private readonly aliases = new Map<string, number>();

  /** Creates the next version of a model. */
  create(name: string, run_id: string | null, updated = Date.now()): FakeModelVersion {
    const version = this.versionsOf(name).length + 1;
    const created = { name, version, run_id, tags: {}, updated };
    this.versions.push(created);
    return created;
  }

  setAlias(name: string, alias: string, version: number): void {
    this.aliases.set(`${name}@${alias}`, version);
  }

  versionOf(name: string, alias: string): number | undefined {
    return this.aliases.get(`${name}@${alias}`);
  }

  /** @returns `undefined` if it is not a request of the registry. @throws {MlflowError} */
  handle(method: string | undefined, path: string, body: Body): object | undefined {
    if (method === 'GET' && path === 'model-versions/get') return this.get(body);
    if (method === 'GET' && path === 'registered-models/alias') return this.getByAlias(body);
    if (method === 'POST' && path === 'registered-models/alias') return this.postAlias(body);
    if (method === 'POST' && path === 'model-versions/set-tag') return this.setTag(body);
    if (method === 'GET' && path === 'model-versions/search') return this.search(body);
    return undefined;
  }

  private get(body: Body): object {
    return { model_version: versionJson(this.find(required(body, 'name'), required(body, 'version'))) };
  }

  private getByAlias(body: Body): object {
    const [name, alias] = [required(body, 'name'), required(body, 'alias')];
    const versions = this.versionsOf(name);
    const newest = versions.at(-1);
    if (!newest) throw absent(`Registered Model with name=${name} not found`);
    // MLflow reserves this alias.
    const version = alias === 'latest' ? newest.version : this.versionOf(name, alias);
    if (version === undefined) throw invalid(`Registered model alias ${alias} not found.`);
    return { model_version: versionJson(this.find(name, String(version))) };
  }

  private postAlias(body: Body): object {
    const [name, alias, version] = [
      required(body, 'name'),
      required(body, 'alias'),
      required(body, 'version'),
    ];
    this.setAlias(name, alias, this.find(name, version).version);
    return {};
  }

  private setTag(body: Body): object {
    const version = this.find(required(body, 'name'), required(body, 'version'));
    version.tags[required(body, 'key')] = String(body.value ?? '');
    return {};
  }

  private search(body: Body): object {
    const filter = String(body.filter ?? '');
    const name = /^name = (?:'([^']*)'|"([^"]*)")$/
      .exec(filter)
      ?.slice(1)
      .find((text) => text !== undefined);
    const isOfName = name !== undefined && body.order_by === 'version_number DESC';
    const isOfAll = filter === '' && body.order_by === 'last_updated_timestamp DESC';
    if (!isOfName && !isOfAll) {
      throw new MlflowError(501, 'NOT_IMPLEMENTED', 'The demo server does not support this search of models');
    }
    const found = isOfName
      ? this.versionsOf(name).reverse()
      : [...this.versions].sort((a, b) => b.updated - a.updated);
    return pageOf('model_versions', found, Number(body.max_results), body.page_token, versionJson);
  }

  private find(name: string, version: string): FakeModelVersion {
    const found = this.versionsOf(name).find((each) => String(each.version) === version);
    if (!found) throw absent(`Model Version (name=${name}, version=${version}) not found`);
    return found;
  }

  private versionsOf(name: string): FakeModelVersion[] {
    return this.versions.filter((each) => each.name === name);
  }
}

function required(body: Body, name: string): string {
  const value = body[name];
  if (!value) throw invalid(`Missing value for required parameter '${name}'.`);
  return String(value);
}

const versionJson = ({ name, version, run_id, tags, updated }: FakeModelVersion) => {
  const pairs = Object.entries(tags).map(([key, value]) => ({ key, value }));
  return {
    name,
    version: String(version),
    run_id: run_id ?? '',
    status: 'READY',
    creation_timestamp: updated,
    last_updated_timestamp: updated,
    ...(pairs.length > 0 ? { tags: pairs } : {}),
  };
};
