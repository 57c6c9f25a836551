import { HttpModule, HttpService } from '@nestjs/axios';
import { type DynamicModule, Global, Logger, Module } from '@nestjs/common';
import { CLOCK, type Clock } from '../config/runtime.js';
import { catalogOptions, SETTINGS, type Settings } from '../config/settings.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import { JudgingSettings } from '../state/judging-settings.js';
import { Processes } from '../state/processes.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { CatalogPollService } from './catalog-poll.service.js';
import { openCatalog } from './catalog-source.js';
import { followCatalog } from './follow-catalog.js';
import { CATALOG_SOURCE, type CatalogSource } from './parse-catalog.js';
import { RulebookSync } from './rulebook-sync.js';

/** The catalog, and the rulebook that is kept equal to it. */
@Global()
@Module({})
export class CatalogModule {
  /** @param polls whether this process polls the catalog for changes */
  static register(polls: boolean): DynamicModule {
    return {
      module: CatalogModule,
      imports: [HttpModule],
      providers: [
        {
          provide: CATALOG_SOURCE,
          inject: [HttpService, SETTINGS, JudgingSettings],
          useFactory: (http: HttpService, settings: Settings, judging: JudgingSettings): CatalogSource =>
            followCatalog(
              catalogOptions(settings),
              () => judging.rules(),
              (options) => openCatalog(http, options),
            ),
        },
        {
          provide: RulebookSync,
          inject: [OBJECT_STORE, CATALOG_SOURCE, ENGINE, SETTINGS, CLOCK, JudgingSettings, Processes],
          useFactory: (
            store: ObjectStore,
            source: CatalogSource,
            engine: Engine,
            settings: Settings,
            clock: Clock,
            judging: JudgingSettings,
            processes: Processes,
          ) =>
            new RulebookSync({
              store,
              source,
              settings: () => judging.current(),
              processes,
              ttlMs: settings.CATALOG_CACHE_TTL_SECONDS * 1000,
              reevaluateDays: async () => (await judging.rules()).reevaluate_days,
              clock,
              reevaluate: (window) => engine.create('reevaluation', { scheduledAt: null, window }),
              log: new Logger('Catalog'),
            }),
        },
        ...(polls ? [CatalogPollService] : []),
      ],
      exports: [RulebookSync],
    };
  }
}
