import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { Test, type TestingModule } from '@nestjs/testing';
import { MonitorError } from '../../../src/domain/errors.js';
import { CatalogPollService } from '../../../src/enrichment/catalog-poll.service.js';
import type { CatalogSource } from '../../../src/enrichment/parse-catalog.js';
import { RulebookSync } from '../../../src/enrichment/rulebook-sync.js';
import { readCatalogState } from '../../../src/state/catalog-state.js';
import { domainDefaults, onlyProcess } from '../../support/defaults.js';
import { MemoryStore } from '../../support/memory-store.js';
import { reportedErrors } from '../../support/reported-errors.js';

const START = Date.parse('2026-03-10T12:00:00Z');
const TTL = 60_000;

let critical: number;
let fault: Error | undefined;
let reads: number;
let windows: object[];
let store: MemoryStore;
let app: TestingModule;

/** A file with one threshold. */
const source: CatalogSource = {
  queriedLists: { metrics: false, thresholds: false },
  async read() {
    reads++;
    if (fault) throw fault;
    const row = {
      metric_name: 'accuracy',
      experiment_id: null,
      critical_threshold: critical,
      warning_threshold: null,
      updated_at: null,
      updated_by: null,
    };
    return { metadata: [], thresholds: [row], rejectedRows: [] };
  },
};

beforeEach(async () => {
  jest.useFakeTimers({ now: START });
  [critical, fault, reads, windows] = [0.7, undefined, 0, []];
  store = new MemoryStore();
  const rulebookSync = new RulebookSync({
    processes: onlyProcess,
    store,
    source,
    settings: async () => domainDefaults,
    ttlMs: TTL,
    reevaluateDays: async () => 7,
    clock: Date.now,
    reevaluate: async (window) => windows.push(window),
    log: { log: () => undefined, warn: () => undefined },
  });
  app = await Test.createTestingModule({
    imports: [ScheduleModule.forRoot()],
    providers: [{ provide: RulebookSync, useValue: rulebookSync }, CatalogPollService],
  }).compile();
  Logger.overrideLogger(false);
  await app.init();
});
afterEach(async () => {
  await app.close();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});
const reported = reportedErrors();
const advance = (ms: number) => jest.advanceTimersByTimeAsync(ms);

describe('CatalogPollService', () => {
  it('reads the catalog once per TTL, and starts a reevaluation when it has changed', async () => {
    await advance(10_000);
    expect(reads).toBe(1);
    await advance(TTL - 10_000);
    expect([reads, windows]).toEqual([1, []]);
    critical = 0.8;
    await advance(10_000);
    expect([reads, windows]).toEqual([2, [{ from: Date.parse('2026-03-03'), to: Number.MAX_SAFE_INTEGER }]]);
  });

  it('continues during an outage, and records its end', async () => {
    await advance(10_000);
    fault = new MonitorError('catalog_unreadable', 'The catalog cannot be read', {}, true);
    await advance(TTL);
    expect((await readCatalogState(store)).last_error?.code).toBe('catalog_unreadable');
    fault = undefined;
    await advance(TTL);
    expect((await readCatalogState(store)).last_error).toBeNull();
    expect(reported).toEqual(['The catalog cannot be read']);
  });

  it('continues after an error, and reports it', async () => {
    fault = new Error('the store is unreachable');
    await advance(20_000);
    expect(reported).toEqual(Array(2).fill('Polling the catalog failed: the store is unreachable'));
    fault = undefined;
    await advance(10_000);
    expect(reads).toBe(3);
    expect((await readCatalogState(store)).last_success).toBe(START + 30_000);
  });
});
