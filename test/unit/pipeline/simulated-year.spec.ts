import { createHash } from 'node:crypto';
import type { PipelineKind } from '../../../src/domain/model.js';
import { parseRetention } from '../../../src/domain/retention.js';
import { RulebookSync } from '../../../src/enrichment/rulebook-sync.js';
import { clearRawPages } from '../../../src/pipeline/clear-raw-pages.js';
import { maintain } from '../../../src/pipeline/maintenance.js';
import { Markers } from '../../../src/pipeline/markers.js';
import { closePipelineRun, createPipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { addDirtyDays, removeDirtyDaysOf } from '../../../src/state/dirty-days.js';
import { changeQuarantine } from '../../../src/state/quarantine-list.js';
import { latestChangeTime } from '../../../src/state/rulebook.js';
import { markChangesPublished } from '../../../src/state/threshold-changes.js';
import { updateWatermarks } from '../../../src/state/watermarks.js';
import { baseKey, DERIVED_DATASETS, partitionKey } from '../../../src/storage/keys.js';
import { indexOf } from '../../../src/storage/object-index.js';
import { domainDefaults, onlyProcess } from '../../support/defaults.js';
import { MemoryStore } from '../../support/memory-store.js';
import { fetchResultOf, planOf } from '../../support/stage-results.js';

const DAY = 86_400_000;
const START = Date.parse('2026-01-01T12:00:00Z');
const OUTCOME = { status: 'done' as const, error: null, refused: [], summary: null };
/** Pipeline runs of a day. */
const KINDS: readonly PipelineKind[] = ['delta', 'delta', 'historical', 'reevaluation'];
const KEPT_DAYS = 60;
const retention = parseRetention(
  [...DERIVED_DATASETS, '_base', 'quarantine'].map((name) => `${name}=${KEPT_DAYS}`).join(','),
) ?? { _raw: 3 };

/** What a pipeline run leaves in the store: record, plan, attempts, results, a page, days that it published. */
async function run(store: MemoryStore, kind: PipelineKind, now: number): Promise<void> {
  const id = await createPipelineRun(store, kind, { scheduledAt: null, now });
  if (id === undefined) throw new Error('no run');
  const markers = new Markers(store, id);
  for (const stage of ['plan', 'fetch'] as const) {
    const slice = stage === 'plan' ? 'all' : 's';
    await markers.claimAttempt({ slice, stage }, undefined);
    if (stage === 'plan') await markers.put('all', 'plan', planOf({}));
    else await markers.put('s', 'fetch', fetchResultOf({}));
  }
  await store.put(`_raw/${id}/s/a-0.json`, Buffer.alloc(1_000));
  await addDirtyDays(store, { pipelineRunId: id, sliceId: 's' }, { days: ['2026-01-01'] });
  await removeDirtyDaysOf(store, id);
  await closePipelineRun(store, { kind, id }, OUTCOME, now);
}

/** Unreadable records: one that stays so, and one that is read a day later. */
async function quarantineOf(store: MemoryStore, day: number, now: number): Promise<void> {
  const records = [`bad-${day}`, `soon-${day}`].map((run_id) => ({
    run_id,
    reason: 'odd',
    pipeline_run_id: 'delta-1',
    observed: now,
    record: run_id.padEnd(20_000, 'x'),
  }));
  const digest = (record: string) => createHash('sha256').update(record).digest('hex');
  await changeQuarantine(store, {
    unreadable: Object.fromEntries(records.map((each) => [digest(each.record), each])),
    readable: async (ids) => new Set(ids.filter((id) => id === `soon-${day - 1}`)),
    beforePut: async () => undefined,
  });
}

/** A catalog that is queried by name: every day the limit of one metric changes, and a metric and a pattern are new. */
function catalogOf(store: MemoryStore, clock: () => number): RulebookSync {
  const rowOf = (metric_name: string, critical_threshold: number) => ({
    metric_name,
    experiment_id: null,
    critical_threshold,
    warning_threshold: null,
    updated_at: null,
    updated_by: null,
  });
  return new RulebookSync({
    store,
    processes: onlyProcess,
    settings: async () => ({
      ...domainDefaults,
      light_span_hours: 24 + (Math.floor((clock() - START) / DAY / 20) % 2),
    }),
    source: {
      queriedLists: { metrics: true, thresholds: true },
      async read(queries) {
        const names = queries.flatMap(({ metrics }) => metrics).filter((name) => name !== 'accuracy');
        const thresholds = [
          rowOf('accuracy', clock()),
          ...names.flatMap((name) => [rowOf(name, 1), rowOf(`${name}*`, 2)]),
        ];
        return { metadata: [], thresholds, rejectedRows: [] };
      },
    },
    ttlMs: 60_000,
    reevaluateDays: async () => 7,
    clock,
    reevaluate: async () => undefined,
    log: { log: () => undefined, warn: () => undefined },
  });
}

/** The facts of a day with the metric of the day, judged by the rules of a catalog that has changed, which is reported. */
async function judgeDay(store: MemoryStore, catalog: RulebookSync, date: string): Promise<void> {
  const [metrics, experiment] = [['accuracy', `metric-${date}`], `experiment-${date}`];
  const [key, facts] = [baseKey(date), Buffer.from(date.padEnd(100))];
  const etag = await store.put(key, facts);
  indexOf(store).learn({ key, etag }, { base: { content: date, pairs: [[experiment, metrics]] } });
  const book = await catalog.rulebookFor(() => ({ metrics, experiments: [experiment] }));
  await markChangesPublished(store, { after: 0, through: latestChangeTime(book) });
}

/** By the first two parts of their keys: the number and the bytes of the objects. */
function sizes(store: MemoryStore): Record<string, { objects: number; bytes: number }> {
  const found: Record<string, { objects: number; bytes: number }> = {};
  for (const [key, body] of store.objects) {
    const [first = '', second = ''] = key.split('/');
    const name = first === '_state' ? `${first}/${second}` : first;
    const size = found[name] ?? { objects: 0, bytes: 0 };
    found[name] = { objects: size.objects + 1, bytes: size.bytes + body.length };
  }
  return found;
}

it('a store is as large after a year as after 120 days', async () => {
  const store = new MemoryStore();
  const measured = new Map<number, ReturnType<typeof sizes>>();
  let now = START;
  const catalog = catalogOf(store, () => now);
  for (let day = 0; day <= 365; day++) {
    now = START + day * DAY;
    const date = new Date(now).toISOString().slice(0, 10);
    for (const kind of KINDS) await run(store, kind, now);
    await quarantineOf(store, day, now);
    for (const dataset of [...DERIVED_DATASETS, '_sums', 'quarantine'] as const) {
      await store.put(partitionKey(dataset, date), Buffer.alloc(100));
    }
    await judgeDay(store, catalog, date);
    await store.put(`_state/index/${date.slice(0, 7)}.json`, Buffer.alloc(100));
    await updateWatermarks(store, () => ({ '1': now }));
    await clearRawPages(store, retention._raw, now);
    while (!(await maintain(store, retention, now)));
    await catalog.prune();
    if ([120, 240, 365].includes(day)) measured.set(day, sizes(store));
  }
  const early = measured.get(120) ?? {};
  // Nothing is measured but what is there, and everything that grows is there.
  expect(Object.keys(early)).toEqual(
    expect.arrayContaining([
      ...['_raw', 'runs', '_base', '_state/runs', '_state/quarantine', '_state/index'],
      '_state/rulebook.json',
    ]),
  );
  for (const day of [240, 365]) {
    const late = measured.get(day) ?? {};
    expect(Object.keys(late).sort()).toEqual(Object.keys(early).sort());
    const grown = Object.keys(late).filter((name) => {
      const [before, after] = [
        early[name] ?? { objects: 0, bytes: 0 },
        late[name] ?? { objects: 0, bytes: 0 },
      ];
      // Numbers have more digits, and a month more or less of the index is stored.
      return after.objects > before.objects + 1 || after.bytes > 1.05 * before.bytes + 200;
    });
    expect([day, grown]).toEqual([day, []]);
  }
}, 120_000);
