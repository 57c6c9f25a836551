import { HttpModule, HttpService } from '@nestjs/axios';
import { type DynamicModule, Global, Injectable, Logger, Module } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { CLOCK, type Clock } from '../config/runtime.js';
import { catalogOptions, domainSettings, SETTINGS, type Settings } from '../config/settings.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { openCatalog } from './catalog-source.js';
import type { CatalogSource } from './parse-catalog.js';
import { RulebookSync } from './rulebook-sync.js';

/** Injects the `CatalogSource`. */
export const CATALOG_SOURCE = Symbol('CATALOG_SOURCE');
const LOOK_MS = 10_000;

/** Looks for changes of the catalog while no pipeline run asks for it. */
@Injectable()
export class CatalogPollService {
  private readonly log = new Logger('Catalog');

  constructor(private readonly keeper: RulebookSync) {}

  @Interval(LOOK_MS)
  async poll(): Promise<void> {
    try {
      await this.keeper.refresh();
    } catch (error) {
      this.log.warn(`The look at the catalog failed: ${error instanceof Error ? error.message : error}`);
    }
  }
}

/** The catalog and the rulebook that it feeds. */
@Global()
@Module({})
export class CatalogModule {
  /** @param polls whether it looks at the catalog by itself */
  static register(polls: boolean): DynamicModule {
    return {
      module: CatalogModule,
      imports: [HttpModule],
      providers: [
        {
          provide: CATALOG_SOURCE,
          inject: [HttpService, SETTINGS],
          useFactory: (http: HttpService, settings: Settings): CatalogSource =>
            openCatalog(http, catalogOptions(settings)),
        },
        {
          provide: RulebookSync,
          inject: [OBJECT_STORE, CATALOG_SOURCE, ENGINE, SETTINGS, CLOCK],
          useFactory: (
            store: ObjectStore,
            source: CatalogSource,
            engine: Engine,
            settings: Settings,
            clock: Clock,
          ) =>
            new RulebookSync({
              store,
              source,
              settings: domainSettings(settings),
              ttlMs: settings.CATALOG_CACHE_TTL_SECONDS * 1000,
              reevaluateDays: settings.REEVALUATE_DAYS,
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
