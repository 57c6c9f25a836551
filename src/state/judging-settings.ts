import { z } from 'zod';
import type { Clock } from '../config/runtime.js';
import { canonicalJson } from '../domain/canonical-json.js';
import type { DomainSettings } from '../domain/model.js';
import { brokenKeyOf, keepBrokenDocument, readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import { describeApplied, storePartitionFiles } from './partition-files.js';
import { domainSettingsSchema } from './rulebook.js';

/** The judging settings that all processes of the store use: those of the scheduler that started last. */
const KEY = '_state/judging-settings.json';
const schema = z.object({
  version: z.literal(1),
  settings: domainSettingsSchema,
  /** Absent in documents of older versions. */
  rules: z
    .object({
      reevaluate_days: z.int(),
      /** Without user, password and query: they may be secret. null if there is none. */
      metrics_api_url: z.string().nullable(),
      thresholds_api_url: z.string().nullable(),
    })
    .optional(),
  host: z.string(),
  pid: z.int(),
  /** When that process started, ms. */
  at: z.int(),
});
export type StoredJudgingSettings = z.infer<typeof schema>;
/** Where the rules come from, and to how many past days a change of them applies. */
export type RuleSettings = NonNullable<StoredJudgingSettings['rules']>;

/** @returns `undefined` if no scheduler has started yet */
export async function readJudgingSettings(store: ObjectStore): Promise<StoredJudgingSettings | undefined> {
  return (await readDocument(store, KEY, schema))?.value;
}

/**
 * A sentence about a process whose own settings differ from the stored ones; `undefined` if they do not. The version of the
 * rules is no setting: a process with older rules than the rulebook changes nothing.
 */
export function describeDifference(
  { settings, rules, host, pid, at }: StoredJudgingSettings,
  own: DomainSettings,
  ownRules: RuleSettings,
): string | undefined {
  const differs = (name: keyof DomainSettings) =>
    name !== 'rules_version' && canonicalJson(settings[name]) !== canonicalJson(own[name]);
  const names: string[] = (Object.keys(own) as (keyof DomainSettings)[]).filter(differs);
  for (const name of Object.keys(ownRules) as (keyof RuleSettings)[]) {
    if (rules && rules[name] !== ownRules[name]) names.push(name);
  }
  if (names.length === 0) return undefined;
  const since = new Date(at).toISOString();
  return (
    `This process uses the settings of the scheduler that started last (process ${pid} on ${host}, ${since}), ` +
    `not its own ${[...new Set(names.map(settingOf))].join(', ')}. Set the same values in all processes.`
  );
}

/** The setting that a name is stored for. */
const settingOf = (name: string): string =>
  name === 'count_nested_of' ? 'COUNT_NESTED_RUNS' : name.toUpperCase();

export interface JudgingSettingsOptions {
  readonly store: ObjectStore;
  /** Those of this process. */
  readonly own: DomainSettings;
  readonly ownRules: RuleSettings;
  /** Whether the settings of this process count from its start on: it is a scheduler, or the only process of its store. */
  readonly decides: boolean;
  /** The number of parts of each new day, if the settings of this process count. */
  readonly partitionFiles: number;
  readonly process: { readonly host: string; readonly pid: number };
  readonly clock: Clock;
  readonly log: (message: string) => void;
  readonly warn: (message: string) => void;
}

/**
 * The judging settings of the store. Without them, processes with different settings would change the rulebook back and
 * forth, and with it the published bytes.
 */
export class JudgingSettings {
  private started: Promise<unknown> | undefined;
  private warned: string | undefined;

  constructor(private readonly options: JudgingSettingsOptions) {}

  /** Stores the settings of this process, if they count. Called by Nest before any job runs. */
  async onModuleInit(): Promise<void> {
    if (!this.options.decides) return;
    this.started ??= this.storeOwn();
    try {
      await this.started;
    } catch (error) {
      this.started = undefined;
      throw error;
    }
  }

  /** The settings to judge by now. */
  async current(): Promise<DomainSettings> {
    const { own } = this.options;
    const stored = await this.read();
    return stored ? { ...stored.settings, rules_version: own.rules_version } : own;
  }

  /** Where the rules come from now. */
  async rules(): Promise<RuleSettings> {
    return (await this.read())?.rules ?? this.options.ownRules;
  }

  /** A difference from the settings of this process is logged once. */
  private async read(): Promise<StoredJudgingSettings | undefined> {
    const { store, own, ownRules, warn } = this.options;
    await this.onModuleInit();
    const stored = await readJudgingSettings(store);
    const difference = stored && describeDifference(stored, own, ownRules);
    if (difference !== undefined && difference !== this.warned) warn(difference);
    this.warned = difference;
    return stored;
  }

  private async storeOwn(): Promise<void> {
    const { store, own, ownRules, partitionFiles, process, clock, log } = this.options;
    const applied = describeApplied(
      await storePartitionFiles(store, partitionFiles, clock()),
      partitionFiles,
    );
    if (applied !== undefined) log(applied);
    const document = {
      version: 1 as const,
      settings: own,
      rules: ownRules,
      ...process,
      at: clock(),
    };
    const update = () => updateDocument(store, KEY, schema, () => document);
    try {
      await update();
    } catch (error) {
      if (brokenKeyOf(error) === undefined) throw error;
      await keepBrokenDocument(store, KEY);
      await store.delete(KEY);
      await update();
    }
  }
}
