// Measures how long the event loop stands still during heavy work of the built service.
//   node event-loop.mjs <case>      without a case: prints the names of all, JSON
// Prints JSON: seconds in all, the longest delay and the longest CPU time of a turn in ms, peak memory in MB.
// `DIST=<folder>` measures another build.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { peakMemory } from '../lib/usage-at-exit.mjs';

const dist = resolve(process.env.DIST ?? fileURLToPath(new URL('../../dist', import.meta.url)));
const load = (path) => import(pathToFileURL(join(dist, path)).href);
const optional = (path) => load(path).catch(() => undefined);
const folder = mkdtempSync(join(tmpdir(), 'event-loop-'));

const settings = {
  rules_version: 1,
  application_tag: 'application',
  count_nested_runs: false,
  count_nested_of: [],
  judge_running: false,
  experiment_include: [],
  experiment_exclude: [],
  metric_include: [],
  metric_exclude: [],
  moving_average_window_hours: 24,
  light_span_hours: 24,
  critical_runs_percent: 1,
  pass_rate_percent: 1,
  warning_runs_percent: 1,
  failed_runs_percent: 1,
};
const names = (count) => Array.from({ length: count }, (_, i) => `training_${i % 977}_metric_${i}_loss`);
const rowOf = (metric_name) => ({
  metric_name,
  experiment_id: null,
  critical_threshold: 0.7,
  warning_threshold: 0.8,
  updated_at: '2026-03-01T00:00:00Z',
  updated_by: 'ada',
});
/** Patterns of several forms, most of which match nothing. */
const patterns = (count) =>
  Array.from(
    { length: count },
    (_, i) => [`team_${i}_*`, `*_accuracy_${i}`, `*part_${i}_of*`, `train?ng_*_${i}_loss`][i % 4],
  );
const catalogOf = (count) => ({
  metrics: names(count).map((metric_name) => ({
    metric_name,
    display_name: `Metric ${metric_name}`,
    unit: '%',
    higher_is_better: true,
  })),
});
const yamlOf = ({ metrics }) => `metrics:\n${metrics.map((row) => `  - ${JSON.stringify(row)}\n`).join('')}`;

/** Runs the rule resolution and the digest of one day, as the build does it. */
async function judge(rules, metrics) {
  const { scopeOfDay, inputsDigest } = await load('enrichment/day-scope.js');
  const { inSlices } = (await optional('config/event-loop.js')) ?? {};
  const pairs = { experiment_id: metrics.map(() => '1'), metric_name: metrics };
  if (!inSlices) {
    const scope = scopeOfDay(pairs, {}, rules);
    createHash('sha256')
      .update(JSON.stringify({ base: 'x', ...scope, settings }))
      .digest('hex');
    return JSON.stringify(scope.rules).length;
  }
  const scope = await inSlices(scopeOfDay(pairs, {}, rules));
  await inSlices(inputsDigest('x', scope, settings));
  const { jsonArraySteps } = await load('domain/json-steps.js');
  const pieces = [];
  await inSlices(jsonArraySteps(scope.rules, (piece) => pieces.push(piece)));
  return pieces.join('').length;
}

async function readCatalog(file, text) {
  const { openCatalog } = await load('enrichment/catalog-source.js');
  writeFileSync(join(folder, file), text);
  const url = pathToFileURL(join(folder, file)).href;
  const source = openCatalog(undefined, {
    metricsUrl: url,
    thresholdsUrl: undefined,
    maxRetries: 0,
    timeoutMs: 0,
  });
  return async () => (await source.read([])).metadata.length;
}

const matching = (count) => () => {
  const rules = { metadata: [], thresholds: patterns(count).map(rowOf), settings };
  const metrics = names(100_000);
  return () => judge(rules, metrics);
};
/** Each case prepares its input and returns the work to measure. */
const CASES = {
  'names-200-patterns': matching(200),
  'names-5000-patterns': matching(5_000),
  'json-100k-rows': () => readCatalog('catalog.json', JSON.stringify(catalogOf(100_000))),
  'yaml-20k-rows': () => readCatalog('catalog.yaml', yamlOf(catalogOf(20_000))),
  'yaml-100k-rows': () => readCatalog('catalog.yaml', yamlOf(catalogOf(100_000))),
  'rulebook-100k-entries-30-days': async () => {
    const { FolderStore } = await load('storage/folder-store.js');
    const rulebook = await load('state/rulebook.js');
    const { inSlices } = (await optional('config/event-loop.js')) ?? {};
    const store = await FolderStore.open({ dir: folder });
    const { metrics } = catalogOf(100_000);
    const rows = {
      metadata: metrics.map((row) => ({ description: null, category: null, ...row })),
      thresholds: metrics.map(({ metric_name }) => rowOf(metric_name)),
    };
    const book = rulebook.updateRulebook(undefined, rows, settings, { at: 0, from: '2026-03-01' });
    await store.put(rulebook.RULEBOOK_KEY, Buffer.from(JSON.stringify(book)));
    const day = (i) => `2026-03-${String(i + 1).padStart(2, '0')}`;
    return async () => {
      for (let i = 0; i < 30; i++) {
        const stored = await rulebook.readRulebook(store);
        const rules = inSlices
          ? await inSlices(rulebook.rulesOnSteps(stored, day(i)))
          : rulebook.rulesOn(stored, day(i));
        await judge(rules, names(1_000));
      }
      return 30;
    };
  },
  'rulebook-100k-entries-refresh': async () => {
    const { FolderStore } = await load('storage/folder-store.js');
    const { RulebookSync } = await load('enrichment/rulebook-sync.js');
    const store = await FolderStore.open({ dir: folder });
    const rows = catalogOf(100_000);
    const read = await readCatalog('catalog.json', JSON.stringify(rows));
    const { openCatalog } = await load('enrichment/catalog-source.js');
    const url = pathToFileURL(join(folder, 'catalog.json')).href;
    const source = openCatalog(undefined, { metricsUrl: url, thresholdsUrl: undefined });
    const options = { store, settings, source, ttlMs: 0, reevaluateDays: 7, clock: Date.now, log: console };
    const sync = new RulebookSync({ ...options, reevaluate: async () => undefined });
    return async () => {
      await sync.refresh();
      await sync.refresh();
      return read();
    };
  },
};

async function measure(name) {
  // Loaded before, so that only the work is measured.
  for (const path of ['enrichment/day-scope.js', 'enrichment/catalog-source.js', 'state/rulebook.js'])
    await load(path);
  await optional('domain/json-steps.js');
  const work = await CASES[name]();
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  await new Promise((done) => setTimeout(done, 50));
  delay.reset();
  // On a busy machine the delay contains the time of other programs; the CPU time of a turn does not.
  let longestTurn = 0;
  let cpu = process.cpuUsage();
  const ticks = setInterval(() => {
    const { user, system } = process.cpuUsage(cpu);
    longestTurn = Math.max(longestTurn, (user + system) / 1000);
    cpu = process.cpuUsage();
  }, 1);
  const start = performance.now();
  let result;
  try {
    result = await work();
  } catch (error) {
    result = error.message;
  }
  const total = performance.now() - start;
  await new Promise((done) => setTimeout(done, 50));
  clearInterval(ticks);
  delay.disable();
  const delayMs = delay.max / 1e6;
  console.log(
    JSON.stringify({
      seconds: total / 1000,
      delay: delayMs,
      turn: longestTurn,
      memory: peakMemory(),
      result,
    }),
  );
}

try {
  const [name] = process.argv.slice(2);
  if (name === undefined) console.log(JSON.stringify(Object.keys(CASES)));
  else await measure(name);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
