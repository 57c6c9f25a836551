import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareCommands } from './commands.mjs';
import { compareJson } from './compare-json.mjs';
import { TOKEN } from './processes.mjs';
import { readEverything, readFixed, tryTokens, writeBackfills } from './requests.mjs';
import { Scenario } from './scenario.mjs';

const FOUNDED = Date.UTC(2026, 2, 18, 10, 20, 30, 123);
const MINUTE = 60_000;
const DAY = 86_400_000;
const dayOf = (ms) => new Date(ms).toISOString().slice(0, 10);

/** An edited catalog: limits changed, a row removed, a pattern added, a direction reversed, and an invalid row. */
function edited({ metrics, thresholds }, now) {
  const [first, second, , ...others] = thresholds;
  const by = { updated_at: new Date(now).toISOString(), updated_by: 'somebody' };
  const swapped = { ...first, critical_threshold: first.warning_threshold, ...by };
  const loosened = { ...second, warning_threshold: second.critical_threshold, ...by };
  const added = {
    metric_name: '*',
    experiment_id: '3',
    critical_threshold: null,
    warning_threshold: 0.5,
    ...by,
  };
  const [described, ...descriptions] = metrics;
  return {
    metrics: [{ ...described, higher_is_better: !described.higher_is_better }, ...descriptions],
    thresholds: [swapped, loosened, ...others, added, { metric_name: 'wrong', critical_threshold: 'x' }],
  };
}

const demoOf = async (dist) => ({
  ...(await import(join(dist, 'demo/company.js'))),
  ...(await import(join(dist, 'demo/company-server.js'))),
});

/** Both builds must generate the same company. The tracking server of the old build serves both. */
async function foundCompany(report, dists, seed, name) {
  const [old, young] = [await demoOf(dists.old), await demoOf(dists.new)];
  const company = old.foundCompany(seed, FOUNDED);
  const other = young.foundCompany(seed, FOUNDED);
  const document = (each) => ({
    experiments: each.experiments,
    catalog: each.catalog,
    runs: each.runs(company.story.begins, FOUNDED + DAY),
  });
  report.counts.objects++;
  report.found('demo company', name, compareJson(document(company), document(other)));
  return { company, serve: old.serveCompany };
}

/** Monitors the company of the demo through all kinds of pipeline runs, a change of the catalog and an outage of it. */
export async function compareDemoCompany(report, folder, dists, seed) {
  const name = `demo seed ${seed}`;
  await mkdir(folder, { recursive: true });
  const { company, serve } = await foundCompany(report, dists, seed, name);
  const scenario = await Scenario.open(report, name, folder, dists);
  scenario.at = FOUNDED;
  const server = await serve(company, () => scenario.at);
  scenario.uri = server.uri;
  const write = (file, text) => writeFile(join(folder, file), text);
  await write('catalog.json', JSON.stringify(company.catalog));
  await write('broken.json', '{');
  const later = (ms) => {
    scenario.at += ms;
  };
  try {
    await scenario.run('bootstrap', ['run', 'bootstrap']);
    await scenario.serve('after the bootstrap', async (visit) => {
      await readEverything(visit);
      await readFixed(visit);
    });
    for (const [kind, wait] of Object.entries({ delta: 7, backup: 35, historical: 90 })) {
      later(wait * MINUTE);
      await scenario.run(kind, ['run', kind]);
    }
    later(5 * MINUTE);
    await write('catalog-later.json', JSON.stringify(edited(company.catalog, scenario.at)));
    scenario.catalog = 'catalog-later.json';
    // In a service, which finishes the reevaluation: a command would exit after its own pipeline run.
    await scenario.serve('a change of the catalog', readEverything);
    await scenario.run('delta after the change', ['run', 'delta']);
    later(10 * MINUTE);
    await scenario.run('delta without a catalog', ['run', 'delta'], {
      METRICS_API_URL: 'file:../broken.json',
      THRESHOLDS_API_URL: 'file:../broken.json',
    });
    const [from, to, future] = [-4, -2, 2].map((days) => dayOf(scenario.at + days * DAY));
    await scenario.run('backfill', ['backfill', '--from', from, '--to', to]);
    await compareCommands(scenario);
    later(150 * MINUTE);
    const api = { ROLES: 'api' };
    await scenario.serve('without workers', readEverything, api);
    await scenario.serve('backfills', writeBackfills({ from, to, future }), api);
    await scenario.serve('tokens', tryTokens(TOKEN), api);
  } finally {
    await server.close();
  }
}
