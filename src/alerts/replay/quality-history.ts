import { CHECKS } from '../../domain/quality/checks.js';
import type { QualityRow } from '../../domain/quality/verdicts.js';
import { dayOf } from '../../domain/time.js';
import type { QualityFinding } from '../../state/quality-findings.js';
import { type DuckSession, sql } from '../../storage/duck.js';
import type { StoreReader } from '../../storage/folder-reader.js';
import { dayOfKey } from '../../storage/keys.js';

type Verdict = Omit<QualityRow, 'pipeline_run_id'>;

/** The findings of data quality at earlier times, from the dataset `data_quality`. */
export class QualityHistory {
  /** @param verdicts oldest first */
  constructor(private readonly verdicts: readonly Verdict[]) {}

  /** @param days UTC days, as `YYYY-MM-DD` */
  static async load(
    store: StoreReader,
    session: DuckSession,
    days: readonly string[],
  ): Promise<QualityHistory> {
    const wanted = new Set(days);
    const files: string[] = [];
    for (const month of new Set(days.map((day) => day.slice(0, 7).replace('-', '/')))) {
      for await (const { key } of store.list(`data_quality/${month}/`)) {
        const object = wanted.has(dayOfKey(key) ?? '') ? await store.fetch(key) : undefined;
        if (object) files.push(object.file);
      }
    }
    if (files.length === 0) return new QualityHistory([]);
    return new QualityHistory(
      await session.rows<Verdict>(sql(import.meta.url, './sql/quality_rows.sql'), { files }),
    );
  }

  /** When the oldest verdict was made, ms; null if there is none. */
  get begin(): number | null {
    return this.verdicts[0]?.at ?? null;
  }

  /** The checks that failed at `now` (ms). */
  at(now: number): QualityFinding[] {
    const newest = new Map<string, { readonly verdict: Verdict; readonly since: number }>();
    let day = '';
    for (const verdict of this.verdicts) {
      if (verdict.at > now) break;
      const key = JSON.stringify([verdict.check_name, verdict.application]);
      const before = newest.get(key);
      const since = before?.verdict.passed === verdict.passed ? before.since : verdict.at;
      newest.set(key, { verdict, since });
      day = dayOf(verdict.at);
    }
    return (
      [...newest.values()]
        // On each day there is a verdict of every check that is enabled, and of every application that fails.
        .filter(({ verdict }) => !verdict.passed && dayOf(verdict.at) === day)
        .map(
          ({
            verdict: { check_name, application, severity, measured, limit, affected_rows, sample },
            since,
          }) => ({
            check_name,
            application,
            severity,
            measured,
            limit,
            affected_rows,
            meaning: CHECKS[check_name].meaning,
            next_step: CHECKS[check_name].next_step,
            sample,
            since: new Date(since).toISOString(),
          }),
        )
    );
  }
}
