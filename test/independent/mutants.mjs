import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Deliberate faults that the comparison must find: each replaces a text that occurs exactly once in the built service.
 * `shows` matches one of the differences that are then printed.
 */
export const EVALUATION_MUTANTS = [
  {
    name: 'a value on the critical limit is critical',
    file: 'enrichment/sql/judge_metrics.sql',
    find: 'metric."value" < critical_threshold',
    replace: 'metric."value" <= critical_threshold',
    shows: /^ {2}enriched_metrics: .*: status: expected '(healthy|warning)', is 'critical'$/m,
  },
  {
    name: 'thresholds of an experiment are ignored',
    file: 'domain/rule.js',
    find: 'const experimentRows = rowsFor(thresholds.get(experimentId), metricName);',
    replace: 'const experimentRows = [];',
    shows: /^ {2}enriched_metrics: .*: threshold_source: expected 'experiment', is /m,
  },
  {
    name: 'NaN is healthy',
    file: 'enrichment/sql/judge_metrics.sql',
    find: "WHEN invalid_kind IS NOT NULL THEN 'invalid'",
    replace: "WHEN invalid_kind IS NOT NULL THEN 'healthy'",
    shows: /^ {2}enriched_metrics: .*: status: expected 'invalid', is 'healthy'$/m,
  },
  {
    name: 'the newest updated_at is ignored',
    file: 'domain/rule.js',
    find: 'compareTimes(a.updated_at, b.updated_at) ||',
    replace: '',
    shows: /^ {2}enriched_metrics: .*: threshold_updated_by: expected 'newer/m,
  },
  {
    name: 'the tag of an experiment does not choose which children count',
    file: 'enrichment/sql/judge_runs.sql',
    find: "WHEN experiments.nested IS NOT NULL THEN experiments.nested = 'count'",
    replace: '',
    shows: /^ {2}runs: .*: ignored_child: expected (True, is False|False, is True)$/m,
  },
  {
    name: 'the reason of a light without data does not name child runs',
    file: 'domain/hourly-rollup.js',
    find: 'namesUncounted ? current : undefined',
    replace: 'undefined',
    shows: /^ {2}application_summary: .*: light_reason: expected 'No run that counts/m,
  },
  {
    name: 'the level of a forecast is as certain as the filter says',
    file: 'domain/forecast/forecast-ahead.js',
    find: 'const LEVEL_UNCERTAINTY = 1.75;',
    replace: 'const LEVEL_UNCERTAINTY = 1;',
    shows: /^ {2}forecasts: .*: (lower|upper)_95 \d+: expected /m,
  },
  {
    name: 'a row is forecast after it was observed',
    file: 'domain/forecast/tail.js',
    find: 'predictions[i] = state.predict(rows.times[i]);\n        state.observe(rows.times[i], rows.values[i]);',
    replace:
      'state.observe(rows.times[i], rows.values[i]);\n        predictions[i] = state.predict(rows.times[i]);',
    shows: /^ {2}forecasts: .*: forecast: expected /m,
  },
];
export const LOOKBACK_MUTANT = {
  name: 'the lookback is measured from the end of the window',
  file: 'ingestion/plan-pipeline-run.js',
  find: 'Math.min(to, watermark) - lookback',
  replace: 'to - lookback',
  shows: /^ {2}runs: .*: the row is missing$/m,
};

/** Copies `dist` and inserts the fault. @returns the folder of the copy */
export async function mutate(root, folder, { name, file, find, replace }) {
  const dist = join(folder, 'dist');
  await mkdir(folder, { recursive: true });
  await cp(join(root, 'dist'), dist, { recursive: true });
  await cp(join(root, 'package.json'), join(folder, 'package.json'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const path = join(dist, file);
  const text = await readFile(path, 'utf8');
  const occurrences = text.split(find).length - 1;
  if (occurrences !== 1) {
    throw new Error(`The text of the mutant "${name}" occurs ${occurrences} times in ${file}, not once`);
  }
  await writeFile(
    path,
    text.replace(find, () => replace),
  );
  return dist;
}
