import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareJson } from './compare-json.mjs';
import { compareServices } from './compare-services.mjs';
import { StoreComparison } from './compare-stores.mjs';
import { readLog } from './logs.mjs';
import { runCommand, TOKEN } from './processes.mjs';

const CATALOG_NAMES = ['METRICS_API_URL', 'THRESHOLDS_API_URL'];

/** Runs both builds with the same inputs and the same frozen clock, each on its own store. */
export class Scenario {
  /** The frozen time of both builds and of the tracking server, ms. */
  at = 0;
  /** The catalog file in the folder of the scenario. */
  catalog = 'catalog.json';

  /** @param {{ old: string, new: string }} dists */
  static async open(report, name, folder, dists) {
    const sides = ['old', 'new'].map((side) => ({ dist: dists[side], folder: join(folder, side) }));
    for (const side of sides) await mkdir(side.folder, { recursive: true });
    await writeFile(join(folder, 'tokens'), `${createHash('sha256').update(TOKEN).digest('hex')} somebody\n`);
    return new Scenario(report, name, folder, sides);
  }

  constructor(report, name, folder, sides) {
    Object.assign(this, { report, name, folder, sides });
    const [before, after] = sides.map((side) => join(side.folder, 'store'));
    this.stores = new StoreComparison(report, name, before, after);
  }

  /** The settings of a step. Each queue runs one job at a time: the order of jobs must not depend on their speed. */
  env(more = {}) {
    return {
      MLFLOW_TRACKING_URI: this.uri,
      ...Object.fromEntries(CATALOG_NAMES.map((name) => [name, `file:../${this.catalog}`])),
      STORAGE_DIR: './store',
      ADMIN_TOKEN_SHA256_FILE: '../tokens',
      INGESTION_CONCURRENCY: '1',
      ENRICHMENT_CONCURRENCY: '1',
      ...more,
    };
  }

  /** Runs a command that changes the store with both builds, then compares the stores. */
  async run(step, args, env = {}) {
    const begun = performance.now();
    const ended = await Promise.all(
      this.sides.map((side) => runCommand(side, args, { at: this.at, env: this.env(env) })),
    );
    const [before, after] = ended.map(({ stdout, stderr }, i) =>
      readLog(`${stdout}\n${stderr}`, this.sides[i]),
    );
    const [old, young] = ended;
    const where = `${this.name}, ${step}`;
    this.report.counts.commands++;
    if (old.code !== young.code) {
      this.report.difference(
        'exit codes',
        where,
        `${old.code} → ${young.code}: ${young.stdout}${young.stderr}`,
      );
    }
    this.report.found('fields of log lines', where, compareJson(before.fields, after.fields));
    this.report.lines(where, before.messages, after.messages);
    await this.#done(step, begun);
  }

  /** Starts both builds as services, sends them the same requests, and compares responses, logs and stores. */
  async serve(step, script, env = {}) {
    const begun = performance.now();
    await compareServices(this, step, script, { at: this.at, env: this.env(env) });
    await this.#done(step, begun);
  }

  async #done(step, begun) {
    await this.stores.compare(step);
    console.log(`${this.name}, ${step}: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  }
}
