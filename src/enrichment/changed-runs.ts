import { chooseThreshold, createRuleResolver, indexByExperiment } from '../domain/rule.js';
import type { EnrichResult } from '../pipeline/stage-contracts.js';
import { type DayRules, readRulebook, rulesOn } from '../state/rulebook.js';
import {
  type ChangeSpan,
  rulebookBefore,
  type ThresholdChange,
  thresholdChanges,
} from '../state/threshold-changes.js';
import { type DuckSession, sql } from '../storage/duck.js';
import { baseKey } from '../storage/keys.js';
import { type DayScope, type JudgeTools, judge, loadScope } from './judge-day.js';

type ChangedRuns = NonNullable<EnrichResult['changed']>;

/**
 * How many stored runs of a day each change of thresholds gave another status of a metric: the day's facts judged by the
 * rulebook as it was before the change and as it was after it.
 */
export function countChangedRuns(tools: JudgeTools, day: string, span: ChangeSpan): Promise<ChangedRuns> {
  return tools.duck.session(async (session) => {
    const book = await readRulebook(tools.store);
    const changes = book ? thresholdChanges(book, span) : [];
    const base = changes.length > 0 ? await tools.store.fetch(baseKey(day)) : undefined;
    if (!book || !base) return [];
    const scopeBy = await loadScope(tools.store, session, base.file);
    const rulesBefore = (time: number) => rulesOn(rulebookBefore(book, time), day);
    const counted: ChangedRuns = [];
    for (const at of new Set(changes.map(({ changed_at }) => changed_at))) {
      const together = changes.filter(
        ({ changed_at, first_day }) => changed_at === at && (first_day === null || first_day <= day),
      );
      const [before, after] = [rulesBefore(at), rulesBefore(at + 1)];
      counted.push(...(await count(session, base.file, together, scopeBy(after), before, after)));
    }
    return counted;
  });
}

async function count(
  session: DuckSession,
  base: string,
  changes: readonly ThresholdChange[],
  scope: DayScope,
  before: DayRules,
  after: DayRules,
): Promise<ChangedRuns> {
  const pairs = pairsOf(changes, scope.rules, before, after);
  if (pairs.length === 0) return [];
  const concerned = new Set(pairs.map(({ experiment_id, metric_name }) => `${experiment_id} ${metric_name}`));
  const resolve = createRuleResolver(before.metadata, before.thresholds);
  const rules = scope.rules.filter(({ experiment_id, metric_name }) =>
    concerned.has(`${experiment_id} ${metric_name}`),
  );
  const old = rules.map(({ experiment_id, metric_name }) => ({
    experiment_id,
    metric_name,
    ...resolve(metric_name, experiment_id),
  }));
  await judge(session, base, { ...scope, rules: old }, before);
  await session.run(
    'CREATE OR REPLACE TEMP TABLE judged_before AS SELECT run_id, metric_name, status FROM judged',
  );
  await judge(session, base, { ...scope, rules }, after);
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

interface Pair {
  /** Index of the change. */
  readonly change: number;
  readonly experiment_id: string;
  readonly metric_name: string;
}

/** The experiments and metrics of the scope that were judged by the row of a change before it, or are after it. */
export function pairsOf(
  changes: readonly ThresholdChange[],
  scope: readonly Omit<Pair, 'change'>[],
  before: DayRules,
  after: DayRules,
): Pair[] {
  const byKey = new Map(
    changes.map(({ metric_name, experiment_id }, change) => [
      JSON.stringify([metric_name, experiment_id]),
      change,
    ]),
  );
  const sides = [before, after].map(({ metadata, thresholds }) => ({
    resolve: createRuleResolver(metadata, thresholds),
    book: indexByExperiment(thresholds),
  }));
  return scope.flatMap(({ metric_name, experiment_id }) => {
    const found = new Set<number>();
    for (const { resolve, book } of sides) {
      const { higher_is_better } = resolve(metric_name, experiment_id);
      const row = chooseThreshold(metric_name, experiment_id, higher_is_better, book);
      const change = row && byKey.get(JSON.stringify([row.metric_name, row.experiment_id]));
      if (typeof change === 'number') found.add(change);
    }
    return [...found].map((change) => ({ change, experiment_id, metric_name }));
  });
}
