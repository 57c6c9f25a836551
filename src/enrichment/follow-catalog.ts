import { withoutSecrets } from '../config/settings.js';
import type { RuleSettings } from '../state/judging-settings.js';
import type { CatalogSourceOptions } from './catalog-source.js';
import type { CatalogSource } from './parse-catalog.js';

type Urls = Pick<CatalogSourceOptions, 'metricsUrl' | 'thresholdsUrl'>;

/**
 * The catalog of the scheduler that started last: processes that read different ones would replace each other's thresholds.
 * User, password and query of a URL are not stored, so this process uses its own where the rest of the URL is equal. Its API
 * key is sent only to the hosts of its own URLs.
 * @param own the catalog of this process
 * @param open opens a catalog
 */
export function followCatalog(
  own: CatalogSourceOptions,
  rules: () => Promise<Pick<RuleSettings, 'metrics_api_url' | 'thresholds_api_url'>>,
  open: (options: CatalogSourceOptions) => CatalogSource,
): CatalogSource {
  let urls: Urls = own;
  let source = open(own);
  return {
    get queriedLists() {
      return source.queriedLists;
    },
    async read(queries) {
      const { metrics_api_url, thresholds_api_url } = await rules();
      const next = {
        metricsUrl: followUrl(own.metricsUrl, metrics_api_url),
        thresholdsUrl: followUrl(own.thresholdsUrl, thresholds_api_url),
      };
      if (next.metricsUrl !== urls.metricsUrl || next.thresholdsUrl !== urls.thresholdsUrl) {
        urls = next;
        const hosts = new Set(originsOf(own));
        const isKnown = originsOf(next).every((origin) => hosts.has(origin));
        source = open({ ...own, ...next, apiKey: isKnown ? own.apiKey : undefined });
      }
      return source.read(queries);
    },
  };
}

const followUrl = (own: string | undefined, stored: string | null): string | undefined =>
  own !== undefined && withoutSecrets(own) === stored ? own : (stored ?? undefined);

const originsOf = ({ metricsUrl, thresholdsUrl }: Urls): string[] =>
  [metricsUrl, thresholdsUrl].flatMap((url) => (url && URL.canParse(url) ? [new URL(url).origin] : []));
