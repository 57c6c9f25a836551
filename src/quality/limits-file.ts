import { readFile } from 'node:fs/promises';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { errorMessage, MonitorError } from '../domain/errors.js';
import {
  CHECKS,
  type CheckLimit,
  DEFAULT_LIMITS,
  QUALITY_CHECKS,
  QUALITY_SEVERITIES,
  type QualityCheck,
  type QualityLimits,
} from '../domain/quality/checks.js';

export interface LimitsProblem {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface ParsedLimits {
  readonly limits: QualityLimits;
  readonly problems: readonly LimitsProblem[];
}

type FieldParser = (value: unknown) => Partial<CheckLimit> | undefined;
const FIELDS: Readonly<Record<string, { readonly expected: string; readonly parse: FieldParser }>> = {
  limit: {
    expected: 'a number from 0',
    parse: (value) =>
      typeof value === 'number' && Number.isFinite(value) && value >= 0 ? { limit: value } : undefined,
  },
  severity: {
    expected: QUALITY_SEVERITIES.join(' or '),
    parse: (value) => {
      const severity = QUALITY_SEVERITIES.find((each) => each === value);
      return severity && { severity };
    },
  },
  enabled: {
    expected: 'true or false',
    parse: (value) => (typeof value === 'boolean' ? { enabled: value } : undefined),
  },
};

/** Parses the file of limits: by check, `limit`, `severity` and `enabled`. Everything else is a problem with its line. */
export function parseLimits(text: string): ParsedLimits {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const problems: LimitsProblem[] = document.errors.map(({ pos, message }) => ({
    line: lines.linePos(pos[0]).line,
    message: message.split('\n')[0] ?? message,
  }));
  const limits: Record<QualityCheck, CheckLimit> = { ...DEFAULT_LIMITS };
  if (problems.length > 0 || document.contents === null) return { limits, problems };
  const lineOf = (node: unknown): number =>
    lines.linePos((node as { range?: [number] } | null)?.range?.[0] ?? 0).line;
  const report = (node: unknown, message: string) => problems.push({ line: lineOf(node), message });
  /** The entries of a map. */
  const entries = (node: unknown, expected: string): { key: unknown; name: string; value: unknown }[] => {
    if (!isMap(node)) {
      report(node, `expected ${expected}`);
      return [];
    }
    return node.items.map(({ key, value }) => ({
      key,
      name: isScalar(key) ? String(key.value) : '',
      value,
    }));
  };
  for (const { key, name, value } of entries(document.contents, 'the names of checks')) {
    const check = QUALITY_CHECKS.find((each) => each === name);
    if (!check) {
      report(key, `there is no check ${JSON.stringify(name)}: expected one of ${QUALITY_CHECKS.join(', ')}`);
      continue;
    }
    for (const field of entries(value, `fields of ${check}: limit, severity, enabled`)) {
      const known = Object.hasOwn(FIELDS, field.name) ? FIELDS[field.name] : undefined;
      if (!known) {
        report(
          field.key,
          `${check} has no ${JSON.stringify(field.name)}: expected limit, severity or enabled`,
        );
        continue;
      }
      const parsed = known.parse(isScalar(field.value) ? field.value.value : undefined);
      if (parsed) limits[check] = { ...limits[check], ...parsed };
      else report(field.value ?? field.key, `${check}.${field.name}: expected ${known.expected}`);
    }
    if (CHECKS[check].unit === '%' && CHECKS[check].bound === 'least' && limits[check].limit > 100) {
      report(value, `${check}.limit: expected a number from 0 to 100`);
    }
  }
  return { limits, problems };
}

/**
 * The limits of the checks.
 * @param file `undefined`: the defaults
 * @throws {MonitorError} `quality_file`, with every problem and its line
 */
export async function loadLimits(file: string | undefined): Promise<QualityLimits> {
  if (file === undefined) return DEFAULT_LIMITS;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new MonitorError('quality_file', `QUALITY_FILE cannot be read: ${errorMessage(error)}`, { file });
  }
  const { limits, problems } = parseLimits(text);
  if (problems.length === 0) return limits;
  const list = problems.map(({ line, message }) => `  line ${line}: ${message}`);
  throw new MonitorError('quality_file', [`QUALITY_FILE ${file} is wrong:`, ...list].join('\n'), { file });
}
