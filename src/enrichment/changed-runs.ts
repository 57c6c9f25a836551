import { inSlices } from '../config/event-loop.js';
import { groupBy } from '../domain/group-by.js';
import { chooseThreshold, ruleResolverSteps, thresholdIndexSteps } from '../domain/rule.js';
import type { Steps } from '../domain/steps.js';
import type { ChangedRuns } from '../pipeline/stage-contracts.js';
import type { Unit } from '../pipeline/units.js';
import { readExperiments } from '../state/experiments.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { type DayRules, readRulebook, rulesOnSteps } from '../state/rulebook.js';
import {
  type ChangeSpan,
  rulebookBefore,
  type ThresholdChange,
  thresholdChanges,
} from '../state/threshold-changes.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { baseKey } from '../storage/keys.js';
import type { IndexedObject } from '../storage/object-index.js';
import type { ObjectStore } from '../storage/object-store.js';
import { type DayPart, dayParts } from '../storage/parts.js';
import type { StoredFile } from '../storage/publish.js';
import { readDayPairs } from './base-facts.js';
import { createScope, type DayScope } from './day-scope.js';
import { judge } from './judge-day.js';

/** The runs of a whole day need not be divided to be counted. */
const WHOLE_DAY: Division = { part: 0, files: 1 };

type Division = Pick<DayPart, 'part' | 'files'>;

/**
 * How many stored runs of a unit have a metric whose status differs after each threshold change. Judges the day's facts by
 * the rulebook before the change and after it.
 */
export function countChangedRuns(
  store: ObjectStore,
  duck: Duck,
  unit: Unit,
  span: ChangeSpan,
): Promise<ChangedRuns> {
  const { day } = unit;
  return duck.session(async (session) => {
    const book = await readRulebook(store);
    const changes = book ? thresholdChanges(book, span) : [];
    const files = changes.length > 0 ? await partitionFilesOf(store).on(day) : 0;
    const bases: (IndexedObject & StoredFile)[] = [];
    for (const { part } of dayParts(day, files)) {
      const key = baseKey(day, part);
      const base = await store.fetch(key);
      if (base) bases.push({ ...base, key });
    }
    if (!book || bases.length === 0) return [];
    const fetch = async ({ file }: StoredFile) => file;
    const scopeBy = createScope(
      ({ settings }) => readDayPairs(store, session, bases, fetch, files, settings.application_tag),
      await readExperiments(store),
    );
    const rulesBefore = (time: number) => inSlices(rulesOnSteps(rulebookBefore(book, time), day));
    const local = bases.map(({ file }) => file);
    const division = typeof unit.part === 'number' ? { part: unit.part, files } : WHOLE_DAY;
    const changedRuns: ChangedRuns = [];
    for (const [time, simultaneous] of groupBy(changes, ({ changed_at }) => changed_at)) {
      const applied = simultaneous.filter(({ first_day }) => first_day === null || first_day <= day);
      const [before, after] = [await rulesBefore(time), await rulesBefore(time + 1)];
      const counted = await count(session, local, division, applied, await scopeBy(after), before, after);
      changedRuns.push(...counted);
    }
    return changedRuns;
  });
}

async function count(
  session: DuckSession,
  bases: readonly string[],
  division: Division,
  changes: readonly ThresholdChange[],
  scope: DayScope,
  before: DayRules,
  after: DayRules,
): Promise<ChangedRuns> {
  const pairs = await inSlices(pairsOf(changes, scope.rules, before, after));
  if (pairs.length === 0) return [];
  const affected = new Set(pairs.map(({ experiment_id, metric_name }) => `${experiment_id} ${metric_name}`));
  const rules = scope.rules.filter(({ experiment_id, metric_name }) =>
    affected.has(`${experiment_id} ${metric_name}`),
  );
  const oldRules = await inSlices(resolveAll(rules, before));
  await judge(session, bases, { ...scope, rules: oldRules }, before, division);
  await session.run(
    'CREATE OR REPLACE TEMP TABLE judged_before AS SELECT run_id, metric_name, status FROM judged',
  );
  await judge(session, bases, { ...scope, rules }, after, division);
  const rows = await session.rows<{ change: number; runs: number }>(
    sql(import.meta.url, './sql/changed_runs.sql'),
    { pairs: JSON.stringify(pairs) },
  );
  return rows.flatMap(({ change, runs }) => {
    const found = changes[change];
    if (!found) return [];
    const { metric_name, experiment_id, changed_at } = found;
    return [{ metric_name, experiment_id, changed_at, runs }];
  });
}

/** The rules of the same experiments and metrics by other rows. */
function* resolveAll(rules: DayScope['rules'], { metadata, thresholds }: DayRules): Steps<DayScope['rules']> {
  const resolve = yield* ruleResolverSteps(metadata, thresholds);
  const resolved: DayScope['rules'][number][] = [];
  for (const { experiment_id, metric_name } of rules) {
    yield;
    resolved.push({ experiment_id, metric_name, ...resolve(metric_name, experiment_id) });
  }
  return resolved;
}

interface Pair {
  /** Index of the change. */
  readonly change: number;
  readonly experiment_id: string;
  readonly metric_name: string;
}

/** The experiments and metrics of the scope whose rule comes from a changed row, before the change or after it. */
export function* pairsOf(
  changes: readonly ThresholdChange[],
  scope: readonly Omit<Pair, 'change'>[],
  before: DayRules,
  after: DayRules,
): Steps<Pair[]> {
  const byKey = new Map(
    changes.map(({ metric_name, experiment_id }, change) => [
      JSON.stringify([metric_name, experiment_id]),
      change,
    ]),
  );
  const sides = [];
  for (const { metadata, thresholds } of [before, after]) {
    const resolve = yield* ruleResolverSteps(metadata, thresholds);
    sides.push({ resolve, book: yield* thresholdIndexSteps(thresholds) });
  }
  const pairs: Pair[] = [];
  for (const { metric_name, experiment_id } of scope) {
    yield;
    const found = new Set<number>();
    for (const { resolve, book } of sides) {
      const { higher_is_better } = resolve(metric_name, experiment_id);
      const row = chooseThreshold(metric_name, experiment_id, higher_is_better, book);
      const change = row && byKey.get(JSON.stringify([row.metric_name, row.experiment_id]));
      if (typeof change === 'number') found.add(change);
    }
    for (const change of found) pairs.push({ change, experiment_id, metric_name });
  }
  return pairs;
}
