import { addDays } from '../../src/domain/time.js';
import { dayOfKey } from '../../src/storage/keys.js';
import type { OpenService } from '../support/open-service.js';
import { BY_APPLICATION, done, keysOf, PartitionScenario, START } from '../support/partition-scenario.js';

const HOUR = 3_600_000;
const LAST_DAY = 5;
/** Five days are published three times. */
const LONGEST_MS = 600_000;
/** Each row of a dataset as a text, without what depends on when a response was made. */
const ROWS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [...BY_APPLICATION, 'platform_summary', 'threshold_changes'].map((name) => [name, 't']),
  ),
  _base:
    '{run_id: t.run_id, content: t.content_digest, stage: t.lifecycle_stage, params: t.params, metrics: t.metrics}',
  quarantine: '{date: t.date, run_id: t.run_id, reason: t.reason, record: t.record}',
};

/** Publishes five days. @param filesOn the setting of the process on each day @returns the rows and the keys of each dataset */
async function publish(filesOn: (day: number) => number) {
  const scenario = await PartitionScenario.open();
  try {
    for (let i = 0; i < 12; i++) scenario.addRun(START - i * 3 * HOUR);
    const published = async (service: OpenService) => {
      await done(service.run('reevaluation'));
      const rows: Record<string, string[]> = {};
      for (const [dataset, row] of Object.entries(ROWS)) rows[dataset] = await rowsOf(service, dataset, row);
      return { rows, keys: await keysOf(service) };
    };
    let day = 0;
    // A process ends when its setting is to change.
    for (;;) {
      const files = filesOn(day + 1);
      const result = await scenario.withService(files, async (service) => {
        for (day++; ; day++) {
          await publishDay(scenario, service, day);
          if (day === LAST_DAY) return published(service);
          if (filesOn(day + 1) !== files) return undefined;
        }
      });
      if (result) return result;
    }
  } finally {
    await scenario.close();
  }
}

async function publishDay(scenario: PartitionScenario, service: OpenService, day: number): Promise<void> {
  if (day === 1) {
    await done(service.run('bootstrap'));
    return;
  }
  scenario.addDay();
  if (day === 4) {
    const changed = { metric_name: 'accuracy', critical_threshold: 0.6, warning_threshold: 0.9 };
    scenario.catalog = { metrics: [], thresholds: [changed] };
    await service.writeCatalog(scenario.catalog);
  }
  await done(service.run('delta'));
  if (day % 3 === 0) await done(service.run('historical'));
}

async function rowsOf({ resources: { store, duck } }: OpenService, dataset: string, row: string) {
  const files: string[] = [];
  for await (const { key } of store.list(`${dataset}/`)) files.push((await store.fetch(key))?.file ?? '');
  if (files.length === 0) return [];
  const rows = await duck.session((session) =>
    session.rows<{ row: string }>(
      `SELECT (${row})::VARCHAR AS row FROM read_parquet($files) AS t ORDER BY 1`,
      {
        files,
      },
    ),
  );
  return rows.map((each) => each.row);
}

/** How many objects a dataset has on each day. */
function partsPerDay(keys: ReadonlyMap<string, string>, dataset: string): Record<string, number> {
  const parts: Record<string, number> = {};
  for (const key of keys.keys()) {
    const day = dayOfKey(key);
    if (key.startsWith(`${dataset}/`) && day) parts[day] = (parts[day] ?? 0) + 1;
  }
  return parts;
}

describe('PARTITION_FILES', () => {
  it(
    'divides the rows of each day, and changes none of them',
    async () => {
      const whole = await publish(() => 1);
      const divided = await publish(() => 4);
      for (const dataset of BY_APPLICATION) {
        expect(new Set(Object.values(partsPerDay(whole.keys, dataset)))).toEqual(new Set([1]));
        expect(new Set(Object.values(partsPerDay(divided.keys, dataset)))).toEqual(new Set([4]));
      }
      expect(whole.rows.runs?.length).toBeGreaterThan(40);
      expect(whole.rows.threshold_changes?.length).toBeGreaterThan(0);
      expect(divided.rows).toEqual(whole.rows);

      // From one part to four to three: each number applies from the second day after the change on.
      const changed = await publish((day) => (day < 2 ? 1 : day < 3 ? 4 : 3));
      const [first] = Object.keys(partsPerDay(changed.keys, 'runs')).sort();
      const expected: Record<string, number> = {};
      for (let day = first ?? ''; day <= '2026-03-05'; day = addDays(day, 1)) {
        expected[day] = day < '2026-03-03' ? 1 : day < '2026-03-04' ? 4 : 3;
      }
      for (const dataset of BY_APPLICATION) expect(partsPerDay(changed.keys, dataset)).toEqual(expected);
      expect(changed.rows).toEqual(whole.rows);
    },
    LONGEST_MS,
  );
});
