import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { compareJson, inState, nowhere } from './compare-json.mjs';
import { explainParquet } from './explain-parquet.mjs';
import { withoutRandom } from './normalise.mjs';

/** The objects of a store by key. Names that begin with a dot are temporary files, caches and the lock. */
async function objectsOf(root) {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const keys = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((key) => !key.startsWith('.'))
    .sort();
  const objects = [];
  for (const key of keys) {
    const body = await readFile(join(root, key));
    const stored = key.endsWith('.parquet') ? body : Buffer.from(withoutRandom(body.toString('utf8')));
    const digest = createHash('sha256').update(stored).digest('hex');
    objects.push({ name: withoutRandom(key), file: join(root, key), stored, digest });
  }
  return new Map(numbered(objects));
}

/** Audit entries of one instant have the same key once the random suffix is replaced: they are numbered by content. */
function numbered(objects) {
  const times = new Map();
  return objects
    .sort((a, b) => (`${a.name} ${a.digest}` < `${b.name} ${b.digest}` ? -1 : 1))
    .map((object) => {
      const n = (times.get(object.name) ?? 0) + 1;
      times.set(object.name, n);
      return [n === 1 ? object.name : `${object.name} (${n})`, object];
    });
}

/**
 * Compares two stores after every step of a scenario: Parquet byte for byte, JSON documents field for field without
 * random tokens and keys. Objects that did not change since the last step are not compared again.
 */
export class StoreComparison {
  #compared = new Map();

  /** @param {string} name the scenario */
  constructor(report, name, before, after) {
    Object.assign(this, { report, name, before, after });
  }

  /** @param {string} step the step of the scenario that has just ended */
  async compare(step) {
    const [before, after] = await Promise.all([objectsOf(this.before), objectsOf(this.after)]);
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      const [old, young] = [before.get(key), after.get(key)];
      const pair = `${old?.digest} ${young?.digest}`;
      if (this.#compared.get(key) === pair) continue;
      this.#compared.set(key, pair);
      this.report.counts.objects++;
      if (old?.digest !== young?.digest) await this.#differs(step, key, old, young);
    }
  }

  async #differs(step, key, old, young) {
    const group = `objects of ${key
      .split('/')
      .slice(0, key.startsWith('_state/') ? 2 : 1)
      .join('/')}`;
    const where = `${this.name}, ${step}: ${key}`;
    if (!old || !young) this.report.difference(group, where, young ? 'is new' : 'is missing');
    else if (key.endsWith('.parquet'))
      this.report.difference(group, where, await explainParquet(old.file, young.file));
    else {
      const [a, b] = [old.stored, young.stored].map((body) => JSON.parse(body.toString('utf8')));
      const list = compareJson(a, b, key.startsWith('_state/') ? inState : nowhere);
      this.report.found(group, where, list);
    }
  }
}
