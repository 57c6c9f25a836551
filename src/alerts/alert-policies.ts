import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Clock } from '../config/runtime.js';
import type { OwnerRule } from '../domain/alerts/owners.js';
import type { AlertPolicy } from '../domain/alerts/policy.js';
import { canonicalJson } from '../domain/canonical-json.js';
import { errno, errorMessage, MonitorError } from '../domain/errors.js';
import { readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import {
  type AlertsFile,
  alertsFileSchema,
  fullRulesSchema,
  ownersFileSchema,
  parseAlertsFile,
  parseOwnersFile,
  policyOf,
} from './policy-file.js';

/** The policy by which all processes of the store evaluate: that of the scheduler that started or reloaded last. */
const KEY = '_state/alerts/policy.json';
const schema = z.object({
  version: z.literal(1),
  rules: fullRulesSchema,
  delivery: alertsFileSchema.pick({ routes: true, quiet_hours: true, digest: true }),
  owners: ownersFileSchema.shape.owners,
  /** Why a changed file is not used; null if the files are. */
  problem: z.string().nullable(),
  host: z.string(),
  pid: z.int(),
  /** When it was stored, ms. */
  at: z.int(),
});
export type StoredAlertPolicy = z.infer<typeof schema>;

/** @returns `undefined` if no scheduler has stored one yet */
export async function readAlertPolicy(store: ObjectStore): Promise<StoredAlertPolicy | undefined> {
  return (await readDocument(store, KEY, schema))?.value;
}

interface PolicyFiles {
  readonly alerts: AlertsFile;
  readonly owners: readonly OwnerRule[];
}

export interface AlertPoliciesOptions {
  readonly store: ObjectStore;
  /** `ALERTS_FILE` and `OWNERS_FILE`. */
  readonly alertsFile: string | undefined;
  readonly ownersFile: string | undefined;
  readonly process: { readonly host: string; readonly pid: number };
  readonly clock: Clock;
  readonly log: { log(message: string): void; warn(message: string): void };
}

/**
 * Reads the files of a process.
 * @throws {FileError} names the line, the key and what is expected
 * @throws {MonitorError} `settings_file` if a file cannot be read
 */
export async function readPolicyFiles({
  alertsFile,
  ownersFile,
}: Pick<AlertPoliciesOptions, 'alertsFile' | 'ownersFile'>): Promise<PolicyFiles> {
  return {
    alerts: parseAlertsFile(
      alertsFile ?? 'ALERTS_FILE',
      alertsFile ? await textOf(alertsFile) : 'version: 1',
    ),
    owners: ownersFile ? parseOwnersFile(ownersFile, await textOf(ownersFile)) : [],
  };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new MonitorError(
      'settings_file',
      `${file} cannot be read (${errno(error) ?? errorMessage(error)})`,
    );
  }
}

/** Keeps the stored policy equal to the files of this process, for processes that evaluate. */
export class AlertPolicies {
  private used: string | undefined;
  private warned: string | undefined;

  constructor(private readonly options: AlertPoliciesOptions) {}

  /** Called by Nest before anything is evaluated. @throws {FileError} a wrong file stops the start */
  async onModuleInit(): Promise<void> {
    await this.use(await readPolicyFiles(this.options));
  }

  /** Uses changed files. Wrong ones change nothing, except that the page says so. */
  async reload(): Promise<void> {
    try {
      await this.use(await readPolicyFiles(this.options));
      this.warned = undefined;
    } catch (error) {
      if (!(error instanceof MonitorError) || error.code !== 'settings_file') throw error;
      if (this.warned === error.message) return;
      this.options.log.warn(`The alert policy is not changed: ${error.message}`);
      await updateDocument(this.options.store, KEY, schema, (current) =>
        current ? { ...current, problem: error.message } : undefined,
      );
      this.warned = error.message;
    }
  }

  /** The policy to evaluate by now. */
  async current(): Promise<AlertPolicy & Pick<StoredAlertPolicy, 'owners' | 'delivery' | 'problem'>> {
    const stored = await readAlertPolicy(this.options.store);
    if (stored) return stored;
    const { alerts, owners } = await readPolicyFiles(this.options);
    return { ...policyOf(alerts), owners: [...owners], delivery: alerts, problem: null };
  }

  /** Files that have not changed since this process used them must not undo those of another one. */
  private async use({ alerts, owners }: PolicyFiles): Promise<void> {
    const { rules } = policyOf(alerts);
    const { routes, quiet_hours, digest } = alerts;
    const delivery = {
      routes,
      ...(quiet_hours ? { quiet_hours } : {}),
      ...(digest ? { digest } : {}),
    };
    const own = canonicalJson({ rules, delivery, owners });
    if (own === this.used && this.warned === undefined) return;
    const { store, process, clock, log } = this.options;
    const isChanged = this.used !== undefined && own !== this.used;
    await updateDocument(store, KEY, schema, () => ({
      version: 1 as const,
      rules: { ...rules },
      delivery,
      owners: [...owners],
      problem: null,
      ...process,
      at: clock(),
    }));
    if (isChanged) log.log('The alert policy has changed');
    this.used = own;
  }
}
