import type { HttpService } from '@nestjs/axios';
import { inSlices } from '../config/event-loop.js';
import { catalogOptions, domainSettings, type Settings } from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import type { DomainSettings } from '../domain/model.js';
import { addDays, dayOf } from '../domain/time.js';
import { openCatalog } from '../enrichment/catalog-source.js';
import type { RulebookSource } from '../enrichment/judge-day.js';
import { covers, mergeCatalogResponse, queriesFor } from '../enrichment/merge-catalog.js';
import type { CatalogSource } from '../enrichment/parse-catalog.js';
import { beginWith } from '../state/raise-versions.js';
import { type CatalogQuery, type Rulebook, updateRulebook } from '../state/rulebook.js';
import { assertSupported, OWN_VERSIONS, versionsInForce } from '../state/versions.js';

export interface GateRulesOptions {
  /** The stored rulebook; `undefined` if there is none. */
  readonly stored: () => Promise<Rulebook | undefined>;
  /** `undefined` if none is configured. */
  readonly catalog: CatalogSource | undefined;
  /** Used only without a stored rulebook. */
  readonly settings: DomainSettings;
  readonly reevaluateDays: number;
  readonly clock: () => number;
}

/**
 * The rules of the gate: the stored rulebook or, if there is none, the catalog and the settings of this process. A catalog API is
 * queried for metrics and experiments that it was never queried for; their rows apply to all days, as they will for the
 * service. Stores nothing.
 */
export class GateRules implements RulebookSource {
  constructor(private readonly options: GateRulesOptions) {}

  /** @throws {MonitorError} `no_rules`, `older_rules`, `catalog_…` */
  async rulebookFor(needs: (book: Rulebook) => CatalogQuery | Promise<CatalogQuery>): Promise<Rulebook> {
    const { catalog, clock, reevaluateDays } = this.options;
    const stored = await this.options.stored();
    if (stored) assertSupported(OWN_VERSIONS, versionsInForce(stored));
    if (!catalog) {
      if (stored) return stored;
      throw new MonitorError(
        'no_rules',
        'There are no rules to judge by: the store has no rulebook, and no catalog is configured. Name a running service with --url, its store with STORAGE_DIR or S3_BUCKET, or a catalog with THRESHOLDS_API_URL=file:catalog.yaml.',
      );
    }
    const change = { at: clock(), from: addDays(dayOf(clock()), -reevaluateDays) };
    const settings = stored?.settings.at(-1)?.settings ?? this.options.settings;
    const book = stored ?? updateRulebook(undefined, { metadata: [], thresholds: [] }, settings, change);
    const { queriedLists } = catalog;
    const wanted = queriedLists.metrics || queriedLists.thresholds ? await needs(book) : undefined;
    if (stored && (!wanted || covers(stored.asked, wanted))) return stored;
    const queries = wanted ? queriesFor(book.asked, wanted, false) : [];
    const response = { parsed: await catalog.read(queries), queries, repeated: !stored, queriedLists };
    const merged = await inSlices(mergeCatalogResponse(stored, response, settings, change));
    return stored ? merged : beginWith(merged, OWN_VERSIONS, change.at);
  }
}

/** The rules for the settings of this process. @param stored the stored rulebook; `undefined` if there is none */
export function createRules(
  http: HttpService,
  settings: Settings,
  stored: () => Promise<Rulebook | undefined>,
  clock: () => number,
): GateRules {
  const options = catalogOptions(settings);
  const isConfigured = options.metricsUrl !== undefined || options.thresholdsUrl !== undefined;
  return new GateRules({
    stored,
    catalog: isConfigured ? openCatalog(http, options) : undefined,
    settings: domainSettings(settings),
    reevaluateDays: settings.REEVALUATE_DAYS,
    clock,
  });
}
