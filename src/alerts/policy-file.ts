import { type Document, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { ALERT_RULES, ALERT_SEVERITIES } from '../domain/alerts/incident.js';
import type { OwnerRule } from '../domain/alerts/owners.js';
import { type AlertPolicy, DEFAULT_POLICY, NO_DATA_MODES, type RulePolicy } from '../domain/alerts/policy.js';
import { MonitorError } from '../domain/errors.js';
import { digestSchema, quietHoursSchema, routesSchema } from './channels/routes.js';

const minutes = z.number().min(0).max(10_080);

const ruleSchema = z.strictObject({
  enabled: z.boolean(),
  severity: z.enum(ALERT_SEVERITIES),
  digest_only: z.boolean(),
  limit: z.number().min(0).max(1_000_000).nullable(),
  recovery_margin: z.number().min(0).max(1_000_000),
  violations: z.int().min(1).max(100),
  evaluations: z.int().min(1).max(100),
  for_minutes: minutes,
  keep_firing_minutes: minutes,
  no_data: z.enum(NO_DATA_MODES),
});

export const fullRulesSchema = z.record(z.enum(ALERT_RULES), ruleSchema);

/** `alerts.yaml` */
export const alertsFileSchema = z.strictObject({
  version: z.literal(1, 'expected 1'),
  rules: z.partialRecord(z.enum(ALERT_RULES), ruleSchema.partial()).default({}),
  routes: routesSchema.default([]),
  quiet_hours: quietHoursSchema.optional(),
  digest: digestSchema.optional(),
});
export type AlertsFile = z.infer<typeof alertsFileSchema>;

const text = z.string().trim().min(1).max(200);

/** `owners.yaml` */
export const ownersFileSchema = z.strictObject({
  version: z.literal(1, 'expected 1'),
  owners: z
    .array(
      z.strictObject({
        application: text,
        owner: text.nullable().default(null),
        contact: text.nullable().default(null),
        runbook: z
          .url({ protocol: /^https?$/, error: 'expected a URL' })
          .nullable()
          .default(null),
      }),
    )
    .max(1_000),
});

/** A file of settings that is wrong, with the line. */
export class FileError extends MonitorError {
  constructor(file: string, line: number | null, problem: string) {
    super('settings_file', `${file}${line === null ? '' : `, line ${line}`}: ${problem}`, { file, line });
  }
}

/** @throws {FileError} names the line, the key and what is expected */
export const parseAlertsFile = (file: string, content: string): AlertsFile => {
  const parsed = parseFile(file, content, alertsFileSchema);
  for (const [name, rule] of Object.entries(policyOf(parsed).rules)) {
    if (rule.violations <= rule.evaluations) continue;
    const problem = `rules.${name}: ${rule.violations} violations of ${rule.evaluations} evaluations can never fire`;
    throw new FileError(file, null, `${problem}; set evaluations to at least ${rule.violations}`);
  }
  return parsed;
};

/** @throws {FileError} as above */
export const parseOwnersFile = (file: string, content: string): readonly OwnerRule[] =>
  parseFile(file, content, ownersFileSchema).owners;

/** The policy of a file: what it does not set is as by default. */
export function policyOf({ rules }: Pick<AlertsFile, 'rules'>): AlertPolicy {
  const entries = ALERT_RULES.map((rule) => {
    const set = Object.entries(rules[rule] ?? {}).filter(([, value]) => value !== undefined);
    return [rule, { ...DEFAULT_POLICY.rules[rule], ...Object.fromEntries(set) } as RulePolicy] as const;
  });
  return { rules: Object.fromEntries(entries) as Record<(typeof ALERT_RULES)[number], RulePolicy> };
}

function parseFile<T>(file: string, content: string, schema: z.ZodType<T>): T {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const [syntax] = document.errors;
  if (syntax) throw new FileError(file, lines.linePos(syntax.pos[0]).line, syntax.message);
  const result = schema.safeParse(contentOf(file, document));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (!issue) throw new FileError(file, null, 'it has the wrong shape');
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = [...issue.path, ...(unknown === undefined ? [] : [unknown])].map(
    (key) => key as string | number,
  );
  const key = path.join('.');
  const problem =
    unknown === undefined ? `${key || 'the file'}: ${issue.message}` : `${key} is not a key that exists here`;
  throw new FileError(file, lineOf(document, path, lines), problem);
}

/** An alias can expand to more than memory holds, and nobody needs one here. */
function contentOf(file: string, document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    throw new FileError(file, null, 'an alias (*name) is not allowed here; repeat the value');
  }
}

/** The line of the deepest part of a path that exists; null for an empty file. */
function lineOf(document: Document, path: readonly (string | number)[], lines: LineCounter): number | null {
  for (let depth = path.length; depth >= 0; depth--) {
    const parent = document.getIn(path.slice(0, depth - 1), true);
    const pair = pairsOf(parent).find(({ key }) => String(key) === String(path[depth - 1]));
    const node = pair?.key ?? document.getIn(path.slice(0, depth), true);
    const [start] = rangeOf(node);
    if (start !== undefined) return lines.linePos(start).line;
  }
  return null;
}

const pairsOf = (node: unknown): readonly { readonly key: unknown }[] =>
  typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items)
    ? node.items.filter((item) => typeof item === 'object' && item !== null && 'key' in item)
    : [];

const rangeOf = (node: unknown): readonly number[] =>
  typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range) ? node.range : [];
