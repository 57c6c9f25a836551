import { domainSettings, loadSettings, type Settings } from '../../src/config/settings.js';
import { NO_RUNS } from '../../src/domain/light.js';
import type { DomainSettings, RunCounts } from '../../src/domain/model.js';
import { OWN_VERSIONS } from '../../src/state/versions.js';

/** Default settings, apart from the tracking server and these. */
export const settingsWith = (env: Record<string, string> = {}): Settings =>
  loadSettings({ MLFLOW_TRACKING_URI: 'http://localhost:5000', ...env });

export const domainDefaults: DomainSettings = domainSettings(settingsWith());

/** The only process of a store. */
export const onlyProcess = { supported: OWN_VERSIONS, common: async () => OWN_VERSIONS };

/** Counts of runs by status; the total defaults to their sum. */
export function countsOf(parts: Partial<RunCounts>): RunCounts {
  const { critical = 0, invalid = 0, warning = 0, healthy = 0, unmonitored = 0 } = parts;
  return { ...NO_RUNS, total: critical + invalid + warning + healthy + unmonitored, ...parts };
}
