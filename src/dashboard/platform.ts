import { addCounts, light, NO_RUNS, rates } from '../domain/light.js';
import type { DomainSettings, Light, RunCounts } from '../domain/model.js';
import { daysOf, hourOf, MS_PER_HOUR } from '../domain/time.js';
import { readExperiments } from '../pipeline/experiments.js';
import { readKind } from '../pipeline/run-record.js';
import { readWatermarks } from '../pipeline/watermark.js';
import { type Duck, sql } from '../storage/duck.js';
import { partitionKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';

/** A light with what it was decided from; rates in percent. */
export interface Verdict extends RunCounts {
  readonly light: Light;
  readonly reason: string;
  readonly evaluated: number;
  readonly pass_rate: number | null;
  readonly strict_pass_rate: number | null;
  readonly coverage: number | null;
}

export interface PlatformCurrent {
  /** The span that ends with the current hour, ISO 8601. */
  readonly from: string;
  readonly to: string;
  readonly platform: Verdict;
  readonly applications: readonly ({ readonly application: string } & Verdict)[];
  /** No delta was finished for 3 periods. */
  readonly stale: boolean;
  /** Listed experiments that lag behind the others. */
  readonly lagging_experiments: readonly string[];
}

export interface PlatformTools {
  readonly store: ObjectStore;
  readonly duck: Duck;
  readonly settings: DomainSettings;
  readonly deltaPeriodMs: number;
}

/** How the platform and its applications stand at `now` (ms), from the published runs of the span. */
export async function currentPlatform(tools: PlatformTools, now: number): Promise<PlatformCurrent> {
  const { store, duck, settings } = tools;
  const to = hourOf(now) + MS_PER_HOUR;
  const from = to - settings.light_span_hours * MS_PER_HOUR;
  const files: string[] = [];
  for (const day of daysOf({ from, to })) {
    const runs = await store.fetch(partitionKey('runs', day));
    if (runs) files.push(runs.file);
  }
  const rows =
    files.length === 0
      ? []
      : await duck.session((session) =>
          session.rows<{ application: string } & RunCounts>(sql(import.meta.url, './sql/span_counts.sql'), {
            runs: files,
            from: BigInt(from),
            to: BigInt(to),
            count_nested_runs: settings.count_nested_runs,
          }),
        );
  const verdict = (counts: RunCounts): Verdict => ({
    ...counts,
    ...rates(counts),
    ...light(counts, settings),
  });
  const { last_finished } = await readKind(store, 'delta');
  const watermarks = await readWatermarks(store);
  const newest = Math.max(0, ...Object.values(watermarks));
  const listed = Object.entries(await readExperiments(store)).filter(([, { listed }]) => listed);
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    platform: verdict(rows.reduce<RunCounts>((sum, row) => addCounts(sum, row), NO_RUNS)),
    applications: rows.map((row) => ({ ...row, ...verdict(row) })),
    stale: last_finished === null || now - last_finished > 3 * tools.deltaPeriodMs,
    lagging_experiments: listed.map(([id]) => id).filter((id) => (watermarks[id] ?? newest) < newest),
  };
}
