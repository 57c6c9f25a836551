import { RULES_VERSION } from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import type { DomainSettings } from '../domain/model.js';

/** @throws {MonitorError} `older_rules` if the store was judged by a newer version of this service */
export function assertSupportedRules({ rules_version }: Pick<DomainSettings, 'rules_version'>): void {
  if (rules_version <= RULES_VERSION) return;
  throw new MonitorError(
    'older_rules',
    `The store uses rules version ${rules_version}, this process supports versions up to ${RULES_VERSION}`,
  );
}
