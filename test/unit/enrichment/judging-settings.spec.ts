import type { DomainSettings } from '../../../src/domain/model.js';
import type { CatalogSource } from '../../../src/enrichment/parse-catalog.js';
import { RulebookSync } from '../../../src/enrichment/rulebook-sync.js';
import {
  JudgingSettings,
  type RuleSettings,
  readJudgingSettings,
} from '../../../src/state/judging-settings.js';
import { RULEBOOK_KEY, readRulebook } from '../../../src/state/rulebook.js';
import { domainDefaults, onlyProcess } from '../../support/defaults.js';
import { MemoryStore } from '../../support/memory-store.js';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const MINUTE = 60_000;

let store: MemoryStore;
let now: number;
let warned: string[];
beforeEach(() => {
  store = new MemoryStore();
  now = NOW;
  warned = [];
});

const source: CatalogSource = {
  queriedLists: { metrics: false, thresholds: false },
  read: async () => ({ metadata: [], thresholds: [], rejectedRows: [] }),
};

/** A process that starts now. */
async function start(
  pid: number,
  decides: boolean,
  own: Partial<DomainSettings> = {},
  rules: Partial<RuleSettings> = {},
) {
  const judging = new JudgingSettings({
    store,
    own: { ...domainDefaults, ...own },
    ownRules: { reevaluate_days: 7, metrics_api_url: null, thresholds_api_url: null, ...rules },
    partitionFiles: 1,
    log: () => undefined,
    decides,
    process: { host: 'h', pid },
    clock: () => now,
    warn: (message) => warned.push(`${pid}: ${message}`),
  });
  await judging.onModuleInit();
  const sync = new RulebookSync({
    processes: onlyProcess,
    store,
    settings: () => judging.current(),
    source,
    ttlMs: MINUTE,
    reevaluateDays: async () => (await judging.rules()).reevaluate_days,
    clock: () => now,
    reevaluate: async () => undefined,
    log: { log: () => undefined, warn: () => undefined },
  });
  return { judging, sync };
}
const spans = async () =>
  (await readRulebook(store))?.settings.map(({ settings }) => settings.light_span_hours);

describe('processes with different judging settings', () => {
  it.each([
    ['a scheduler and a worker', false],
    ['two schedulers', true],
  ])('leave the rulebook as it is: %s', async (_, bothDecide) => {
    const processes = [
      await start(1, bothDecide, { light_span_hours: 5 }),
      await start(2, true, { light_span_hours: 7 }),
    ];
    for (let round = 0; round < 6; round++) {
      now += MINUTE;
      for (const { sync } of processes) await sync.refresh();
    }
    expect(await spans()).toEqual([7]);
    expect(warned).toEqual([
      expect.stringMatching(
        /^1: .*\(process 2 on h, 2026-03-10T12:00:00.000Z\), not its own LIGHT_SPAN_HOURS\./,
      ),
    ]);
  });

  it('follow the scheduler that started last', async () => {
    const first = await start(1, true, { light_span_hours: 5 });
    await first.sync.refresh();
    const second = await start(2, true, { light_span_hours: 7 });
    now += MINUTE;
    await second.sync.refresh();
    await first.sync.refresh();
    expect(await spans()).toEqual([5, 7]);
    const restarted = await start(3, true, { light_span_hours: 5 });
    now += MINUTE;
    await second.sync.refresh();
    await restarted.sync.refresh();
    expect(await spans()).toEqual([5, 7, 5]);
    expect(await readJudgingSettings(store)).toMatchObject({ host: 'h', pid: 3, at: NOW + MINUTE });
  });
});

it('a change applies to REEVALUATE_DAYS of the scheduler that started last', async () => {
  const { judging } = await start(1, false, {}, { reevaluate_days: 3 });
  expect((await judging.rules()).reevaluate_days).toBe(3);
  await start(2, true, {}, { reevaluate_days: 30 });
  expect((await judging.rules()).reevaluate_days).toBe(30);
  await judging.current();
  expect(warned).toEqual([expect.stringMatching(/^1: .* not its own REEVALUATE_DAYS\./)]);
});

it('a process with other patterns of child runs is said to have another COUNT_NESTED_RUNS', async () => {
  const { judging } = await start(1, false, { count_nested_runs: true });
  await start(2, true, { count_nested_of: ['hpo/*'] });
  expect(await judging.current()).toMatchObject({ count_nested_runs: false, count_nested_of: ['hpo/*'] });
  expect(warned).toEqual([expect.stringMatching(/^1: .* not its own COUNT_NESTED_RUNS\./)]);
});

it('a process uses its own REEVALUATE_DAYS if the stored settings are of an older version', async () => {
  await start(1, true);
  const key = '_state/judging-settings.json';
  const { rules: _, ...older } = JSON.parse(String(store.objects.get(key)));
  store.objects.set(key, Buffer.from(JSON.stringify(older)));
  const { judging } = await start(2, false, {}, { reevaluate_days: 3 });
  expect((await judging.rules()).reevaluate_days).toBe(3);
  expect(warned).toEqual([]);
});

it('a process uses its own settings until a scheduler has started', async () => {
  const { judging } = await start(1, false, { light_span_hours: 5 });
  expect((await judging.current()).light_span_hours).toBe(5);
  await start(2, true);
  expect((await judging.current()).light_span_hours).toBe(domainDefaults.light_span_hours);
});

it('the version of the rules is that of each process', async () => {
  await start(1, true, { rules_version: domainDefaults.rules_version + 1 });
  const { judging } = await start(2, false);
  expect((await judging.current()).rules_version).toBe(domainDefaults.rules_version);
  expect(warned).toEqual([]);
});

it('an invalid document is kept aside and replaced by the next start of a scheduler', async () => {
  const key = '_state/judging-settings.json';
  store.objects.set(key, Buffer.from('{'));
  const follower = await start(1, false);
  await expect(follower.judging.current()).rejects.toMatchObject({ code: 'broken_document' });
  await start(2, true);
  expect(await follower.judging.current()).toEqual(domainDefaults);
  expect(store.objects.has(RULEBOOK_KEY)).toBe(false);
  expect([...store.objects.keys()]).toEqual(
    expect.arrayContaining([expect.stringMatching(/^_state\/broken\/judging-settings-/)]),
  );
});
