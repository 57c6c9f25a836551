import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../config/settings.js';
import {
  CHECKS,
  type CountedCheck,
  QUALITY_CHECKS,
  type QualityCheck,
  type QualityLimits,
} from '../domain/quality/checks.js';
import type { DayMeasures } from '../domain/quality/measure.js';
import { judgeQuality, type QualityRow } from '../domain/quality/verdicts.js';
import { addDays, dayOf, dayStart } from '../domain/time.js';
import { loadLimits } from '../quality/limits-file.js';
import { measureBaseline } from '../quality/measure-baseline.js';
import { measureDay } from '../quality/measure-day.js';
import { qualityResults } from '../quality/results.js';
import { Duck } from '../storage/duck.js';
import { type InspectedStore, openStoreForReading } from '../storage/inspect-store.js';
import { type Dataset, dayPrefix } from '../storage/keys.js';

export interface QualityOptions {
  /** First and last UTC day. */
  readonly from: string;
  readonly to: string;
  readonly json: boolean;
}

/**
 * Checks stored days and prints the verdicts. It only reads the store, so a service may be running on it.
 * @returns the exit code: 1 if a check of severity error fails
 */
export async function quality(settings: Settings, options: QualityOptions): Promise<number> {
  const limits = await loadLimits(settings.QUALITY_FILE);
  // Not `STORAGE_DIR`: a running service owns that.
  const temp = await mkdtemp(join(tmpdir(), 'mlflow-monitor-'));
  try {
    const inspected = await openStoreForReading(settings, temp);
    try {
      const duck = await Duck.open(inspected.folder, { memory: settings.DUCKDB_MEMORY_LIMIT, temp });
      try {
        const rows = await checkDays(inspected, duck, limits, options, Date.now());
        console.log(
          options.json
            ? JSON.stringify({ from: options.from, to: options.to, checks: rows.map(jsonOf) }, null, 2)
            : describe(rows),
        );
        return rows.some(({ passed, severity }) => !passed && severity === 'error') ? 1 : 0;
      } finally {
        duck.close();
      }
    } finally {
      await inspected.store.close();
    }
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

/** The verdicts on all days together: of each check, and of the applications that fail. */
async function checkDays(
  { store }: InspectedStore,
  duck: Duck,
  limits: QualityLimits,
  { from, to }: QualityOptions,
  now: number,
): Promise<readonly QualityRow[]> {
  const filesOf = async (dataset: Dataset, days: readonly string[]): Promise<string[]> => {
    const files: string[] = [];
    for (const day of days) {
      for await (const { key } of store.list(dayPrefix(dataset, day))) {
        const object = await store.fetch(key);
        if (object) files.push(object.file);
      }
    }
    return files;
  };
  const at = Math.min(now, dayStart(addDays(to, 1)));
  const checks = new Set(QUALITY_CHECKS.filter((check) => limits[check].enabled));
  const days: Record<string, DayMeasures> = {};
  const errors: Partial<Record<CountedCheck, string>> = {};
  for (let day = from; day <= to; day = addDays(day, 1)) {
    const files = {
      runs: await filesOf('runs', [day]),
      enriched_metrics: await filesOf('enriched_metrics', [day]),
      quarantine: await filesOf('quarantine', [day]),
    };
    const measured = await measureDay(duck, files, checks, at);
    days[day] = measured.measures;
    Object.assign(errors, measured.errors);
  }
  const baseline = await measureBaseline(duck, filesOf, dayOf(at));
  const running = [baseline, ...Object.values(days)].flatMap((each) => each.running);
  const openRuns = new Set(running.map(({ run_id }) => run_id));
  const results = qualityResults({ days, baseline, openRuns, errors }, limits, at);
  return judgeQuality({}, { pipeline_run_id: '', at, limits, results }).rows;
}

const jsonOf = ({ pipeline_run_id: _, at: __, sample, ...row }: QualityRow) => ({
  ...row,
  unit: CHECKS[row.check_name].unit,
  sample: JSON.parse(sample),
});

/** A line per check, and below it the applications that fail, an example and what to do. */
function describe(rows: readonly QualityRow[]): string {
  const lines: string[] = [];
  for (const { check_name, application, passed, severity, measured, limit, sample } of rows) {
    const verdict = passed ? 'ok' : severity;
    const found = measured === null ? 'nothing to measure' : withUnit(check_name, measured);
    if (application !== null) lines.push(`    ${application}: ${found}`);
    else {
      const bound = CHECKS[check_name].bound === 'most' ? 'at most' : 'at least';
      const value = `${found}, ${bound} ${withUnit(check_name, limit)}`;
      lines.push(`${verdict.padEnd(8)}${check_name.padEnd(19)}${value}`);
      if (!passed) lines.push(`        ${CHECKS[check_name].next_step}`, `        Examples: ${sample}`);
    }
  }
  const failing = new Set(rows.filter(({ passed }) => !passed).map(({ check_name }) => check_name));
  lines.push('', failing.size === 0 ? 'All checks pass.' : `Failing: ${[...failing].join(', ')}.`);
  return lines.join('\n');
}

function withUnit(check: QualityCheck, value: number): string {
  const { unit } = CHECKS[check];
  return unit === '%' ? `${value} %` : unit === 'times' ? `${value} times the usual` : `${value} records`;
}
