import { rebuildDays, selectDaysToRebuild } from '../../../src/aggregation/rebuild-days.js';
import { dayOf } from '../../../src/domain/time.js';
import { judgeDays, selectDaysToJudge } from '../../../src/enrichment/judge-days.js';
import { RulebookSync } from '../../../src/enrichment/rulebook-sync.js';
import { Markers } from '../../../src/pipeline/markers.js';
import { PLATFORM, type Unit, unitId } from '../../../src/pipeline/units.js';
import { type Dataset, dayOfKey, dayPrefix, partitionKey, partOfKey } from '../../../src/storage/keys.js';
import { partOf } from '../../../src/storage/parts.js';
import type { OpenService } from '../../support/open-service.js';
import { BY_APPLICATION, done, keysOf, PartitionScenario, START } from '../../support/partition-scenario.js';

const HOUR = 3_600_000;

/** The units that a pipeline run has rebuilt. */
async function rebuiltBy({ resources: { store } }: OpenService, id: string): Promise<string[]> {
  return [
    ...(await new Markers(store, id).results('rebuild', await new Markers(store, id).done())).keys(),
  ].sort();
}

describe('PARTITION_FILES', () => {
  it('makes a change rewrite only the parts of its application', async () => {
    const scenario = await PartitionScenario.open();
    try {
      for (let i = 0; i < 40; i++) scenario.addRun(START - i * HOUR);
      await scenario.withService(4, async (service) => {
        await done(service.run('bootstrap'));
        scenario.now += HOUR;
        await done(service.run('delta'));
        const before = await keysOf(service);
        scenario.now += HOUR;
        const run_id = scenario.addRun(scenario.now - 60_000, 'app-3');
        await done(service.run('delta'));
        const after = await keysOf(service);
        const written = [...after].filter(([key, etag]) => before.get(key) !== etag).map(([key]) => key);
        const today = dayOf(scenario.now);
        const own = [`_base ${partOf(run_id, 4)}`, 'platform_summary 0', 'data_quality 0'].concat(
          BY_APPLICATION.map((dataset) => `${dataset} ${partOf('app-3', 4)}`),
        );
        expect(written.map((key) => `${key.split('/')[0]} ${partOfKey(key)}`).sort()).toEqual(own.sort());
        expect(new Set(written.map(dayOfKey))).toEqual(new Set([today]));
        const id = unitId({ day: today, part: partOf('app-3', 4) });
        const platform = unitId({ day: today, part: PLATFORM });
        expect(await rebuiltBy(service, 'delta-2')).toEqual([id, platform]);
      });
    } finally {
      await scenario.close();
    }
  });

  it('makes each part a job, and a job of an older version for a whole day publishes all parts', async () => {
    const scenario = await PartitionScenario.open();
    try {
      for (let i = 0; i < 12; i++) scenario.addRun(START - i * HOUR);
      await scenario.withService(4, async (service) => {
        await done(service.run('bootstrap'));
        const { store, duck } = service.resources;
        const before = await keysOf(service);
        const day = dayOf(START);
        const remove = async () => {
          for (const dataset of ['application_summary', 'platform_summary']) {
            for await (const { key } of store.list(dayPrefix(dataset as Dataset, day)))
              await store.delete(key);
          }
        };
        const rebuild = (unit: Unit) => rebuildDays(store, duck, [unit], () => undefined);
        await remove();
        const { units } = await selectDaysToRebuild(store, duck, [day], () => undefined);
        expect(units).toEqual([0, 1, 2, 3, PLATFORM].map((part) => ({ day, part })));
        for (const unit of units) expect(await rebuild(unit)).toMatchObject({ partitions_written: 1 });
        expect(await keysOf(service)).toEqual(before);
        await remove();
        expect(await rebuild({ day })).toMatchObject({ partitions_written: 5 });
        expect(await keysOf(service)).toEqual(before);

        for await (const { key } of store.list(dayPrefix('runs', day))) await store.delete(key);
        const rulebook = service.app.get(RulebookSync);
        const judged = await selectDaysToJudge(store, duck, rulebook, [day], false, () => undefined);
        expect(judged.units).toEqual([0, 1, 2, 3].map((part) => ({ day, part })));
        for (const unit of judged.units) {
          expect(await judgeDays(store, duck, rulebook, [unit], () => undefined)).toMatchObject({
            written: 1,
          });
        }
        expect(await keysOf(service)).toEqual(before);
      });
    } finally {
      await scenario.close();
    }
  });

  it('judges again only the parts whose sums are missing or outdated, and publishes no aggregate of a day that lacks a part', async () => {
    const scenario = await PartitionScenario.open();
    try {
      for (let i = 0; i < 30; i++) scenario.addRun(START - i * HOUR);
      await scenario.withService(4, async (service) => {
        await done(service.run('bootstrap'));
        const { store, duck } = service.resources;
        const before = await keysOf(service);
        const [yesterday, today] = [dayOf(START - 24 * HOUR), dayOf(START)];
        const rulebook = service.app.get(RulebookSync);
        const select = (day: string) =>
          selectDaysToJudge(store, duck, rulebook, [day], false, () => undefined);
        expect((await select(today)).units).toEqual([]);
        await store.delete(partitionKey('_sums', today, 1));
        // Sums of another day name other inputs.
        const other = await store.fetch(partitionKey('_sums', yesterday, 2));
        await store.put(partitionKey('_sums', today, 2), { file: other?.file ?? '' });
        const { units } = await select(today);
        expect(units).toEqual([1, 2].map((part) => ({ day: today, part })));
        await judgeDays(store, duck, rulebook, units, () => undefined);
        expect(await keysOf(service)).toEqual(before);

        // The platform of a day is that of all its parts, or none.
        await store.delete(partitionKey('runs', today, 3));
        await store.delete(partitionKey('platform_summary', today));
        const rebuild = (part: Unit['part']) =>
          rebuildDays(store, duck, [{ day: today, part }], () => undefined);
        expect(await rebuild(PLATFORM)).toMatchObject({ partitions_written: 0 });
        expect(await rebuild(3)).toMatchObject({ partitions_written: 0, partitions_unchanged: 0 });
        expect(await rebuild(0)).toMatchObject({ partitions_written: 0, partitions_unchanged: 2 });
        const lacking = await select(today);
        expect(lacking.units).toEqual([{ day: today, part: 3 }]);
        await judgeDays(store, duck, rulebook, lacking.units, () => undefined);
        expect(await rebuild(PLATFORM)).toMatchObject({ partitions_written: 1 });
        expect(await keysOf(service)).toEqual(before);
      });
    } finally {
      await scenario.close();
    }
  });

  it('counts the runs that a changed threshold has changed once, in whichever part they are', async () => {
    const counted: unknown[] = [];
    for (const files of [1, 4]) {
      const scenario = await PartitionScenario.open();
      try {
        for (let i = 0; i < 30; i++) scenario.addRun(START - i * HOUR);
        await scenario.withService(files, async (service) => {
          await done(service.run('bootstrap'));
          const changed = { metric_name: 'accuracy', critical_threshold: 0.6, warning_threshold: 0.85 };
          await service.writeCatalog({ metrics: [], thresholds: [changed] });
          scenario.now += HOUR;
          scenario.addRun(scenario.now - 60_000);
          const reevaluated = service.nextFinished('reevaluation');
          await done(service.run('delta'));
          await done(reevaluated);
          const day = dayOf(scenario.now).replaceAll('-', '/');
          counted.push(await service.rows('threshold_changes', day, 'metric_name, runs_changed'));
        });
      } finally {
        await scenario.close();
      }
    }
    expect(counted[1]).toEqual(counted[0]);
    expect(counted[0]).toEqual([{ metric_name: 'accuracy', runs_changed: expect.any(Number) }]);
    expect(counted[0]).not.toEqual([{ metric_name: 'accuracy', runs_changed: 0 }]);
  });
});
