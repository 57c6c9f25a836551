import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';

export const CHART = 'deploy/helm/mlflow-monitor';
/** The value sets that come with the chart, in the folder where chart-testing looks for them. */
export const VALUE_SETS = ['single', 'single-bucket', 'roles', 'full'] as const;
export type ValueSet = (typeof VALUE_SETS)[number];

// biome-ignore lint/suspicious/noExplicitAny: manifests have many shapes, which the schemas of Kubernetes check.
export type Manifest = any;
export type Values = Readonly<Record<string, unknown>>;

export interface Rendered {
  /** Problems of `helm lint --strict`. */
  readonly lint: readonly string[];
  readonly objects: readonly Manifest[];
  readonly notes: string;
  /** Violations of the strict schemas of the requested releases of Kubernetes. */
  readonly invalid: readonly string[];
  /** Kinds for which these releases have no schema: those of operators. */
  readonly unknown: readonly string[];
  /** Why Helm refuses the values, otherwise empty. There are no objects then. */
  readonly error: string;
}

const results = z.array(
  z.object({
    lint: z.array(z.string()),
    manifests: z.record(z.string(), z.string()).default({}),
    invalid: z.array(z.string()).default([]),
    unknown: z.array(z.string()).default([]),
    error: z.string().default(''),
  }),
);

/**
 * Renders the chart with each of these values, offline and in one process.
 * @param python of the virtual environment of `test/independent/venv.sh`
 * @param versions releases of Kubernetes to validate against, such as `1.30`
 */
export async function render(
  python: string,
  cases: readonly Values[],
  versions: readonly string[] = [],
): Promise<Rendered[]> {
  const run = promisify(execFile)(python, ['scripts/helm.py'], { maxBuffer: 64 * 1024 * 1024 });
  run.child.stdin?.end(JSON.stringify({ chart: CHART, cases, versions }));
  const { stdout } = await run;
  return results.parse(JSON.parse(stdout)).map(({ manifests, ...result }) => ({
    ...result,
    notes: manifests['templates/NOTES.txt'] ?? '',
    objects: Object.entries(manifests)
      .filter(([path]) => path.endsWith('.yaml'))
      .flatMap(([, text]) => parseAllDocuments(text).map((document) => document.toJS()))
      .filter(Boolean),
  }));
}

export const valuesOf = async (set: ValueSet): Promise<Values> =>
  parse(await readFile(`${CHART}/ci/${set}-values.yaml`, 'utf8'));
