import { loadExplanations, type MetricRef } from '../../src/dashboard/load-explanations.js';
import { RulebookSync } from '../../src/enrichment/rulebook-sync.js';
import { RULEBOOK_KEY, readRulebook } from '../../src/state/rulebook.js';
import type { OpenService } from '../support/open-service.js';
import { CatalogFixture, DAY, MINUTE, NO_CATALOG_CACHE, statuses } from './catalog-fixture.js';

let fixture: CatalogFixture;
beforeEach(async () => {
  fixture = await CatalogFixture.start();
});
afterEach(() => fixture.close());

async function explain({ resources: { store, duck } }: OpenService, metric: MetricRef) {
  const book = await readRulebook(store);
  const [explanation] = await duck.session((session) =>
    loadExplanations({ store, session, book, lateMs: 15 * MINUTE }, [metric]),
  );
  return explanation;
}

describe('a changed threshold', () => {
  const row = { metric_name: 'accuracy', critical_threshold: 0.7, warning_threshold: 0.8 };
  const stricter = { ...row, critical_threshold: 0.76, updated_by: 'bea' };

  it('reevaluates the days it applies to, leaves earlier days unchanged, and is recorded', async () => {
    const { experiment_id } = fixture.mlflow.experiment('churn');
    for (let back = 0; back < 5; back++) {
      fixture.log(experiment_id, back * DAY + MINUTE, 'accuracy', 0.75);
      fixture.log(experiment_id, back * DAY + 2 * MINUTE, 'accuracy', 0.9);
    }
    const env = { ...NO_CATALOG_CACHE, REEVALUATE_DAYS: '2', LOOKBACK_DAYS_HISTORICAL: '4' };
    const pipeline = await fixture.open({ env });
    await pipeline.run('bootstrap');
    const before = await pipeline.digests();
    expect(await statuses(pipeline, '2026/03/08')).toEqual(['healthy', 'warning']);

    fixture.advance(MINUTE);
    await pipeline.writeCatalog({ thresholds: [stricter] });
    const reevaluated = pipeline.nextFinished('reevaluation');
    await pipeline.app.get(RulebookSync).refresh();
    expect(await reevaluated).toMatchObject({
      status: 'done',
      window: { from: Date.parse('2026-03-08'), to: Number.MAX_SAFE_INTEGER },
      // For 3 days: the two evaluated datasets and the four derived from them.
      summary: { partitions_written: 3 * 6 },
    });

    const after = await pipeline.digests();
    const changed = Object.keys(after).filter((key) => after[key] !== before[key]);
    const days = new Set(changed.map((key) => /\d{4}\/\d\d\/\d\d/.exec(key)?.[0]));
    expect([...days].sort()).toEqual(['2026/03/08', '2026/03/09', '2026/03/10']);
    expect(changed.filter((key) => key.startsWith('_base/'))).toEqual([]);
    expect(await statuses(pipeline, '2026/03/08')).toEqual(['healthy', 'critical']);
    expect(await statuses(pipeline, '2026/03/07')).toEqual(['healthy', 'warning']);
    expect(
      await pipeline.rows(
        'threshold_changes',
        '2026/03/10',
        '* EXCLUDE (date, timestamp), epoch_ms(timestamp)::DOUBLE AS at',
      ),
    ).toEqual([
      {
        metric_name: 'accuracy',
        experiment_id: null,
        old_critical_threshold: 0.7,
        old_warning_threshold: 0.8,
        new_critical_threshold: 0.76,
        new_warning_threshold: 0.8,
        updated_by: 'bea',
        runs_changed: 3,
        at: fixture.now,
      },
    ]);

    // Until the threshold changed, the run had the same status as the previous one.
    const [warned] = await pipeline.rows<{ run_id: string }>(
      'runs',
      '2026/03/08',
      'run_id',
      "status = 'critical'",
    );
    const ref = { day: '2026-03-08', run_id: warned?.run_id ?? '', metric: 'accuracy' };
    expect(await explain(pipeline, ref)).toMatchObject({
      cause: 'new_threshold',
      at: new Date(fixture.now).toISOString(),
      current: { status: 'critical', value: 0.75, critical_threshold: 0.76 },
      previous: { status: 'warning', value: 0.75, critical_threshold: 0.7 },
    });

    // A new store with the same facts and rulebook, which never had the earlier thresholds.
    const book = await pipeline.resources.store.get(RULEBOOK_KEY);
    const other = await fixture.open({ env });
    await other.writeCatalog({ thresholds: [stricter] });
    await other.resources.store.put(RULEBOOK_KEY, book?.body ?? Buffer.of());
    await other.run('bootstrap');
    expect(await other.digests()).toEqual(after);
  });

  it('is recorded once, even if days are reevaluated again or other changes follow', async () => {
    const { experiment_id } = fixture.mlflow.experiment('churn');
    fixture.log(experiment_id, MINUTE, 'accuracy', 0.75);
    fixture.log(experiment_id, MINUTE, 'loss', 0.5);
    const pipeline = await fixture.open();
    await pipeline.run('bootstrap');
    const loss = { metric_name: 'loss', experiment_id, critical_threshold: 0.1, warning_threshold: 0.05 };
    const healthy: string[] = [];
    for (const rows of [[stricter], [stricter, loss]]) {
      fixture.advance(MINUTE);
      await pipeline.writeCatalog({ thresholds: rows });
      const reevaluated = pipeline.nextFinished('reevaluation');
      // A new run is evaluated at once, which detects the change.
      healthy.push(fixture.log(experiment_id, 0, 'accuracy', 0.9));
      await pipeline.run('delta');
      await reevaluated;
    }
    await pipeline.run('reevaluation');
    const cause = async (run_id: string) => {
      const found = await explain(pipeline, { day: '2026-03-10', run_id, metric: 'accuracy' });
      return [found?.cause, found?.previous?.run_id];
    };
    const late = fixture.log(experiment_id, 40 * MINUTE, 'accuracy', 0.5);
    const recent = fixture.log(experiment_id, 0, 'accuracy', 0.5);
    await pipeline.run('delta');
    expect(await cause(late)).toEqual(['late_data', undefined]);
    expect(await cause(recent)).toEqual(['new_value', healthy.at(-1)]);
    expect(await cause('nobody')).toEqual([undefined, undefined]);
    const columns =
      'metric_name, experiment_id, old_critical_threshold, new_critical_threshold, runs_changed';
    expect(await pipeline.rows('threshold_changes', '2026/03/10', columns)).toEqual([
      {
        metric_name: 'accuracy',
        experiment_id: null,
        old_critical_threshold: 0.7,
        new_critical_threshold: 0.76,
        runs_changed: 1,
      },
      {
        metric_name: 'loss',
        experiment_id,
        old_critical_threshold: null,
        new_critical_threshold: 0.1,
        runs_changed: 1,
      },
    ]);
    const [bad, good] = ['critical', 'healthy'];
    expect(await statuses(pipeline, '2026/03/10')).toEqual([bad, bad, good, good, bad, bad]);
  });
});
